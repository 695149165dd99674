#pragma once

#include <bit>
#include <cstdint>

namespace grouplink {

/// A float's bits such that their order is that of the values; -0 and +0 differ. Not for NaN.
constexpr std::uint32_t ordered_bits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}

constexpr float from_ordered_bits(std::uint32_t ordered) {
    return std::bit_cast<float>(ordered & 0x80000000U ? ordered & 0x7fffffffU : ~ordered);
}

}  // namespace grouplink
