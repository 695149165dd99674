#include "knn/group.hpp"
#include "knn/key.hpp"

#include <algorithm>

namespace grouplink::knn {

void search_direct(const GroupJob& job, Scratch& scratch) {
    const std::size_t rows = job.rows.size();
    const std::size_t n = kernels::padded(job.dim);
    scratch.x.resize(rows * n);
    for (std::size_t i = 0; i < rows; ++i) job.scorer.load(job.rows[i], scratch.x.data() + i * n);

    // keys[i * rows + j]: how far j is from i; a row's own place stays out of reach.
    scratch.keys.assign(rows * rows, ~Key{0});
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = i + 1; j < rows; ++j) {
            const float distance = job.scorer.distance(scratch.x.data() + i * n, scratch.x.data() + j * n, n);
            scratch.keys[i * rows + j] = make_key(distance, static_cast<std::uint32_t>(j));
            scratch.keys[j * rows + i] = make_key(distance, static_cast<std::uint32_t>(i));
        }
    }
    scratch.counters.scored_pairs += static_cast<std::int64_t>(rows * (rows - 1) / 2);

    for (std::size_t i = 0; i < rows; ++i) {
        Key* keys = scratch.keys.data() + i * rows;
        std::nth_element(keys, keys + job.k - 1, keys + rows);
        std::sort(keys, keys + job.k);
        std::int64_t* targets = job.targets(i);
        float* distances = job.distances(i);
        for (std::size_t m = 0; m < job.k; ++m) {
            targets[m] = job.rows[key_row(keys[m])];
            distances[m] = key_value(keys[m]);
        }
    }
}

}  // namespace grouplink::knn
