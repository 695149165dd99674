#include "knn/narrow.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace grouplink::knn {
namespace {

/// A tile of codes saves what the float32 scores of one pair in so many take.
constexpr std::size_t pairs_a_hit = 12;

}  // namespace

NarrowFilter::NarrowFilter(std::size_t rows, std::int64_t blocks, std::size_t dim,
                           const kernels::Table& kernel)
    : kernel_(&kernel),
      dim_(dim),
      codes_(rows, dim),
      offsets_(rows),
      first_shifts_(static_cast<std::size_t>(blocks), 1) {}

/// The kernel's bound holds for the float32 rows but for what it rounds off itself, at most 2^-21 of the
/// magnitudes that it adds up. With lengths |a| and |b| these are a score and its error, together at most
/// 3 |a| |b| as no error is longer than its row, and two offsets of at most |a|^2 / 2 and |b|^2 / 2: so at
/// most 2^-20 (|a|^2 + |b|^2) for all, and each row's part comes off its offset.
void NarrowFilter::set(std::size_t i, const float* row, float offset) {
    codes_.set(i, row, *kernel_);
    const auto norm = static_cast<double>(codes_.norm(i));
    offsets_[i] = std::nextafter(static_cast<float>(static_cast<double>(offset) - 0x1p-20 * norm * norm),
                                 -std::numeric_limits<float>::infinity());
}

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
    const std::size_t count = kernel_->s8_collect(codes_.from(a), na, {offsets_.data() + a, thresholds},
                                                  codes_.from(b), nb, {offsets_.data() + b, thresholds + na},
                                                  dim_, false, most, packed.data(), pairs.data());
    if (count > most) {
        // Pairs come by panels of columns: the last one says how far it went.
        const auto columns = static_cast<double>((pairs[count - 1] & 0xffffU) + 1);
        return std::min(0.5, columns / static_cast<double>(nb));
    }
    pairs.resize(count);
    return 1.0;
}

}  // namespace grouplink::knn
