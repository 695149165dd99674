#pragma once

#include <grouplink/report.hpp>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace grouplink {

// Quantities and row statuses in words for people. A header alone: the report page and the command both use
// it, and the command sees nothing of the library but its public symbols.

/// "1,764,885".
inline std::string count_text(std::int64_t number) {
    std::string digits = fmt::format("{}", number);
    const std::size_t first = number < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

/// "1 row", "2,000 rows".
inline std::string plural(std::int64_t number, std::string_view noun) {
    return fmt::format("{} {}{}", count_text(number), noun, number == 1 ? "" : "s");
}

/// "312 MiB", "1.4 GiB", "96 B".
inline std::string bytes_text(std::int64_t bytes) {
    constexpr std::array<std::string_view, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    // 1023.5 would be printed as 1024.
    for (; amount >= 1023.5 && unit + 1 < units.size(); ++unit) amount /= 1024.0;
    const bool fraction = unit > 0 && amount < 9.95;
    return fraction ? fmt::format("{:.1f} {}", amount, units[unit])
                    : fmt::format("{:.0f} {}", amount, units[unit]);
}

/// What became of a row of this status, or what is wrong with it.
inline std::string_view meaning(RowStatus status) {
    switch (status) {
        case RowStatus::ok: return "took part";
        case RowStatus::null_group: return "the group is null or empty";
        case RowStatus::null_embedding: return "there is no vector";
        case RowStatus::wrong_dim: return "the vector is not of its group's dimension";
        case RowStatus::non_finite: return "the vector holds a NaN or an infinity";
        case RowStatus::zero_norm: return "the vector is all zeros, which has no angle";
    }
    return "";
}

}  // namespace grouplink
