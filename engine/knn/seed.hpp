#pragma once

#include <cstdint>
#include <string_view>

namespace grouplink::knn {

/// Spreads the bits of a counter: the step of the generator splitmix64 (Steele, Lea and Flood, 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/// What everything random in a group derives from: the same on every machine.
constexpr std::uint64_t group_seed(std::uint64_t seed, std::string_view key) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
    for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return mix(mix(seed) ^ hash);
}

}  // namespace grouplink::knn
