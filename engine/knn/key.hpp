#pragma once

#include "ordered_bits.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace grouplink::knn {

/// A float and a row in one integer whose order is that of (value, row), both ascending. Not for NaN.
using Key = std::uint64_t;

constexpr Key make_key(float value, std::uint32_t row) {
    return (static_cast<Key>(ordered_bits(value + 0.0F)) << 32) | row;  // -0 becomes +0
}

constexpr float key_value(Key key) { return from_ordered_bits(static_cast<std::uint32_t>(key >> 32)); }

constexpr std::uint32_t key_row(Key key) { return static_cast<std::uint32_t>(key); }

/// Sorts a few keys that are, most of them, in order already.
inline void sort_nearly_sorted(std::vector<Key>& keys) {
    for (std::size_t i = 1; i < keys.size(); ++i) {
        const Key key = keys[i];
        std::size_t to = i;
        // One that has far to go shows that they are not.
        constexpr std::size_t far = 16;
        for (; to > 0 && keys[to - 1] > key; --to) {
            if (i - to == far) {
                keys[to] = key;
                std::sort(keys.begin(), keys.end());
                return;
            }
            keys[to] = keys[to - 1];
        }
        keys[to] = key;
    }
}

}  // namespace grouplink::knn
