#pragma once

#include <grouplink/checkpoint.hpp>
#include <grouplink/link.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>

#include "rows/groups.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace grouplink {

/// The nearest rows of each row, CSR-like, before any threshold. A row's neighbors stand by distance,
/// ascending, and equal distances by row. What is a distance here shrinks as rows get closer; under
/// Metric::dot it is minus the inner product.
struct Neighbors {
    std::vector<std::int64_t> offsets;  ///< rows + 1
    std::vector<std::int64_t> targets;
    std::vector<float> distances;
};

struct KnnResult {
    Neighbors neighbors;
    SearchCounts counters;
    std::vector<std::optional<SearchReport>> searches;  ///< of the plan's groups: how approximate ones went
    std::vector<WorkerReport> workers;
    std::optional<ResumeReport> resumed;  ///< where there are checkpoints to go on from
};

/// Room for the neighbors of the rows that a plan searches, laid out by row.
Neighbors room_for_neighbors(const RowsByGroup& grouped, const Plan& plan, std::int64_t rows,
                             std::int64_t n_nearest, int threads);

/// Finds min(n_nearest, rows of the group - 1) neighbors of every row in `grouped`, whose groups have these
/// keys, following `plan`: of those rows that are its queries. What checkpoints of `control` have is not
/// searched again.
KnnResult find_neighbors(const MatrixView& vectors, const RowsByGroup& grouped,
                         std::span<const std::string> keys, const Plan& plan, const LinkOptions& options,
                         int threads, const JobControl& control);

/// Of the library that searches: "1.7.3".
std::string faiss_version();

}  // namespace grouplink
