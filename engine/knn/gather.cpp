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

FlatIndex::FlatIndex(std::size_t rows, std::size_t dim, Metric metric, Frame frame)
    : metric_(metric), dim_(dim), frame_(std::move(frame)), offsets_(rows, 0.0F) {
    // The rows are written in place: FAISS's add() would need them in a second array first.
    if (metric_ == Metric::hamming) {
        words_ = (dim + 63) / 64;
        binary_ = faiss::IndexBinaryFlat(static_cast<std::int64_t>(words_ * 64));
        binary_.xb.resize(rows * words_ * sizeof(std::uint64_t));
        binary_.ntotal = static_cast<std::int64_t>(rows);
    } else {
        index_ = faiss::IndexFlat(static_cast<std::int64_t>(dim), faiss_metric(metric_));
        resize_on_large_pages(index_.codes, rows * dim * sizeof(float));
        index_.ntotal = static_cast<std::int64_t>(rows);
    }
}

void FlatIndex::set(std::size_t i, const double* loaded) {
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
    const RowLength length = place_row(frame_, metric_, dim_, loaded, index_.get_xb() + i * dim_);
    const double half_squares = searched_as(metric_) == Metric::euclidean ? length.squares / 2 : 0.0;
    offsets_[i] = std::nextafter(static_cast<float>(half_squares - slack_of(length)),
                                 -std::numeric_limits<float>::infinity());
}

void FlatIndex::score_tile(std::size_t a, std::size_t na, std::size_t b, std::size_t nb,
                           const kernels::Table& kernel, std::vector<float>& packed, float* scores) const {
    if (metric_ == Metric::hamming) {
        const auto* words = reinterpret_cast<const std::uint64_t*>(binary_.xb.data());
        kernel.hamming_tile(words + a * words_, na, words + b * words_, nb, words_, scores);
        return;
    }
    const float* rows = index_.get_xb();
    if (metric_ == Metric::manhattan) {
        kernel.l1_tile(rows + a * dim_, na, rows + b * dim_, nb, dim_, scores);
    } else if (a == b) {
        kernels::inner_products_of_pairs(kernel, rows + a * dim_, na, dim_, packed, scores);
    } else {
        kernels::inner_products(kernel, rows + a * dim_, na, rows + b * dim_, nb, dim_, packed, scores);
    }
}

void FlatIndex::score_rows(std::span<const std::uint32_t> selected, std::size_t b, std::size_t nb,
                           const kernels::Table& kernel, std::vector<float>& gathered,
                           std::vector<float>& packed, float* scores) const {
    if (metric_ == Metric::hamming) {
        const auto* words = reinterpret_cast<const std::uint64_t*>(binary_.xb.data());
        for (std::size_t i = 0; i < selected.size(); ++i) {
            kernel.hamming_tile(words + selected[i] * words_, 1, words + b * words_, nb, words_,
                                scores + i * nb);
        }
        return;
    }
    gathered.resize(selected.size() * dim_);
    const float* rows = index_.get_xb();
    for (std::size_t i = 0; i < selected.size(); ++i) {
        std::copy_n(rows + selected[i] * dim_, dim_, gathered.data() + i * dim_);
    }
    if (metric_ == Metric::manhattan) {
        kernel.l1_tile(gathered.data(), selected.size(), rows + b * dim_, nb, dim_, scores);
    } else {
        kernels::inner_products(kernel, gathered.data(), selected.size(), rows + b * dim_, nb, dim_, packed,
                                scores);
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
