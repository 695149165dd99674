#pragma once

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

struct KnnCounters {
    std::int64_t duplicate_rows = 0;   ///< see Report
    std::int64_t scored_pairs = 0;     ///< see Report
    std::int64_t researched_rows = 0;  ///< see Report

    KnnCounters& operator+=(const KnnCounters& other) {
        duplicate_rows += other.duplicate_rows;
        scored_pairs += other.scored_pairs;
        researched_rows += other.researched_rows;
        return *this;
    }
};

struct KnnResult {
    Neighbors neighbors;
    KnnCounters counters;
    std::vector<std::optional<SearchReport>> searches;  ///< of the plan's groups: how approximate ones went
    std::vector<WorkerReport> workers;
};

/// Room for the neighbors of the rows that a plan searches, laid out by row.
Neighbors room_for_neighbors(const RowsByGroup& grouped, const Plan& plan, std::int64_t rows,
                             std::int64_t n_nearest);

/// Finds min(n_nearest, rows of the group - 1) neighbors of every row in `grouped`, whose groups have these
/// keys, following `plan`: of those rows that are its queries.
KnnResult find_neighbors(const MatrixView& vectors, const RowsByGroup& grouped,
                         std::span<const std::string> keys, const Plan& plan, const LinkOptions& options,
                         int threads, const JobControl& control);

/// Of the library that searches: "1.7.3".
std::string faiss_version();

}  // namespace grouplink
