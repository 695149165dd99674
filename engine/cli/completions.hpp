#pragma once

#include "cli/flags.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace grouplink::cli {

// Scripts that complete commands, flags, their values and files, for the shells that read them. Each is
// made of commands(), whole, and asks the program nothing when it runs.

std::string bash_completions();
std::string zsh_completions();
std::string fish_completions();

/// What the operands stand for, as its usage has them: "INPUT"; "PART..." may be given more than once.
std::vector<std::string_view> operands(const Command& command);

/// What a value may be, for completion: one of `names`, else a file with one of `extensions` (".npz"), or
/// any file; neither where nothing is known of it.
struct Values {
    std::vector<Choice> names{};
    std::vector<std::string_view> extensions{};
    bool any_file = false;
};

/// By what stands for the value: INPUT is a file of rows, OUTPUT one of links, FILE, IN and OUT one of any
/// format, FILE.json one with that extension, and any other that begins with FILE or PART is any file.
Values values_of(std::string_view placeholder);
Values values_of(const Flag& flag);

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
