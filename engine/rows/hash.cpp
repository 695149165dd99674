#include "rows/hash.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace grouplink {
namespace {

// Odd, of splitmix64.
constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;
constexpr std::uint64_t last_factor = 0xbf58476d1ce4e5b9;

/// The high half of the product takes in what the low half misses of the high bits, and the other way round.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Product = unsigned __int128;
    const Product product = static_cast<Product>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t hash_bytes(std::string_view bytes) {
    // Four lanes, for their products to overlap.
    constexpr std::size_t lanes = 4;
    std::uint64_t lane[lanes] = {1, 2, 3, 4};
    std::size_t at = 0;
    for (; at + lanes * 8 <= bytes.size(); at += lanes * 8) {
        std::uint64_t words[lanes];
        std::memcpy(words, bytes.data() + at, sizeof words);
        for (std::size_t l = 0; l < lanes; ++l) lane[l] = fold(lane[l] ^ words[l], factor + l * 2);
    }
    for (std::size_t l = 0; at < bytes.size(); at += 8, ++l) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
        lane[l] = fold(lane[l] ^ word, last_factor);
    }
    std::uint64_t hash = bytes.size();
    for (const std::uint64_t part : lane) hash = fold(hash ^ part, last_factor);
    return hash;
}

std::uint64_t hash_pair(std::uint64_t a, std::uint64_t b) {
    return fold(fold(a ^ last_factor, factor) ^ b, last_factor);
}

}  // namespace grouplink
