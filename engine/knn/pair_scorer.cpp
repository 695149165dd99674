#include "knn/pair_scorer.hpp"

#include "kernels/gemm.hpp"

#include <algorithm>

namespace grouplink::knn {

PairScorer::Copies PairScorer::copy(std::span<const std::uint32_t> rows) const {
    constexpr std::size_t ahead = 4;  // rows lie anywhere in memory: ask for them in time
    constexpr std::size_t line = 64;
    const bool narrow = codes().in_use();
    const std::size_t bytes = narrow ? kernels::narrow_padded(dim_) : dim_ * sizeof(float);
    Copies copies;
    copies.offsets.resize(rows.size());
    if (narrow) {
        copies.codes = RowCodes(rows.size(), dim_, false);
    } else {
        copies.floats.resize(rows.size() * dim_);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i + ahead < rows.size()) {
            const std::uint32_t next = rows[i + ahead];
            const auto* from = narrow ? reinterpret_cast<const char*>(codes().codes(next))
                                      : reinterpret_cast<const char*>(floats(next));
            for (std::size_t at = 0; at < bytes; at += line) __builtin_prefetch(from + at);
        }
        copies.offsets[i] = index_->offsets()[rows[i]];
        if (narrow) {
            copies.codes.copy(i, codes(), rows[i]);
        } else {
            std::copy_n(floats(rows[i]), dim_, copies.floats.data() + i * dim_);
        }
    }
    return copies;
}

PairScorer::Rows PairScorer::rows_from(std::size_t row) const {
    if (codes().in_use()) return {.codes = codes().from(row), .offsets = index_->offsets() + row};
    return {.floats = floats(row), .offsets = index_->offsets() + row};
}

PairScorer::Rows PairScorer::rows_from(const Copies& copies, std::size_t i) const {
    if (codes().in_use()) return {.codes = copies.codes.from(i), .offsets = copies.offsets.data() + i};
    return {.floats = copies.floats.data() + i * dim_, .offsets = copies.offsets.data() + i};
}

void PairScorer::tile(const Rows& a, std::size_t na, const Rows& b, std::size_t nb, bool upper,
                      Scratch& scratch) const {
    make_room(scratch.scores, na * nb);
    if (codes().in_use()) {
        make_room(scratch.packed_codes, kernels::narrow_packed_words(nb, dim_));
        kernel_->s8_tile(a.codes, na, b.codes, nb, dim_, upper, scratch.packed_codes.data(),
                         scratch.scores.data());
    } else if (upper) {
        kernels::inner_products_of_pairs(*kernel_, a.floats, na, dim_, scratch.packed, scratch.scores.data());
    } else {
        kernels::inner_products(*kernel_, a.floats, na, b.floats, nb, dim_, scratch.packed,
                                scratch.scores.data());
    }
}

void PairScorer::score(std::uint32_t row, std::span<const std::uint32_t> others, float* scores) const {
    const float* offsets = index_->offsets();
    if (codes().in_use()) {
        const kernels::NarrowRows one = codes().from(row);
        kernel_->dot_s8(one.codes, *one.scales, *one.sums, codes().from(0), others.data(), others.size(),
                        dim_, scores);
    } else {
        constexpr std::size_t ahead = 6;  // rows lie anywhere in memory: ask for them in time
        constexpr std::size_t line = 16;
        const auto ask_for = [&](std::size_t m) {
            if (m >= others.size()) return;
            for (std::size_t c = 0; c < dim_; c += line) __builtin_prefetch(floats(others[m]) + c);
        };
        for (std::size_t m = 0; m < ahead; ++m) ask_for(m);
        for (std::size_t m = 0; m < others.size(); ++m) {
            ask_for(m + ahead);
            scores[m] = kernel_->dot_f32(floats(row), floats(others[m]), dim_);
        }
    }
    for (std::size_t m = 0; m < others.size(); ++m) scores[m] -= offsets[row] + offsets[others[m]];
}

}  // namespace grouplink::knn
