#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

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

/// [0, count).
inline std::vector<std::uint32_t> all_rows(std::size_t count) {
    std::vector<std::uint32_t> rows(count);
    std::iota(rows.begin(), rows.end(), 0U);
    return rows;
}

/// A sample of at most `count` rows without replacement, ascending: those whose hashes with the salt are
/// least. `count` and the rows are not none.
inline std::vector<std::uint32_t> draw_rows(std::span<const std::uint32_t> rows, std::size_t count,
                                            std::uint64_t salt) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> lots;
    lots.reserve(rows.size());
    for (const std::uint32_t row : rows) lots.emplace_back(mix(salt ^ mix(row)), row);
    count = std::min(count, rows.size());
    std::nth_element(lots.begin(), lots.begin() + static_cast<std::ptrdiff_t>(count) - 1, lots.end());
    std::vector<std::uint32_t> drawn;
    for (std::size_t i = 0; i < count; ++i) drawn.push_back(lots[i].second);
    std::sort(drawn.begin(), drawn.end());
    return drawn;
}

}  // namespace grouplink::knn
