#pragma once

#include "kernels/kernels.hpp"
#include "knn/row_codes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// Pairs (i, j) of a tile, each i << 16 | j.
struct ClosePairs {
    std::span<std::uint32_t> pairs;  ///< all that may reach a threshold, where the share is 1
    double share;                    ///< of the tile that was looked at, about; at most 1/2 where not all was
};

/// Finds the pairs of the `na` rows of a and the `nb` rows of b that may reach the threshold of either; gives
/// up when they are more than pays. `packed` and `found` are scratch; the pairs lie in the latter.
ClosePairs find_close_pairs(const kernels::Table& kernel, const kernels::NarrowRows& a, std::size_t na,
                            const kernels::NarrowLimits& limits_a, const kernels::NarrowRows& b,
                            std::size_t nb, const kernels::NarrowLimits& limits_b, std::size_t dim,
                            std::vector<std::uint32_t>& packed, std::vector<std::uint32_t>& found);

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
    /// Says that it was not: find() looked at that share.
    void wait(std::int64_t block_a, std::int64_t block_b, std::int64_t shift, double share);

    /// find_close_pairs() of the `na` rows from a, whose thresholds are thresholds[i], and the `nb` rows from
    /// b, whose are thresholds[na + j].
    ClosePairs find(std::size_t a, std::size_t na, std::size_t b, std::size_t nb, const float* thresholds,
                    std::vector<std::uint32_t>& packed, std::vector<std::uint32_t>& found) const;

private:
    const kernels::Table* kernel_ = nullptr;
    const RowCodes* codes_ = nullptr;
    const float* offsets_ = nullptr;
    std::size_t dim_ = 0;
    std::vector<std::int64_t> first_shifts_;  ///< of each block: not worth a try before that
};

}  // namespace grouplink::knn
