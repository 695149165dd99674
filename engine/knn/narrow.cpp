#include "knn/narrow.hpp"

#include "knn/aligned.hpp"

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

ClosePairs find_close_pairs(const kernels::Table& kernel, const kernels::NarrowRows& a, std::size_t na,
                            const kernels::NarrowLimits& limits_a, const kernels::NarrowRows& b,
                            std::size_t nb, const kernels::NarrowLimits& limits_b, std::size_t dim,
                            std::vector<std::uint32_t>& packed, std::vector<std::uint32_t>& found) {
    const std::size_t most = na * nb / pairs_a_hit;
    make_room(packed, kernels::narrow_packed_words(nb, dim));
    make_room(found, most + kernels::narrow_pairs_beyond);
    const std::size_t count =
        kernel.s8_collect(a, na, limits_a, b, nb, limits_b, dim, false, most, packed.data(), found.data());
    if (count <= most) return {.pairs = std::span(found).first(count), .share = 1.0};
    // Pairs come by panels of columns: the last one says how far it went.
    const auto columns = static_cast<double>((found[count - 1] & 0xffffU) + 1);
    return {.pairs = {}, .share = std::min(0.5, columns / static_cast<double>(nb))};
}

ClosePairs NarrowFilter::find(std::size_t a, std::size_t na, std::size_t b, std::size_t nb,
                              const float* thresholds, std::vector<std::uint32_t>& packed,
                              std::vector<std::uint32_t>& found) const {
    return find_close_pairs(*kernel_, codes_->from(a), na, {offsets_ + a, thresholds}, codes_->from(b), nb,
                            {offsets_ + b, thresholds + na}, dim_, packed, found);
}

}  // namespace grouplink::knn
