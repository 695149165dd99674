#include "knn/gather.hpp"

#include "kernels/gemm.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace grouplink::knn {
namespace {

constexpr double unit_roundoff = 0x1p-24;

faiss::MetricType faiss_metric(Metric metric) {
    switch (metric) {
        case Metric::euclidean: return faiss::METRIC_L2;
        case Metric::manhattan: return faiss::METRIC_L1;
        default: return faiss::METRIC_INNER_PRODUCT;
    }
}

bool needs_center(Metric metric) { return metric == Metric::euclidean || metric == Metric::manhattan; }

}  // namespace

bool needs_frame(Metric metric) { return metric != Metric::angular && metric != Metric::hamming; }

void add_row(Extremes& extremes, std::span<const double> loaded, Metric metric,
             const kernels::Table& kernel) {
    extremes.max_abs = std::max(extremes.max_abs, kernel.extent(loaded.data(), loaded.size()).max_abs);
    if (!needs_center(metric)) return;
    extremes.sum.resize(loaded.size(), 0.0);
    for (std::size_t c = 0; c < loaded.size(); ++c) extremes.sum[c] += loaded[c];
}

Frame make_frame(std::span<const Extremes> parts, std::size_t rows) {
    Frame frame;
    double max_abs = 0.0;
    for (const Extremes& part : parts) {
        max_abs = std::max(max_abs, part.max_abs);
        frame.center.resize(std::max(frame.center.size(), part.sum.size()), 0.0);
        for (std::size_t c = 0; c < part.sum.size(); ++c) frame.center[c] += part.sum[c];
    }
    for (double& component : frame.center) component /= static_cast<double>(rows);
    if (max_abs > 0.0) frame.scale = std::exp2(-std::clamp(std::ilogb(max_abs), -1000, 1000));
    return frame;
}

FlatIndex::FlatIndex(std::size_t rows, std::size_t dim, Metric metric, Frame frame)
    : metric_(metric), dim_(dim), frame_(std::move(frame)), offsets_(rows, 0.0F), norms_(rows, 1.0) {
    // The rows are written in place: FAISS's add() would need them in a second array first.
    if (metric_ == Metric::hamming) {
        words_ = (dim + 63) / 64;
        binary_ = faiss::IndexBinaryFlat(static_cast<std::int64_t>(words_ * 64));
        binary_.xb.resize(rows * words_ * sizeof(std::uint64_t));
        binary_.ntotal = static_cast<std::int64_t>(rows);
    } else {
        index_ = faiss::IndexFlat(static_cast<std::int64_t>(dim), faiss_metric(metric_));
        index_.codes.resize(rows * dim * sizeof(float));
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
    float* row = index_.get_xb() + i * dim_;
    if (metric_ == Metric::angular) {
        const double to_unit = 1.0 / std::sqrt(loaded[kernels::padded(dim_)]);
        for (std::size_t c = 0; c < dim_; ++c) row[c] = static_cast<float>(loaded[c] * to_unit);
        return;
    }
    double squares = 0.0;
    double magnitudes = 0.0;
    for (std::size_t c = 0; c < dim_; ++c) {
        const double center = frame_.center.empty() ? 0.0 : frame_.center[c];
        row[c] = static_cast<float>((loaded[c] - center) * frame_.scale);
        const auto component = static_cast<double>(row[c]);
        squares += component * component;
        magnitudes += std::abs(component);
    }
    norms_[i] = metric_ == Metric::manhattan ? magnitudes : std::sqrt(squares);
    if (metric_ == Metric::euclidean) offsets_[i] = static_cast<float>(squares / 2);
}

void FlatIndex::finish() {
    max_norm_ = norms_.empty() ? 0.0 : *std::max_element(norms_.begin(), norms_.end());
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

double FlatIndex::error_of(double a, double b) const {
    if (exact()) return 0.0;
    // n roundings, those of the rows, the offsets and the canonical scoring among them, compound to at
    // most n u / (1 - n u).
    const double roundings = static_cast<double>(dim_ + 8) * unit_roundoff;
    const double relative = roundings / (1.0 - std::min(roundings, 0.5));
    constexpr double underflow = 1e-30;
    switch (metric_) {
        case Metric::angular: return relative + underflow;
        case Metric::euclidean: return relative * (a * b + (a * a + b * b) / 2) + underflow;
        case Metric::manhattan: return relative * (a + b) + underflow;
        default: return relative * a * b + underflow;
    }
}

double FlatIndex::least_distance(double score) const {
    switch (metric_) {
        case Metric::angular: return std::sqrt(std::max(0.0, 2.0 - 2.0 * score));
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
        case Metric::angular: return 1.0 - distance * distance / 2;
        case Metric::euclidean: return -scaled * scaled / 2;
        case Metric::manhattan:
        case Metric::hamming: return -scaled;
        case Metric::dot: return -scaled * frame_.scale;
    }
    return 0.0;
}

}  // namespace grouplink::knn
