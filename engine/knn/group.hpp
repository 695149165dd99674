#pragma once

#include "knn/aligned.hpp"
#include "knn/knn.hpp"
#include "knn/score.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// One group to search, and where its neighbors go. Nobody else writes to these places.
struct GroupJob {
    const RowScorer& scorer;
    std::span<const std::int64_t> rows;  ///< of the input, ascending; all of one dimension
    std::size_t dim = 0;
    std::size_t k = 0;            ///< neighbors a row, at most rows.size() - 1
    std::size_t first_query = 0;  ///< of `rows`, those whose neighbors are wanted: [first_query, last_query)
    std::size_t last_query = 0;
    std::uint64_t seed = 0;  ///< what everything random derives from
    Neighbors& neighbors;
    SearchReport* report = nullptr;  ///< of an approximate group: where its report goes

    bool whole() const { return first_query == 0 && last_query == rows.size(); }
    bool wants(std::size_t local_row) const { return local_row >= first_query && local_row < last_query; }
    /// The place of a row whose neighbors are wanted.
    std::int64_t* targets(std::size_t local_row) const { return neighbors.targets.data() + first(local_row); }
    float* distances(std::size_t local_row) const { return neighbors.distances.data() + first(local_row); }

private:
    std::int64_t first(std::size_t local_row) const {
        return neighbors.offsets[static_cast<std::size_t>(rows[local_row])];
    }
};

/// Memory that a worker keeps from one unit to the next.
struct Scratch {
    AlignedVector<double> x;  ///< loaded rows
    AlignedVector<double> y;
    std::vector<float> scores;
    std::vector<float> gathered;
    std::vector<float> packed;
    std::vector<float> found;
    std::vector<float> thresholds;
    std::vector<float> unreachable;  ///< infinities
    std::vector<std::uint32_t> columns;
    std::vector<std::uint32_t> packed_codes;
    std::vector<std::uint32_t> pairs;
    std::vector<std::uint64_t> keys;
    std::vector<std::uint64_t> expanded;
    SearchCounts counters;
};

/// Searches a small group at once: every pair goes through the canonical scoring or, where that pays, those
/// that rough scores leave. Returns false where tiles are faster, as where rough scores leave too many of
/// rows that are all alike, and what is written then means nothing.
bool search_direct(const GroupJob& job, Scratch& scratch);

}  // namespace grouplink::knn
