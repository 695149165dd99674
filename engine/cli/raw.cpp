#include "cli/raw.hpp"

#include "cli/flags.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace grouplink::cli {
namespace {

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorCode::invalid_options, message); }

[[noreturn]] void fail_unknown_flag(const Command& command, std::string_view typed) {
    typed = typed.substr(0, typed.find('='));
    // "--k" means "-k": the short name that the long form spells.
    for (const Flag& flag : command.flags) {
        if (typed.size() == 3 && typed.starts_with("--") && flag.names.starts_with(typed.substr(1))) {
            fail(fmt::format("{}: no flag {}; did you mean {}?", command.name, typed, typed.substr(1)));
        }
    }
    std::vector<std::string_view> names;
    for (const Flag& flag : command.flags) names.push_back(long_name(flag));
    const std::string hint = did_you_mean(typed, names);
    fail(fmt::format("{0}: no flag {1}{2}", command.name, printable(typed),
                     hint.empty() ? fmt::format("; see grouplink {} --help", command.name) : hint));
}

RawArguments parse_flags(const Command& command, std::span<const std::string> arguments) {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<std::pair<const Flag*, CLI::Option*>> options;
    for (const Flag& flag : command.flags) {
        CLI::Option* const option = flag.text != nullptr
                                        ? app.add_option(std::string(flag.names))->expected(1)
                                        : app.add_flag(std::string(flag.names));
        option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        options.emplace_back(&flag, option);
    }
    CLI::Option* const operands = app.add_option("operands")->expected(-1);
    operands->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

    // The parser takes "--flag= next" for "--flag next".
    for (const std::string& argument : arguments) {
        if (argument == "--") break;
        if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
            fail(fmt::format("{}: {} has no value", command.name, printable(argument)));
        }
    }
    try {
        // It reads its arguments from the back.
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ArgumentMismatch& mismatch) {
        const std::string_view text = mismatch.what();
        fail(fmt::format("{}: {} needs a value", command.name, text.substr(0, text.find(':'))));
    } catch (const CLI::ParseError& error) {
        fail(fmt::format("{}: {}", command.name, printable(error.what())));
    }

    RawArguments raw;
    raw.command = command.kind;
    raw.operands = operands->results();
    for (const auto& [flag, option] : options) {
        if (flag->on != nullptr) raw.*(flag->on) = option->count() > 0;
    }
    if (raw.help) return raw;
    for (const std::string& extra : app.remaining()) {
        if (extra != "--") fail_unknown_flag(command, extra);
    }
    for (const auto& [flag, option] : options) {
        const std::vector<std::string>& values = option->results();
        if (values.empty()) continue;
        if (flag->on != nullptr) {
            const auto strange = std::find_if(values.begin(), values.end(),
                                              [](const std::string& value) { return value != "true"; });
            if (strange == values.end()) continue;
            fail(fmt::format("{}: {} takes no value, got \"{}\"", command.name, long_name(*flag),
                             printable(*strange)));
        }
        if (values.size() > 1) {
            fail(fmt::format("{}: {} given {} times, wants once", command.name, long_name(*flag),
                             values.size()));
        }
        raw.*(flag->text) = values.front();
    }
    return raw;
}

}  // namespace

RawArguments parse_raw(std::span<const std::string> arguments) {
    std::vector<std::string_view> names;
    for (const Command& one : commands()) names.push_back(one.name);
    if (arguments.empty()) {
        fail(fmt::format("no command; one of {}, or --help", fmt::join(names, ", ")));
    }
    const std::string& first = arguments.front();
    RawArguments raw;
    if (first == "-h" || first == "--help") {
        raw.help = true;
        return raw;
    }
    if (first == "-V" || first == "--version") {
        raw.version = true;
        return raw;
    }
    for (const Command& one : commands()) {
        if (first == one.name) return parse_flags(one, arguments.subspan(1));
    }
    names.insert(names.end(), {"--help", "--version"});
    fail(fmt::format("no command \"{}\"{}", printable(first), [&] {
        const std::string hint = did_you_mean(first, names);
        return hint.empty() ? fmt::format("; one of {}", fmt::join(names, ", ")) : hint;
    }()));
}

}  // namespace grouplink::cli
