#include "knn/group.hpp"
#include "knn/key.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace grouplink::knn {
namespace {

/// Rows that are, byte by byte, an earlier one.
std::int64_t count_duplicates(const GroupJob& job, std::vector<std::uint64_t>& starts) {
    const MatrixView& vectors = job.scorer.vectors();
    const std::size_t bytes = job.dim * element_size(vectors.type);
    // Most pairs differ in their first bytes: these are compared where they lie side by side.
    starts.assign(job.rows.size(), 0);
    std::int64_t duplicates = 0;
    for (std::size_t j = 0; j < job.rows.size(); ++j) {
        const void* row = vectors.row(job.rows[j]);
        std::memcpy(&starts[j], row, std::min(bytes, sizeof starts[j]));
        for (std::size_t i = 0; i < j; ++i) {
            if (starts[i] != starts[j] || std::memcmp(vectors.row(job.rows[i]), row, bytes) != 0) continue;
            ++duplicates;
            break;
        }
    }
    return duplicates;
}

/// scratch.columns = the places of the k least of n distances, ascending, equal ones by place.
void nearest_places(const float* distances, std::size_t n, std::size_t k, const kernels::Table& kernel,
                    Scratch& scratch) {
    make_room(scratch.columns, n);
    std::uint32_t* places = scratch.columns.data();
    const std::size_t few = kernel.few_keys;
    if (n <= few) return kernel.rank_floats(distances, n, k, places);
    if (2 * k > few) {
        scratch.keys.resize(n);
        scratch.expanded.resize(k);
        for (std::size_t j = 0; j < n; ++j)
            scratch.keys[j] = make_key(distances[j], static_cast<std::uint32_t>(j));
        std::partial_sort_copy(scratch.keys.begin(), scratch.keys.end(), scratch.expanded.begin(),
                               scratch.expanded.end());
        for (std::size_t m = 0; m < k; ++m) places[m] = key_row(scratch.expanded[m]);
        return;
    }
    // Part by part: the k least so far, and those of the next part, whose places are higher.
    std::uint32_t order[kernels::most_few_keys];
    float values[kernels::most_few_keys];
    std::uint32_t from[kernels::most_few_keys];
    std::size_t kept = 0;
    for (std::size_t first = 0; first < n; first += few) {
        const std::size_t part = std::min(few, n - first);
        const std::size_t best = std::min(k, part);
        kernel.rank_floats(distances + first, part, best, order);
        for (std::size_t m = 0; m < best; ++m) {
            values[kept + m] = distances[first + order[m]];
            from[kept + m] = static_cast<std::uint32_t>(first) + order[m];
        }
        const std::size_t count = kept + best;
        kept = std::min(k, count);
        kernel.rank_floats(values, count, kept, order);
        float ranked[kernels::most_few_keys];
        for (std::size_t m = 0; m < kept; ++m) {
            ranked[m] = values[order[m]];
            places[m] = from[order[m]];
        }
        std::copy_n(ranked, kept, values);
        std::copy_n(places, kept, from);
    }
}

}  // namespace

void search_direct(const GroupJob& job, Scratch& scratch) {
    const std::size_t rows = job.rows.size();
    const std::size_t stride = RowScorer::loaded_size(job.dim);
    make_room(scratch.x, rows * stride);
    for (std::size_t i = 0; i < rows; ++i) job.scorer.load(job.rows[i], scratch.x.data() + i * stride);

    make_room(scratch.scores, rows * rows);
    float* distances = scratch.scores.data();
    job.scorer.all_distances(scratch.x.data(), rows, job.dim, scratch.y, distances);
    scratch.counters.scored_pairs += static_cast<std::int64_t>(rows * (rows - 1) / 2);
    scratch.counters.duplicate_rows += count_duplicates(job, scratch.keys);

    for (std::size_t i = 0; i < rows; ++i) {
        float* row = distances + i * rows;
        row[i] = std::numeric_limits<float>::infinity();  // out of reach
        nearest_places(row, rows, job.k, job.scorer.kernel(), scratch);
        std::int64_t* targets = job.targets(i);
        float* found = job.distances(i);
        for (std::size_t m = 0; m < job.k; ++m) {
            targets[m] = job.rows[scratch.columns[m]];
            found[m] = row[scratch.columns[m]];
        }
    }
}

}  // namespace grouplink::knn
