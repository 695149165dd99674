#pragma once

#include "cli/flags.hpp"

#include <string>
#include <string_view>

namespace grouplink::cli {

// Scripts that complete commands, flags, their values and files, for the shells that read them. Each is
// made of commands(), whole, and asks the program nothing when it runs.

std::string bash_completions();
std::string zsh_completions();
std::string fish_completions();

/// The short name of a flag with its dash, "-k"; empty where it has none.
std::string_view short_name(const Flag& flag);

/// The first statement of a flag's help: without its default, and what explains it further.
std::string_view brief(const Flag& flag);

/// The names of the flags that take a value, short ones as well, a blank between them.
std::string value_flags(const Command& command);

/// The texts one after another, a blank between them; of extensions without their dots.
std::string joined(const std::vector<Choice>& choices);
std::string joined(const std::vector<std::string_view>& extensions);

}  // namespace grouplink::cli
