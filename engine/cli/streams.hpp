#pragma once

#include <cstddef>
#include <string_view>

namespace grouplink::cli {

/// Opens the standard streams that the process was started without, so that no file of ours takes
/// their numbers and is written to as if it were one. Writing to such an output fails.
void hold_standard_streams();

/// Writes all of it, or throws Error(io) with the system's reason.
void print(std::string_view text);

/// Writes what standard error takes; there is nobody to tell when it takes nothing.
void print_error(std::string_view text) noexcept;

/// Whether standard error is a terminal that can rewrite a line.
bool error_is_terminal();

/// Columns of that terminal, now; 80 when it does not say.
std::size_t terminal_width();

}  // namespace grouplink::cli
