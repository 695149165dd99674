#pragma once

#include <cstdint>
#include <random>
#include <string>

/// Cases made of a number alone, each held against something else that must agree.
namespace differential {

using Random = std::mt19937_64;

/// In [first, last].
inline std::int64_t between(Random& random, std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(last - first + 1));
}
inline bool one_in(Random& random, std::int64_t n) { return between(random, 1, n) == 1; }

/// Kernels of every instruction set against each other and against sums in long double. "" or what is wrong.
std::string check_kernels(Random& random);

/// A job against brute force, and against itself with other threads, shares and instruction sets. "" or what
/// is wrong.
std::string check_job(Random& random);

}  // namespace differential
