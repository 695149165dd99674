#pragma once

#include <cstdint>
#include <string_view>

namespace grouplink {

/// A hash of bytes, at the speed of memory and the same on every machine. Good against chance, not against
/// malice.
std::uint64_t hash_bytes(std::string_view bytes);

/// A hash of two: what a row of hashes comes to, one by one.
std::uint64_t hash_pair(std::uint64_t a, std::uint64_t b);

}  // namespace grouplink
