#include "knn/score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace grouplink::knn {
namespace {

float to_float(double distance) {
    constexpr auto largest = static_cast<double>(std::numeric_limits<float>::max());
    return static_cast<float>(std::clamp(distance, -largest, largest));
}

kernels::PairOp op_of(Metric metric, bool exact_products) {
    switch (metric) {
        case Metric::euclidean: return kernels::PairOp::squared_l2;
        case Metric::manhattan:
        case Metric::hamming: return kernels::PairOp::l1;
        default: return exact_products ? kernels::PairOp::exact_dot : kernels::PairOp::dot;
    }
}

}  // namespace

RowScorer::RowScorer(const MatrixView& vectors, Metric metric, const kernels::Table& kernel)
    : vectors_(vectors),
      metric_(metric),
      exact_products_(vectors.type != ElementType::float64),
      op_(op_of(metric, exact_products_)),
      kernel_(kernel) {}

void RowScorer::load(std::int64_t row, double* out) const {
    load_components(row, out);
    if (metric_ != Metric::angular) return;
    const std::size_t n = kernels::padded(static_cast<std::size_t>(vectors_.row_dim(row)));
    out[n] = kernel_.dot(out, out, n);
}

void RowScorer::load_components(std::int64_t row, double* out) const {
    const auto dim = static_cast<std::size_t>(vectors_.row_dim(row));
    kernel_.load(vectors_.row(row), vectors_.type, dim, out);
    if (metric_ == Metric::angular && vectors_.type == ElementType::float64) {
        // A power of two changes no digit of the direction, and keeps the squares in range.
        const std::size_t n = kernels::padded(dim);
        const int exponent = std::ilogb(kernel_.extent(out, ElementType::float64, n).max_abs);
        kernel_.scale(out, std::exp2(-std::clamp(exponent, -1000, 1000)), n);
    } else if (metric_ == Metric::hamming) {
        for (std::size_t i = 0; i < dim; ++i) out[i] = out[i] > 0.5 ? 1.0 : 0.0;
    }
}

namespace {

/// Below this squared distance 2 - 2 cos loses digits: of the 52 bits some 40 are left here, for a float32 of
/// 24.
constexpr double cancels = 1e-4;
/// Rows that are scored together.
constexpr std::size_t rows_at_once = 64;

}  // namespace

void RowScorer::distances_to(const double* x, std::span<const std::int64_t> rows, const double* squares,
                             double* scratch, float* out) const {
    if (!exact_products_ || (metric_ != Metric::angular && metric_ != Metric::dot)) {
        constexpr std::size_t ahead = 3;  // rows lie anywhere in memory: ask for them in time
        for (std::size_t m = 0; m < rows.size(); ++m) {
            if (m + ahead < rows.size()) prefetch(rows[m + ahead]);
            load(rows[m], scratch);
            out[m] = distance(x, scratch, static_cast<std::size_t>(vectors_.row_dim(rows[m])));
        }
        return;
    }
    const void* stored[rows_at_once];
    double inner[rows_at_once];
    while (!rows.empty()) {
        const std::size_t count = std::min(rows.size(), rows_at_once);
        const auto dim = static_cast<std::size_t>(vectors_.row_dim(rows.front()));
        for (std::size_t m = 0; m < count; ++m) stored[m] = vectors_.row(rows[m]);
        kernel_.dots_with_stored(x, stored, count, vectors_.type, dim, inner);
        finish(inner, x, squares, count, dim, out, [&](std::size_t m) {
            load(rows[m], scratch);
            return scratch;
        });
        rows = rows.subspan(count);
        squares += count;
        out += count;
    }
}

template <typename RowOf>
void RowScorer::finish(const double* values, const double* x, const double* y_squares, std::size_t count,
                       std::size_t dim, float* out, RowOf row_of) const {
    const std::size_t n = kernels::padded(dim);
    switch (metric_) {
        case Metric::angular: {
            if (kernel_.angles(values, x[n], y_squares, count, cancels, out) == 0) return;
            for (std::size_t j = 0; j < count; ++j) {
                if (out[j] >= 0.0F) continue;
                const double* row = row_of(j);
                out[j] = to_float(std::sqrt(
                    kernel_.squared_l2_scaled(x, 1.0 / std::sqrt(x[n]), row, 1.0 / std::sqrt(row[n]), n)));
            }
            return;
        }
        case Metric::euclidean:
            for (std::size_t j = 0; j < count; ++j) out[j] = to_float(std::sqrt(values[j]));
            return;
        case Metric::manhattan:
        case Metric::hamming:
            for (std::size_t j = 0; j < count; ++j) out[j] = to_float(values[j]);
            return;
        case Metric::dot:
            for (std::size_t j = 0; j < count; ++j) out[j] = to_float(-values[j]);
            return;
    }
}

void RowScorer::distances(const double* x, const double* y, std::size_t count, std::size_t dim,
                          float* out) const {
    const std::size_t n = kernels::padded(dim);
    const std::size_t stride = loaded_size(dim);
    double values[rows_at_once];
    double squares[rows_at_once];
    for (std::size_t first = 0; first < count; first += rows_at_once) {
        const std::size_t part = std::min(rows_at_once, count - first);
        const double* rows = y + first * stride;
        kernel_.pairs_with(op_, rows, part, stride, x, n, values);
        if (metric_ == Metric::angular) {
            for (std::size_t j = 0; j < part; ++j) squares[j] = rows[j * stride + n];
        }
        finish(values, x, squares, part, dim, out + first, [&](std::size_t j) { return rows + j * stride; });
    }
}

void RowScorer::all_distances(double* rows, std::size_t count, std::size_t dim,
                              AlignedVector<double>& scratch, float* out) const {
    const std::size_t n = kernels::padded(dim);
    const std::size_t stride = loaded_size(dim);
    make_room(scratch, count * count + count);
    double* values = scratch.data();
    double* squares = values + count * count;
    kernel_.pairs_among(op_, rows, count, stride, n, values);
    if (metric_ == Metric::angular) {
        for (std::size_t i = 0; i < count; ++i) rows[i * stride + n] = squares[i] = values[i * count + i];
    }
    for (std::size_t i = 0; i + 1 < count; ++i) {
        float* row = out + i * count;
        const double* others = rows + (i + 1) * stride;
        finish(values + i * count + i + 1, rows + i * stride, squares + i + 1, count - i - 1, dim,
               row + i + 1, [&](std::size_t j) { return others + j * stride; });
        for (std::size_t j = i + 1; j < count; ++j) out[j * count + i] = row[j];
    }
}

}  // namespace grouplink::knn
