#include "cli/completions.hpp"

#include <fmt/format.h>

namespace grouplink::cli {
namespace {

constexpr std::string_view head =
    R"fish(# Completion of grouplink for fish, as "grouplink completions fish" prints it.

# Whether no command was typed yet.
function __grouplink_no_command
    test (count (commandline -opc)) -eq 1
end

# COMMAND: whether it is the one that was typed.
function __grouplink_command
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end

# COMMAND PLACE: whether the operand to come is number PLACE of COMMAND; of any number for "any".
function __grouplink_operand
    __grouplink_command $argv[1]; or return 1
    test $argv[2] = any; and return 0
    set -l words (commandline -opc)
    set -e words[1 2]
    set -l takes (__grouplink_takes $argv[1])
    set -l place 0
    set -l value no
    for word in $words
        if test $value = yes
            set value no
        else if contains -- $word $takes
            set value yes
        else if not string match -q -- '-*' $word
            set place (math $place + 1)
        end
    end
    test $value = no -a $place -eq $argv[2]
end

# COMMAND FLAG...: whether COMMAND was typed, and none of the names of its flag.
function __grouplink_flag
    __grouplink_command $argv[1]; or return 1
    set -l words (commandline -opc)
    # A flag whose value is to come.
    contains -- $words[-1] (__grouplink_takes $argv[1]); and set -e words[-1]
    for word in $words
        contains -- (string replace -r '=.*' '' -- $word) $argv[2..-1]; and return 1
    end
    return 0
end

# Folders, and files with one of the extensions given; any file without.
function __grouplink_files
    set -l typed (commandline -ct | string replace -r '^--[^=]*=' '')
    set -l wanted '.*'
    test (count $argv) -gt 0; and set wanted '.*\.(?:'(string join '|' $argv)')'
    complete -C "'' $typed" | string match -r "^(?:[^\t]*/|$wanted)(?=\t|\$)"
end
)fish";

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + '\'';
}

/// The arguments of "complete" that say what may follow; empty where nothing is known.
std::string action(const Values& values) {
    if (!values.names.empty()) {
        std::string lines;
        for (const Choice& choice : values.names) {
            if (!lines.empty()) lines += ' ';
            lines += choice.value;
            if (!choice.meaning.empty()) lines += fmt::format("\\t{}", quoted(choice.meaning));
        }
        return fmt::format("-a {}", quoted(lines));
    }
    if (!values.extensions.empty())
        return fmt::format("-a '(__grouplink_files {})'", joined(values.extensions));
    return values.any_file ? "-a '(__grouplink_files)'" : "";
}

std::string flag_line(const Command& command, const Flag& flag) {
    const std::string_view brief_name = short_name(flag);
    std::string line = fmt::format(
        "complete -c grouplink -n '__grouplink_flag {} {}{}{}' {}{}-l {}", command.name, brief_name,
        brief_name.empty() ? "" : " ", long_name(flag), brief_name.empty() ? "" : "-s ",
        brief_name.empty() ? "" : fmt::format("{} ", brief_name.substr(1)), long_name(flag).substr(2));
    if (flag.takes_value()) {
        const std::string values = action(values_of(flag));
        line += values.empty() ? " -x" : " -x " + values;
    }
    return line + fmt::format(" -d {}\n", quoted(brief(flag)));
}

}  // namespace

std::string fish_completions() {
    std::string out(head);
    out += "\n# The flags of a command that take a value.\nfunction __grouplink_takes\n    switch $argv[1]\n";
    for (const Command& command : commands()) {
        const std::string takes = value_flags(command);
        if (takes.empty()) continue;
        out += fmt::format("        case {}\n            string split ' ' -- '{}'\n", command.name, takes);
    }
    out +=
        "    end\nend\n\ncomplete -c grouplink -f\n"
        "complete -c grouplink -n __grouplink_no_command -s h -l help -d 'Show the help'\n"
        "complete -c grouplink -n __grouplink_no_command -s V -l version -d 'Show the version'\n";
    for (const Command& command : commands()) {
        out += fmt::format("\ncomplete -c grouplink -n __grouplink_no_command -a {} -d {}\n", command.name,
                           quoted(command.summary));
        int place = 0;
        for (const std::string_view operand : operands(command)) {
            const std::string at = operand.ends_with("...") ? "any" : fmt::format("{}", place++);
            const std::string values = action(values_of(operand));
            if (values.empty()) continue;
            out += fmt::format("complete -c grouplink -n '__grouplink_operand {} {}' {}\n", command.name, at,
                               values);
        }
        for (const Flag& flag : command.flags) out += flag_line(command, flag);
    }
    return out;
}

}  // namespace grouplink::cli
