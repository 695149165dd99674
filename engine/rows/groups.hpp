#pragma once

#include <grouplink/groups.hpp>
#include <grouplink/report.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace grouplink {

/// The rows of each group, CSR-like: those of group g are rows[offsets[g] .. offsets[g + 1]),
/// ascending.
struct RowsByGroup {
    std::vector<std::int64_t> offsets;  ///< groups + 1
    std::vector<std::int64_t> rows;

    std::span<const std::int64_t> group(std::int32_t g) const {
        const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(g)]);
        const auto last = static_cast<std::size_t>(offsets[static_cast<std::size_t>(g) + 1]);
        return std::span(rows).subspan(first, last - first);
    }
};

/// Sorts rows into their groups, in time O(rows + groups); only those whose `status` is ok, or all
/// with a group when `status` is empty.
RowsByGroup rows_by_group(const GroupColumn& groups, std::span<const RowStatus> status = {});

}  // namespace grouplink
