#pragma once

#include <grouplink/export.hpp>
#include <grouplink/job.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace grouplink {

/// The nearest rows of each query, `k` of each, nearest first and equal ones by row.
struct NearestRows {
    std::int64_t k = 0;
    std::vector<std::int64_t> targets;  ///< of query i: [i * k, (i + 1) * k)
    /// Canonical ones, at the same places: those that links of the same rows would have; minus the inner
    /// product under dot.
    std::vector<float> distances;
};

/// The `n_nearest` rows of `base` that are nearest to each row of `queries`, fewer where there are fewer:
/// what links of queries that are no rows of the base would be. Exact: every pair goes through the canonical
/// scoring, which suits queries that are few beside the base. Of the options metric, n_nearest and threads
/// count.
///
/// `own` has one row of the base for each query that is not to be found, -1 for none, or is empty; if it
/// names any, there are at most min(n_nearest, rows of the base - 1) nearest rows.
///
/// Throws Error: invalid_options; bad_input (dimensions or element types that differ, or any row that could
/// not be linked); cancelled.
GROUPLINK_EXPORT NearestRows find_nearest(const MatrixView& queries, const MatrixView& base,
                                          const LinkOptions& options = {},
                                          std::span<const std::int64_t> own = {},
                                          const JobControl& control = {});

}  // namespace grouplink
