#include "knn/gather.hpp"

#include "kernels/gemm.hpp"
#include "knn/large_pages.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace grouplink::knn {
namespace {

constexpr double unit_roundoff = 0x1p-24;

faiss::MetricType faiss_metric(Metric metric) {
    switch (searched_as(metric)) {
        case Metric::euclidean: return faiss::METRIC_L2;
        case Metric::manhattan: return faiss::METRIC_L1;
        default: return faiss::METRIC_INNER_PRODUCT;
    }
}

}  // namespace

FlatIndex::FlatIndex(std::size_t rows, std::size_t dim, Metric metric, Frame frame,
                     const kernels::Table& kernel, bool codes)
    : metric_(metric), kernel_(&kernel), dim_(dim), frame_(std::move(frame)), offsets_(rows, 0.0F) {
    // The rows are written in place: FAISS's add() would need them in a second array first.
    if (metric_ == Metric::hamming) {
        words_ = (dim + 63) / 64;
        binary_ = faiss::IndexBinaryFlat(static_cast<std::int64_t>(words_ * 64));
        binary_.xb.resize(rows * words_ * sizeof(std::uint64_t));
        binary_.ntotal = static_cast<std::int64_t>(rows);
    } else if (codes && kernel.s16_tile && metric_ != Metric::manhattan && dim <= kernels::most_narrow_dim) {
        codes_ = RowCodes(rows, dim, true);
    } else {
        index_ = faiss::IndexFlat(static_cast<std::int64_t>(dim), faiss_metric(metric_));
        resize_on_large_pages(index_.codes, rows * dim * sizeof(float));
        index_.ntotal = static_cast<std::int64_t>(rows);
    }
}

void FlatIndex::set(std::size_t i, const double* loaded, std::vector<float>& placed) {
    if (metric_ == Metric::hamming) {
        for (std::size_t w = 0; w < words_; ++w) {
            std::uint64_t word = 0;
            const std::size_t last = std::min(dim_, (w + 1) * 64);
            for (std::size_t c = w * 64; c < last; ++c) {
                word |= static_cast<std::uint64_t>(loaded[c] != 0.0) << (c - w * 64);
            }
            std::memcpy(binary_.xb.data() + (i * words_ + w) * sizeof word, &word, sizeof word);
        }
        return;
    }
    const bool coded = codes_.in_use();
    if (coded) make_room(placed, dim_);
    float* row = coded ? placed.data() : index_.get_xb() + i * dim_;
    const RowLength length = place_row(frame_, metric_, dim_, loaded, row);
    if (coded) codes_.set(i, row, *kernel_);
    const double half_squares = searched_as(metric_) == Metric::euclidean ? length.squares / 2 : 0.0;
    const double slack = coded ? coded_slack_of(i) : slack_of(length);
    offsets_[i] =
        std::nextafter(static_cast<float>(half_squares - slack), -std::numeric_limits<float>::infinity());
}

void FlatIndex::forget_rows() {
    index_ = {};
    binary_ = {};
    codes_ = {};
    offsets_ = {};
}

void FlatIndex::score_tile(std::size_t a, std::size_t na, std::size_t b, std::size_t nb,
                           Scratch& scratch) const {
    make_room(scratch.scores, na * nb);
    float* scores = scratch.scores.data();
    if (codes_.in_use()) {
        make_room(scratch.packed_codes, 2 * kernels::narrow_packed_words(nb, dim_));
        kernel_->s16_tile(codes_.fine_from(a), na, codes_.fine_from(b), nb, dim_, a == b,
                          scratch.packed_codes.data(), scores);
    } else if (metric_ == Metric::hamming) {
        kernel_->hamming_tile(words(a), na, words(b), nb, words_, scores);
    } else if (metric_ == Metric::manhattan) {
        kernel_->l1_tile(rows() + a * dim_, na, rows() + b * dim_, nb, dim_, scores);
    } else if (a == b) {
        kernels::inner_products_of_pairs(*kernel_, rows() + a * dim_, na, dim_, scratch.packed, scores);
    } else {
        kernels::inner_products(*kernel_, rows() + a * dim_, na, rows() + b * dim_, nb, dim_, scratch.packed,
                                scores);
    }
}

FlatIndex::Selection FlatIndex::select(std::span<const std::uint32_t> rows) const {
    Selection selected;
    select(rows, selected);
    return selected;
}

void FlatIndex::select(std::span<const std::uint32_t> rows, Selection& selected) const {
    selected.count = rows.size();
    selected.offsets.resize(rows.size());
    if (codes_.in_use()) {
        if (selected.codes.size() < rows.size()) selected.codes = RowCodes(rows.size(), dim_, true);
    } else {
        selected.words.resize(rows.size() * words_);
        selected.floats.resize(words_ > 0 ? 0 : rows.size() * dim_);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        selected.offsets[i] = offsets_[rows[i]];
        if (codes_.in_use()) {
            selected.codes.copy(i, codes_, rows[i]);
        } else if (metric_ == Metric::hamming) {
            std::copy_n(words(rows[i]), words_, selected.words.data() + i * words_);
        } else {
            std::copy_n(this->rows() + rows[i] * dim_, dim_, selected.floats.data() + i * dim_);
        }
    }
}

void FlatIndex::score_rows(const Selection& selected, std::size_t b, std::size_t nb, Scratch& scratch) const {
    const std::size_t na = selected.count;
    make_room(scratch.scores, na * nb);
    float* scores = scratch.scores.data();
    if (codes_.in_use()) {
        make_room(scratch.packed_codes, 2 * kernels::narrow_packed_words(nb, dim_));
        kernel_->s16_tile(selected.codes.fine_from(0), na, codes_.fine_from(b), nb, dim_, false,
                          scratch.packed_codes.data(), scores);
    } else if (metric_ == Metric::hamming) {
        kernel_->hamming_tile(selected.words.data(), na, words(b), nb, words_, scores);
    } else if (metric_ == Metric::manhattan) {
        kernel_->l1_tile(selected.floats.data(), na, rows() + b * dim_, nb, dim_, scores);
    } else {
        kernels::inner_products(*kernel_, selected.floats.data(), na, rows() + b * dim_, nb, dim_,
                                scratch.packed, scores);
    }
}

/// A row's part in how far a score may fall short of the true one, that is, of the score of the rows
/// before they became float32, at their canonical distance. With u = 2^-24 and n = dim, to first order:
///
/// - The rows: each component is rounded once, which moves an inner product by 2u |a| |b| and half a
///   squared distance by u (|a| + |b|)^2, either at most 2u (|a|^2 + |b|^2).
/// - The tile: an inner product of n terms, in any order and fused or not, is off by at most
///   g |a| |b| <= g/2 (|a|^2 + |b|^2), with g = nu / (1 - nu) (Higham, Accuracy and Stability of Numerical
///   Algorithms, 2nd ed., 3.1). Minus an L1 distance, by g (|a| + |b|) in L1 lengths.
/// - The two offsets: no number that they meet is above |a|^2 + |b|^2, so 2u (|a|^2 + |b|^2) for both
///   subtractions. They themselves are rounded down, which is the safe side.
/// - The canonical scoring is in doubles: n 2^-52 of the score, but under angular n 2^-52 of 1 where the
///   squared distance is above 1e-4, see RowScorer; that is less than (n + 4)u / 8192 of
///   |a|^2 + |b|^2. Below that it sees the very unit vectors that are placed here.
///
/// So there is a bound that is one term of each row, half of n (1 + 1/1024) + 16 roundings of its squared
/// length or, under manhattan, so many of its L1 length. What underflows is below 2^-149 a term.
double FlatIndex::slack_of(const RowLength& length) const {
    constexpr double underflow = 1e-30;
    const double roundings = (static_cast<double>(dim_) * (1.0 + 0x1p-10) + 16.0) * unit_roundoff;
    const double relative = roundings / (1.0 - std::min(roundings, 0.5));
    return relative * (metric_ == Metric::manhattan ? length.magnitudes : length.squares / 2) + underflow;
}

/// The same of codes. The rows and the canonical scoring are as above. Of the tile, the bound is one of
/// doubles, rounded up, and holds whatever the codes leave out; two such bounds and offsets that meet are at
/// most 2 (|a|^2 + |b|^2), so 4u (|a|^2 + |b|^2) for both subtractions. The bound of first bytes alone, see
/// kernels::Table::s8_collect, rounds off at most 2^-21 of the magnitudes that it adds up: a score and its
/// error, at most 3 |a| |b| as no error is longer than its row, and the offsets; so 16u (|a|^2 + |b|^2).
double FlatIndex::coded_slack_of(std::size_t i) const {
    constexpr double underflow = 1e-30;
    const double roundings = (static_cast<double>(dim_) * 0x1p-10 + 48.0) * unit_roundoff;
    const auto norm = static_cast<double>(codes_.norm(i));
    return roundings * norm * norm / 2 + underflow;
}

double FlatIndex::least_distance(double score) const {
    switch (metric_) {
        case Metric::angular:
        case Metric::euclidean: return std::sqrt(std::max(0.0, -2.0 * score)) / frame_.scale;
        case Metric::manhattan: return std::max(0.0, -score) / frame_.scale;
        case Metric::hamming: return -score;
        case Metric::dot: return -score / frame_.scale / frame_.scale;
    }
    return 0.0;
}

double FlatIndex::score_at(double distance) const {
    const double scaled = distance * frame_.scale;
    switch (metric_) {
        case Metric::angular:
        case Metric::euclidean: return -scaled * scaled / 2;
        case Metric::manhattan:
        case Metric::hamming: return -scaled;
        case Metric::dot: return -scaled * frame_.scale;
    }
    return 0.0;
}

}  // namespace grouplink::knn
