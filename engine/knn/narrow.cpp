#include "knn/narrow.hpp"

#include <algorithm>
#include <cmath>

namespace grouplink::knn {
namespace {

/// A tile of first bytes saves what the scores by both bytes of one pair in so many take.
constexpr std::size_t pairs_a_hit = 6;

}  // namespace

NarrowFilter::NarrowFilter(const RowCodes& codes, const float* offsets, std::int64_t blocks, std::size_t dim,
                           const kernels::Table& kernel)
    : kernel_(&kernel),
      codes_(&codes),
      offsets_(offsets),
      dim_(dim),
      first_shifts_(static_cast<std::size_t>(blocks), 1) {}

bool NarrowFilter::worth(std::int64_t block_a, std::int64_t block_b, std::int64_t shift) const {
    return kernel_ && shift >= first_shifts_[static_cast<std::size_t>(block_a)] &&
           shift >= first_shifts_[static_cast<std::size_t>(block_b)];
}

void NarrowFilter::wait(std::int64_t block_a, std::int64_t block_b, std::int64_t shift, double share) {
    // After so many times the shifts a row has met as many times the rows, and so much less passes.
    const std::int64_t next = std::lround(static_cast<double>(shift) / share);
    for (const std::int64_t block : {block_a, block_b}) {
        std::int64_t& first = first_shifts_[static_cast<std::size_t>(block)];
        first = std::max(first, next);
    }
}

double NarrowFilter::find(std::size_t a, std::size_t na, std::size_t b, std::size_t nb,
                          const float* thresholds, std::vector<std::uint32_t>& packed,
                          std::vector<std::uint32_t>& pairs) const {
    const std::size_t most = na * nb / pairs_a_hit;
    packed.resize(kernels::narrow_packed_words(nb, dim_));
    pairs.resize(most + kernels::narrow_pairs_beyond);
    const std::size_t count =
        kernel_->s8_collect(codes_->from(a), na, {offsets_ + a, thresholds}, codes_->from(b), nb,
                            {offsets_ + b, thresholds + na}, dim_, false, most, packed.data(), pairs.data());
    if (count > most) {
        // Pairs come by panels of columns: the last one says how far it went.
        const auto columns = static_cast<double>((pairs[count - 1] & 0xffffU) + 1);
        return std::min(0.5, columns / static_cast<double>(nb));
    }
    pairs.resize(count);
    return 1.0;
}

}  // namespace grouplink::knn
