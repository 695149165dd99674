#pragma once

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace grouplink::io {

/// Throws Error(code). The text must come out as one line: put data in it through in_quotes().
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws Error(io) for a system call that failed with `error_number`.
[[noreturn]] void fail_system(std::string_view path, std::string_view what, int error_number);

/// The value in double quotes, cut where it is long; control characters, and bytes that are not UTF-8,
/// escaped.
std::string in_quotes(std::string_view value);

/// "a", "b" and "c" or the like; the first ten.
std::string quoted_list(std::span<const std::string> values);

/// `; did you mean "name"?` for the name nearest to `typed`, or nothing when none is near.
std::string did_you_mean(std::string_view typed, std::span<const std::string> names);

/// Whether a text that another library made of an exception is about memory.
bool tells_of_memory(std::string_view text);

/// The first line of a text that another library wrote, which may quote a damaged file: escaped as above.
std::string first_line(std::string_view text);

}  // namespace grouplink::io
