#include "cli/params.hpp"

#include "cli/arguments.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace grouplink::cli {
namespace {

using Json = nlohmann::json;
using RawText = std::optional<std::string>;

enum class ParamType { whole, number, text };

struct Param {
    std::string_view name;
    ParamType type;
    RawText RawArguments::*flag;  ///< null: of no effect
};

constexpr auto params = std::to_array<Param>({
    {"n_nearest", ParamType::whole, &RawArguments::n_nearest},
    {"similarity_min", ParamType::number, &RawArguments::similarity_min},
    {"similarity_min_q", ParamType::number, &RawArguments::similarity_min_q},
    {"metric", ParamType::text, &RawArguments::metric},
    {"seed", ParamType::whole, &RawArguments::seed},
    {"n_trees", ParamType::whole, nullptr},
    {"search_k_mult", ParamType::number, nullptr},
});

// Far beyond what the parameters of a step take.
constexpr std::uintmax_t most_bytes = 1 << 20;

[[noreturn]] void fail(const std::string& path, std::string_view what) {
    throw Error(ErrorCode::bad_input, fmt::format("{}: {}", path, what));
}

std::string read_text(const std::string& path) {
    std::error_code fault;
    if (std::filesystem::is_directory(path, fault)) {
        throw Error(ErrorCode::io, fmt::format("{}: is a folder, not a file", path));
    }
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw Error(ErrorCode::io,
                    fmt::format("{}: cannot be opened: {}", path, std::generic_category().message(errno)));
    }
    std::string text;
    std::array<char, 4096> part{};
    while (text.size() <= most_bytes && (file.read(part.data(), part.size()) || file.gcount() > 0)) {
        text.append(part.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (text.size() > most_bytes) fail(path, "is longer than 1 MiB, so it holds no parameters of a step");
    return text;
}

std::string shown(const Json& value) {
    return shorten(value.dump(-1, ' ', false, Json::error_handler_t::replace), 60);
}

/// The value as it would be typed.
std::string typed(const std::string& path, const Param& param, const Json& value) {
    const auto refuse = [&](std::string_view wants) {
        fail(path, fmt::format("{} is {}, wants {}", param.name, shown(value), wants));
    };
    switch (param.type) {
        case ParamType::whole:
            if (!value.is_number_integer()) refuse("a whole number");
            return value.dump();
        case ParamType::number:
            if (!value.is_number()) refuse("a number");
            return value.dump();
        case ParamType::text:
            if (!value.is_string()) refuse("a string");
            return value.get<std::string>();
    }
    return {};
}

const Param& param_of(const std::string& path, const std::string& key) {
    std::vector<std::string_view> names;
    for (const Param& param : params) {
        if (key == param.name) return param;
        names.push_back(param.name);
    }
    const std::string hint = did_you_mean(key, names);
    fail(path, fmt::format("has the unknown parameter \"{}\"{}", printable(key),
                           hint.empty() ? fmt::format("; it takes {}", fmt::join(names, ", ")) : hint));
}

/// Judges each value as if it were typed, but in the words of the file.
void check_values(const std::string& path, RawArguments raw) {
    raw.command = CommandKind::explain;
    raw.operands = {"rows.npy"};
    try {
        (void)validate_arguments(raw);
    } catch (const Error& error) {
        std::string text = error.what();
        for (const Param& param : params) {
            std::string flag = fmt::format("--{}", param.name);
            for (char& c : flag) c = c == '_' ? '-' : c;
            if (text.starts_with(flag + ":")) text.replace(0, flag.size(), param.name);
        }
        fail(path, text);
    }
}

}  // namespace

RawArguments with_params(RawArguments raw) {
    if (!raw.params || raw.help) return raw;
    const std::string& path = *raw.params;
    if (path.empty()) {
        throw Error(ErrorCode::invalid_options, "--params: got \"\", wants the path of a .json file");
    }
    const std::string text = read_text(path);
    // What is nested deeper is no parameter, and showing it would exhaust the stack.
    constexpr int deepest = 4;
    const auto keep = [](int depth, Json::parse_event_t, const Json&) { return depth <= deepest; };
    const Json object = Json::parse(text, keep, false);
    if (!object.is_object()) fail(path, "holds no JSON object of parameters, such as {\"n_nearest\": 10}");
    RawArguments from_file;
    for (const auto& [key, value] : object.items()) {
        const Param& param = param_of(path, key);
        const std::string value_text = typed(path, param, value);
        if (param.flag == nullptr) {
            raw.ignored_params.emplace_back(param.name);
        } else {
            from_file.*(param.flag) = value_text;
        }
    }
    check_values(path, from_file);
    for (const Param& param : params) {
        if (param.flag != nullptr && !(raw.*(param.flag))) raw.*(param.flag) = from_file.*(param.flag);
    }
    return raw;
}

}  // namespace grouplink::cli
