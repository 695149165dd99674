#include "knn/group.hpp"
#include "knn/key.hpp"

#include <algorithm>

namespace grouplink::knn {

void search_direct(const GroupJob& job, Scratch& scratch) {
    const std::size_t rows = job.rows.size();
    const std::size_t stride = RowScorer::loaded_size(job.dim);
    scratch.x.resize(rows * stride);
    for (std::size_t i = 0; i < rows; ++i) job.scorer.load(job.rows[i], scratch.x.data() + i * stride);

    // keys[i * rows + j]: how far j is from i; a row's own place stays out of reach.
    scratch.keys.resize(rows * rows);
    scratch.found.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        const double* x = scratch.x.data() + i * stride;
        job.scorer.distances(x, x + stride, rows - i - 1, job.dim, scratch.found.data());
        scratch.keys[i * rows + i] = ~Key{0};
        for (std::size_t j = i + 1; j < rows; ++j) {
            const float distance = scratch.found[j - i - 1];
            scratch.keys[i * rows + j] = make_key(distance, static_cast<std::uint32_t>(j));
            scratch.keys[j * rows + i] = make_key(distance, static_cast<std::uint32_t>(i));
        }
    }
    scratch.counters.scored_pairs += static_cast<std::int64_t>(rows * (rows - 1) / 2);

    scratch.expanded.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        Key* keys = scratch.keys.data() + i * rows;
        if (rows <= job.scorer.kernel().few_keys) {
            job.scorer.kernel().rank_keys(keys, rows, scratch.expanded.data());
        } else {
            std::partial_sort_copy(keys, keys + rows, scratch.expanded.begin(),
                                   scratch.expanded.begin() + static_cast<std::ptrdiff_t>(job.k));
        }
        std::int64_t* targets = job.targets(i);
        float* distances = job.distances(i);
        for (std::size_t m = 0; m < job.k; ++m) {
            targets[m] = job.rows[key_row(scratch.expanded[m])];
            distances[m] = key_value(scratch.expanded[m]);
        }
    }
}

}  // namespace grouplink::knn
