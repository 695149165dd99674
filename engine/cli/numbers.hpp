#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace grouplink::cli {

// Strict: the whole text is the number, in decimal, without blanks or a plus sign; nothing when it is
// not, or does not fit.

std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
/// Finite only.
std::optional<double> parse_real(std::string_view text);

/// Bytes: a number and a unit, kB to TB of a thousand each or KiB to TiB of 1024; "8G" is "8GiB", and a
/// number alone counts bytes. Blanks before the unit and the case of letters do not matter.
std::optional<std::int64_t> parse_bytes(std::string_view text);

}  // namespace grouplink::cli
