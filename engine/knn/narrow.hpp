#pragma once

#include "kernels/kernels.hpp"
#include "knn/row_codes.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace grouplink::knn {

/// With the codes of a group's rows a fast bound of the score of each pair, never below the true score. Pairs
/// whose bound reaches no threshold need no closer one.
class NarrowFilter {
public:
    NarrowFilter() = default;  ///< of no use
    /// Of rows in `blocks` blocks, and the offsets that FlatIndex has. All must outlive the filter.
    NarrowFilter(const RowCodes& codes, const float* offsets, std::int64_t blocks, std::size_t dim,
                 const kernels::Table& kernel);

    bool in_use() const { return kernel_; }

    /// Whether a tile of two blocks that are `shift` apart is worth a try: thresholds rise as shifts go by,
    /// and until then too much passes. A block is one thread's at a time, in this and in wait().
    bool worth(std::int64_t block_a, std::int64_t block_b, std::int64_t shift) const;
    /// Says that it was not: find() returned `share`.
    void wait(std::int64_t block_a, std::int64_t block_b, std::int64_t shift, double share);

    /// Finds the pairs (i, j) of the `na` rows from a and the `nb` rows from b, each i << 16 | j, that may
    /// reach thresholds[i] or thresholds[na + j]. Returns 1; or, when they are more than pays, about the
    /// share of the tile that they were found in, at most 1/2, and `pairs` is of no use.
    double find(std::size_t a, std::size_t na, std::size_t b, std::size_t nb, const float* thresholds,
                std::vector<std::uint32_t>& packed, std::vector<std::uint32_t>& pairs) const;

private:
    const kernels::Table* kernel_ = nullptr;
    const RowCodes* codes_ = nullptr;
    const float* offsets_ = nullptr;
    std::size_t dim_ = 0;
    std::vector<std::int64_t> first_shifts_;  ///< of each block: not worth a try before that
};

}  // namespace grouplink::knn
