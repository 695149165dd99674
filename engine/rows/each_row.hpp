#pragma once

#include "parallel/workers.hpp"
#include "rows/groups.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace grouplink {

/// Calls visit(row, group, worker) for every row in a group, in parallel.
template <typename Visit>
void for_each_row(const RowsByGroup& grouped, int threads, const JobControl& control, std::string_view stage,
                  Visit visit) {
    // By position in `grouped`, so that the group is known without a look-up a row.
    constexpr std::int64_t block = 1 << 16;
    const auto& offsets = grouped.offsets;
    parallel::for_blocks(
        std::ssize(grouped.rows), block, threads, control, stage,
        [&](std::int64_t first, std::int64_t last, int worker) {
            auto g = static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), first) -
                                              offsets.begin() - 1);
            for (std::int64_t i = first; i < last; ++i) {
                while (i >= offsets[g + 1]) ++g;
                visit(static_cast<std::size_t>(grouped.rows[static_cast<std::size_t>(i)]), g, worker);
            }
        });
}

}  // namespace grouplink
