#pragma once

#include <grouplink/options.hpp>

#include "kernels/kernels.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace grouplink::knn {

/// Whether a group is worth its codes: where tiles are inner products, of more than a few components, and
/// most of them come after the first ones, which pass too much. The plan counts their memory on any machine.
bool wants_codes(Metric metric, std::int64_t rows, std::int64_t dim);
/// What a row's codes take.
std::int64_t code_bytes(std::int64_t dim);

/// The rows of a group once more as int8 codes: with them a fast bound of the score of each pair, never
/// below the true score. Pairs whose bound reaches no threshold need no float32 score.
class NarrowFilter {
public:
    NarrowFilter() = default;  ///< of no use
    /// Makes room for `rows` rows in `blocks` blocks; set() fills it. The kernels must have those of codes.
    NarrowFilter(std::size_t rows, std::int64_t blocks, std::size_t dim, const kernels::Table& kernel);

    bool in_use() const { return kernel_; }

    /// Takes row i, as it is searched, and its offset, see FlatIndex::offsets.
    void set(std::size_t i, const float* row, float offset);

    /// Whether two blocks that are `shift` apart are worth a try: thresholds rise as shifts go by, and
    /// until then the filter passes too much. No two threads may hold the same block in this and wait().
    bool worth(std::int64_t block_a, std::int64_t block_b, std::int64_t shift) const;
    /// Says that too much passed.
    void wait(std::int64_t block_a, std::int64_t block_b, std::int64_t shift);

    /// Finds the pairs (i, j) of the `na` rows from a and the `nb` rows from b, each i << 16 | j, that may
    /// reach thresholds[i] or thresholds[na + j]. Returns false when they are more than pays.
    bool find(std::size_t a, std::size_t na, std::size_t b, std::size_t nb, const float* thresholds,
              std::vector<std::uint32_t>& packed, std::vector<std::uint32_t>& pairs) const;

private:
    kernels::NarrowRows from(std::size_t row) const;

    const kernels::Table* kernel_ = nullptr;
    std::size_t dim_ = 0;
    std::unique_ptr<std::int8_t[]> codes_;
    std::vector<float> scales_;
    std::vector<std::int32_t> sums_;
    std::vector<float> errors_;
    std::vector<float> norms_;
    std::vector<float> offsets_;
    std::vector<std::int64_t> first_shifts_;  ///< of each block: not worth a try before that
};

}  // namespace grouplink::knn
