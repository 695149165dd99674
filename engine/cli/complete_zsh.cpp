#include "cli/completions.hpp"

#include <fmt/format.h>

namespace grouplink::cli {
namespace {

constexpr std::string_view head = R"(#compdef grouplink
# Completion of grouplink for zsh, as "grouplink completions zsh" prints it.

_grouplink() {
    local context state state_descr line
    typeset -A opt_args
    _arguments -C \
        '(- *)'{-h,--help}'[Show the help]' \
        '(- *)'{-V,--version}'[Show the version]' \
        '1:command:_grouplink_commands' \
        '*::argument:->argument'
    [[ $state == argument ]] || return
    case $words[1] in
)";

constexpr std::string_view tail = R"(    esac
}

# Read as a file of completions it is called at once; as a script it is for compdef.
if [[ $funcstack[1] == _grouplink ]]; then
    _grouplink "$@"
else
    compdef _grouplink grouplink
fi
)";

/// Within single quotes, in a place where some characters say something to _arguments.
std::string escaped(std::string_view text, std::string_view special) {
    std::string out;
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
            continue;
        }
        if (special.find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

std::string action(const Values& values) {
    if (!values.names.empty()) {
        bool explained = false;
        for (const Choice& choice : values.names) explained = explained || !choice.meaning.empty();
        if (!explained) return fmt::format("({})", joined(values.names));
        std::string items;
        for (const Choice& choice : values.names) {
            items += fmt::format("{}\\:\"{}\" ", choice.value, escaped(choice.meaning, ":\\\""));
        }
        return fmt::format("(({}))", items.substr(0, items.size() - 1));
    }
    if (!values.extensions.empty()) {
        std::string extensions = joined(values.extensions);
        for (char& c : extensions) c = c == ' ' ? '|' : c;
        return fmt::format("_files -g \"*.({})(-.)\"", extensions);
    }
    return values.any_file ? "_files" : " ";
}

std::string flag_spec(const Flag& flag) {
    const std::string_view brief_name = short_name(flag);
    const bool takes = flag.takes_value();
    const std::string what =
        fmt::format("[{}]{}", escaped(brief(flag), "[]\\"),
                    takes ? fmt::format(":{}:{}", escaped(flag.value, ":\\"), action(values_of(flag))) : "");
    const std::string long_form = fmt::format("{}{}", long_name(flag), takes ? "=" : "");
    if (brief_name.empty()) return fmt::format("'{}{}'", long_form, what);
    // Of the two names only one may be given; help goes with nothing else.
    const bool help = long_name(flag) == "--help";
    return fmt::format("'({})'{{{}{},{}}}'{}'",
                       help ? "- *" : fmt::format("{} {}", brief_name, long_name(flag)), brief_name,
                       takes ? "+" : "", long_form, what);
}

}  // namespace

std::string zsh_completions() {
    std::string out(head);
    for (const Command& command : commands()) {
        out += fmt::format("    {})\n        _arguments -s -S", command.name);
        for (const Flag& flag : command.flags) out += fmt::format(" \\\n            {}", flag_spec(flag));
        int place = 0;
        for (const std::string_view operand : operands(command)) {
            const std::string at = operand.ends_with("...") ? "*" : fmt::format("{}", ++place);
            out += fmt::format(" \\\n            '{}:{}:{}'", at, operand, action(values_of(operand)));
        }
        out += "\n        ;;\n";
    }
    std::string names = "\n_grouplink_commands() {\n    local -a commands=(\n";
    for (const Command& command : commands()) {
        names += fmt::format("        '{}:{}'\n", command.name, escaped(command.summary, ":\\"));
    }
    names += "    )\n    _describe -t commands command commands\n}\n";
    std::string end(tail);
    end.insert(end.find("# Read as"), names.substr(1) + '\n');
    return out + end;
}

}  // namespace grouplink::cli
