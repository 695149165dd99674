#include "cli/raw.hpp"

#include "cli/flags.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string_view>
#include <utility>

namespace grouplink::cli {
namespace {

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorCode::invalid_options, message); }

/// `left` is what the parser could not place: the argument, or the end of one that began with a
/// switch, as "-uiet" is of "-quiet".
[[noreturn]] void fail_unknown_flag(const Command& command, std::string_view left,
                                    std::span<const std::string> arguments) {
    std::string_view typed = left;
    for (const std::string& argument : arguments) {
        const bool one_dash = argument.starts_with('-') && !argument.starts_with("--");
        if (one_dash && argument.size() > left.size() && argument.ends_with(left.substr(1))) typed = argument;
    }
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

/// Throws unless a switch was given as one.
void check_switch(const Command& command, const Flag& flag, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
        if (value == "true") continue;
        fail(fmt::format("{}: {} takes no value, got \"{}\"", command.name, long_name(flag),
                         printable(value)));
    }
}

/// The one value of a flag.
std::string check_value(const Command& command, const Flag& flag, const std::vector<std::string>& values) {
    if (values.size() == 1) return values.front();
    fail(fmt::format("{}: {} given {} times, wants once", command.name, long_name(flag), values.size()));
}

void run_parser(CLI::App& app, const Command& command, std::span<const std::string> arguments) {
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
}

RawArguments parse_flags(const Command& command, std::span<const std::string> arguments) {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<std::pair<const Flag*, CLI::Option*>> options;
    for (const Flag& flag : command.flags) {
        CLI::Option* const option = flag.takes_value() ? app.add_option(std::string(flag.names))->expected(1)
                                                       : app.add_flag(std::string(flag.names));
        option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        options.emplace_back(&flag, option);
    }
    // One, and the others among what remains: for a list of them the parser takes "[a,b]" for two.
    CLI::Option* const operand = app.add_option("operand")->expected(1);
    run_parser(app, command, arguments);

    RawArguments raw;
    raw.command = command.kind;
    for (const auto& [flag, option] : options) {
        if (flag->on != nullptr) raw.*(flag->on) = option->count() > 0;
    }
    if (raw.help) return raw;
    raw.operands = operand->results();
    bool flags_over = false;
    for (const std::string& extra : app.remaining()) {
        if (!flags_over && extra == "--") {
            flags_over = true;
        } else if (flags_over || extra.size() < 2 || !extra.starts_with('-')) {
            raw.operands.push_back(extra);
        } else {
            fail_unknown_flag(command, extra, arguments);
        }
    }
    for (const auto& [flag, option] : options) {
        const std::vector<std::string>& values = option->results();
        if (values.empty()) continue;
        if (flag->on != nullptr) {
            check_switch(command, *flag, values);
        } else if (flag->texts != nullptr) {
            raw.*(flag->texts) = values;
        } else {
            raw.*(flag->text) = check_value(command, *flag, values);
        }
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
    const std::string hint = did_you_mean(first, names);
    fail(fmt::format("no command \"{}\"{}", printable(first),
                     hint.empty() ? fmt::format("; one of {}", fmt::join(names, ", ")) : hint));
}

}  // namespace grouplink::cli
