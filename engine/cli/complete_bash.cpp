#include "cli/completions.hpp"

#include <fmt/format.h>

namespace grouplink::cli {
namespace {

constexpr std::string_view head =
    R"(# Completion of grouplink for bash, as "grouplink completions bash" prints it.

# Of the words given, those that what is typed begins.
_grouplink_words() {
    local word
    for word in $1; do
        [[ $word == "$current"* ]] && COMPREPLY+=("$word")
    done
}

# Folders, and files with one of the extensions given; any file without.
_grouplink_files() {
    local typed=$current name extension
    typed=${typed#[\"\']}
    typed=${typed//\\/}
    compopt -o filenames 2>/dev/null
    while IFS= read -r name; do
        if [[ $# -eq 0 || -d ${name/#\~\//$HOME/} ]]; then
            COMPREPLY+=("$name")
            continue
        fi
        for extension in "$@"; do
            [[ $name == *."$extension" ]] && COMPREPLY+=("$name")
        done
    done < <(compgen -f -- "$typed")
}

_grouplink() {
    local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} flags= takes= flag= place=0 given=' ' word i
    COMPREPLY=()
)";

constexpr std::string_view tail = R"(    # "--flag=value" comes as three words, and so does "file:column".
    for ((i = 2; i < COMP_CWORD; ++i)); do
        word=${COMP_WORDS[i]}
        _grouplink_long_name
        if [[ $word == : ]]; then
            ((++i))
        elif [[ -n $flag ]]; then
            [[ $word == = ]] || flag=
        elif [[ $word == -?* ]]; then
            given+="$word "
            [[ " $takes " == *" $word "* ]] && flag=$word
        else
            ((++place))
        fi
    done
    [[ $current == : || ${COMP_WORDS[COMP_CWORD - 1]} == : ]] && return
    [[ $current == = ]] && current=
    if [[ -n $flag ]]; then
        _grouplink_value
    elif [[ $current == -* ]] || ! _grouplink_operand; then
        for word in $flags; do
            [[ $given == *" $word "* ]] || _grouplink_words "$word"
        done
    fi
}

complete -F _grouplink grouplink
)";

std::string action(const Values& values) {
    if (!values.names.empty()) return fmt::format("_grouplink_words '{}'", joined(values.names));
    if (!values.extensions.empty()) return fmt::format("_grouplink_files {}", joined(values.extensions));
    return values.any_file ? "_grouplink_files" : ":";
}

/// What each command takes, as local variables.
std::string command_cases() {
    std::string names;
    std::string cases;
    for (const Command& command : commands()) {
        std::string flags;
        for (const Flag& flag : command.flags) flags += fmt::format(" {}", long_name(flag));
        cases += fmt::format("    {})\n        flags='{}'\n        takes='{}'\n        ;;\n", command.name,
                             flags.substr(1), value_flags(command));
        names += fmt::format("{} ", command.name);
    }
    return fmt::format(
        "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
        "        if [[ $current == -* ]]; then\n"
        "            _grouplink_words '--help --version'\n"
        "        else\n"
        "            _grouplink_words '{}'\n"
        "        fi\n"
        "        return\n"
        "    fi\n"
        "    case $command in\n{}    *) return ;;\n    esac\n",
        names.substr(0, names.size() - 1), cases);
}

std::string long_name_function() {
    std::string cases;
    for (const Command& command : commands()) {
        for (const Flag& flag : command.flags) {
            if (short_name(flag).empty()) continue;
            cases += fmt::format("    {}:{}) word={} ;;\n", command.name, short_name(flag), long_name(flag));
        }
    }
    return fmt::format(
        "\n# Puts the long name of a flag in the place of its short one.\n"
        "_grouplink_long_name() {{\n    case $command:$word in\n{}    esac\n}}\n",
        cases);
}

std::string value_function() {
    std::string cases;
    for (const Command& command : commands()) {
        for (const Flag& flag : command.flags) {
            const std::string act = action(values_of(flag));
            if (!flag.takes_value() || act == ":") continue;
            cases += fmt::format("    {}:{}) {} ;;\n", command.name, long_name(flag), act);
        }
    }
    return fmt::format("\n_grouplink_value() {{\n    case $command:$flag in\n{}    esac\n}}\n", cases);
}

std::string operand_function() {
    std::string cases;
    for (const Command& command : commands()) {
        int place = 0;
        for (const std::string_view operand : operands(command)) {
            const bool repeats = operand.ends_with("...");
            cases += fmt::format("    {}:{}) {} ;;\n", command.name, repeats ? "*" : fmt::format("{}", place),
                                 action(values_of(operand)));
            ++place;
        }
    }
    return fmt::format(
        "\n# Fails where the command takes no more operands.\n"
        "_grouplink_operand() {{\n    case $command:$place in\n{}    *) return 1 ;;\n    esac\n    return 0\n"
        "}}\n",
        cases);
}

}  // namespace

std::string bash_completions() {
    std::string main(head);
    const std::size_t at = main.rfind("_grouplink() {");
    main.insert(at, long_name_function().substr(1) + value_function() + operand_function() + '\n');
    return main + command_cases() + std::string(tail);
}

}  // namespace grouplink::cli
