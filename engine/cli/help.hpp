#pragma once

#include "cli/flags.hpp"

#include <span>
#include <string>
#include <string_view>

namespace grouplink::cli {

struct ExitStatus {
    int code;
    std::string_view meaning;
};

/// What the exit codes say.
std::span<const ExitStatus> exit_statuses();

/// The help of the program as a whole, ending in a newline; no line is wider than 80 columns.
std::string help();

/// The help of one command.
std::string help(const Command& command);

}  // namespace grouplink::cli
