#pragma once

#include "cli/raw.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::cli {

/// A flag of a command: what parses it, what explains it and where its value goes.
struct Flag {
    std::string_view names;    ///< "-k,--n-nearest"
    std::string_view value;    ///< what stands for the value in the help; empty for a switch
    std::string_view section;  ///< heading in the help
    std::string help;
    std::optional<std::string> RawArguments::*text = nullptr;  ///< of a flag with a value
    bool RawArguments::*on = nullptr;                          ///< of a switch
    std::vector<std::string> RawArguments::*texts = nullptr;  ///< of a flag with a value that may be repeated
};

struct Example {
    std::string_view line;
    std::string_view meaning;
};

struct Command {
    CommandKind kind = CommandKind::none;
    std::string_view name;
    std::string_view usage;
    std::string_view summary;
    std::string_view about;  ///< a paragraph for the help
    std::vector<Example> examples;
    std::vector<Flag> flags;
};

/// The commands, in the order of the help.
const std::vector<Command>& commands();

const Command& command(CommandKind kind);

/// The long name of a flag with its dashes: "--n-nearest".
std::string_view long_name(const Flag& flag);

}  // namespace grouplink::cli
