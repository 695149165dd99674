#pragma once

#include "cli/flags.hpp"

#include <string>

namespace grouplink::cli {

/// The help of the program as a whole, ending in a newline; no line is wider than 80 columns.
std::string help();

/// The help of one command.
std::string help(const Command& command);

}  // namespace grouplink::cli
