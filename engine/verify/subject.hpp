#pragma once

#include <grouplink/csr.hpp>
#include <grouplink/options.hpp>
#include <grouplink/verify.hpp>

#include "knn/score.hpp"
#include "rows/check.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace grouplink::verify {

/// Scores within this of one another count as equal, relative to scores above 1: what float32 tells
/// apart.
inline constexpr double tolerance = 1e-6;

inline double slack(double score) { return tolerance * (score > 1.0 ? score : score < -1.0 ? -score : 1.0); }

/// Links, and what they are checked against.
struct Subject {
    const MatrixView& vectors;
    const GroupColumn& groups;
    const CsrGraph& links;
    const RowCheck& rows;
    const LinkOptions& options;
    const knn::RowScorer& scorer;

    std::int32_t group_of(std::int64_t row) const { return groups.codes[static_cast<std::size_t>(row)]; }
    RowStatus status_of(std::int64_t row) const { return rows.status[static_cast<std::size_t>(row)]; }
    std::int64_t dim_of(std::int32_t group) const { return rows.group_dim[static_cast<std::size_t>(group)]; }
    bool in_range(std::int64_t target) const { return target >= 0 && target < vectors.rows; }

    /// Whether such a link could be, so that it has a score.
    bool has_score(std::int64_t row, std::int64_t target) const {
        return in_range(target) && row != target && status_of(row) == RowStatus::ok &&
               status_of(target) == RowStatus::ok && group_of(row) == group_of(target);
    }

    // The offsets must be sound.
    std::size_t first(std::int64_t row) const {
        return static_cast<std::size_t>(links.offsets[static_cast<std::size_t>(row)]);
    }
    std::size_t count(std::int64_t row) const { return first(row + 1) - first(row); }
    std::span<const std::int64_t> targets(std::int64_t row) const {
        return std::span(links.targets).subspan(first(row), count(row));
    }
};

}  // namespace grouplink::verify
