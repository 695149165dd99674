#pragma once

#include <bit>
#include <cstdint>

namespace grouplink::knn {

/// A float and a row in one integer whose order is that of (value, row), both ascending. Not for NaN.
using Key = std::uint64_t;

constexpr Key make_key(float value, std::uint32_t row) {
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);  // -0 becomes +0
    const std::uint32_t ordered = bits & 0x80000000U ? ~bits : bits | 0x80000000U;
    return (static_cast<Key>(ordered) << 32) | row;
}

constexpr float key_value(Key key) {
    const auto ordered = static_cast<std::uint32_t>(key >> 32);
    return std::bit_cast<float>(ordered & 0x80000000U ? ordered & 0x7fffffffU : ~ordered);
}

constexpr std::uint32_t key_row(Key key) { return static_cast<std::uint32_t>(key); }

}  // namespace grouplink::knn
