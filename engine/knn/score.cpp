#include "knn/score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace grouplink::knn {
namespace {

float to_float(double distance) {
    constexpr double largest = std::numeric_limits<float>::max();
    return static_cast<float>(std::clamp(distance, -largest, largest));
}

}  // namespace

RowScorer::RowScorer(const MatrixView& vectors, Metric metric, const kernels::Table& kernel)
    : vectors_(vectors),
      metric_(metric),
      exact_products_(vectors.type != ElementType::float64),
      kernel_(kernel) {}

void RowScorer::load(std::int64_t row, double* out) const {
    const auto dim = static_cast<std::size_t>(vectors_.row_dim(row));
    const std::size_t n = kernels::padded(dim);
    kernel_.load(vectors_.row(row), vectors_.type, dim, out);
    if (metric_ == Metric::angular) {
        if (vectors_.type == ElementType::float64) {
            // A power of two changes no digit of the direction, and keeps the squares in range.
            const int exponent = std::ilogb(kernel_.extent(out, n).max_abs);
            kernel_.scale(out, std::exp2(-std::clamp(exponent, -1000, 1000)), n);
        }
        out[n] = kernel_.dot(out, out, n);
    } else if (metric_ == Metric::hamming) {
        for (std::size_t i = 0; i < dim; ++i) out[i] = out[i] > 0.5 ? 1.0 : 0.0;
    }
}

namespace {

/// Below this squared distance 2 - 2 cos loses digits: of the 52 bits some 40 are left here, for a float32 of
/// 24.
constexpr double cancels = 1e-4;

double squared_angle(double inner, double x_squares, double y_squares) {
    return 2.0 - 2.0 * inner / std::sqrt(x_squares * y_squares);
}

double angle(double squared) { return std::min(2.0, std::sqrt(squared)); }

}  // namespace

double RowScorer::angular(double inner, const double* x, const double* y, std::size_t n) const {
    const double squared = squared_angle(inner, x[n], y[n]);
    if (squared > cancels) return angle(squared);
    return std::sqrt(kernel_.squared_l2_scaled(x, 1.0 / std::sqrt(x[n]), y, 1.0 / std::sqrt(y[n]), n));
}

float RowScorer::distance_to(const double* x, std::int64_t row, double* scratch) const {
    const auto dim = static_cast<std::size_t>(vectors_.row_dim(row));
    if (exact_products_ && (metric_ == Metric::angular || metric_ == Metric::dot)) {
        double inner = 0.0;
        double squares = 0.0;
        kernel_.dots_with_values(x, vectors_.row(row), vectors_.type, dim, &inner, &squares);
        if (metric_ == Metric::dot) return to_float(-inner);
        const double squared = squared_angle(inner, x[kernels::padded(dim)], squares);
        if (squared > cancels) return to_float(angle(squared));
    }
    load(row, scratch);
    return distance(x, scratch, dim);
}

void RowScorer::distances(const double* x, const double* y, std::size_t count, std::size_t dim,
                          float* out) const {
    constexpr std::size_t at_once = 64;
    const std::size_t n = kernels::padded(dim);
    const std::size_t stride = loaded_size(dim);
    double inner[at_once];
    for (std::size_t first = 0; first < count; first += at_once) {
        const std::size_t part = std::min(at_once, count - first);
        const double* rows = y + first * stride;
        if (metric_ == Metric::angular || metric_ == Metric::dot) {
            if (exact_products_) {
                kernel_.dots_of_exact(x, rows, stride, part, n, inner);
            } else {
                for (std::size_t j = 0; j < part; ++j) inner[j] = kernel_.dot(x, rows + j * stride, n);
            }
        }
        for (std::size_t j = 0; j < part; ++j) {
            const double* row = rows + j * stride;
            double distance = 0.0;
            switch (metric_) {
                case Metric::angular: distance = angular(inner[j], x, row, n); break;
                case Metric::euclidean: distance = std::sqrt(kernel_.squared_l2(x, row, n)); break;
                case Metric::manhattan:
                case Metric::hamming: distance = kernel_.l1(x, row, n); break;
                case Metric::dot: distance = -inner[j]; break;
            }
            out[first + j] = to_float(distance);
        }
    }
}

}  // namespace grouplink::knn
