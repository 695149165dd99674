#pragma once

#include <grouplink/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace grouplink {

/// Writes what stands for a missing component: a vector that has one cannot be linked, and as NaN it is
/// reported as not finite. int8 has none: nothing is written.
inline void write_nan(std::byte* place, ElementType type) {
    constexpr std::uint16_t half = 0x7E00;
    constexpr float single = std::numeric_limits<float>::quiet_NaN();
    constexpr double wide = std::numeric_limits<double>::quiet_NaN();
    switch (type) {
        case ElementType::float16: std::memcpy(place, &half, sizeof half); break;
        case ElementType::float32: std::memcpy(place, &single, sizeof single); break;
        case ElementType::float64: std::memcpy(place, &wide, sizeof wide); break;
        case ElementType::int8: break;
    }
}

}  // namespace grouplink
