#include "knn/score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace grouplink::knn {

void RowScorer::load(std::int64_t row, double* out) const {
    const auto dim = static_cast<std::size_t>(vectors_.row_dim(row));
    const std::size_t n = kernels::padded(dim);
    kernel_.load(vectors_.row(row), vectors_.type, dim, out);
    if (metric_ == Metric::angular) {
        if (vectors_.type == ElementType::float64) {
            // A power of two changes no digit of the direction, and keeps the squares in range.
            kernel_.scale(out,
                          std::exp2(-std::clamp(std::ilogb(kernel_.extent(out, n).max_abs), -1000, 1000)), n);
        }
        kernel_.scale(out, 1.0 / std::sqrt(kernel_.dot(out, out, n)), n);
    } else if (metric_ == Metric::hamming) {
        for (std::size_t i = 0; i < dim; ++i) out[i] = out[i] > 0.5 ? 1.0 : 0.0;
    }
}

float RowScorer::distance(const double* x, const double* y, std::size_t n) const {
    double distance = 0.0;
    switch (metric_) {
        case Metric::angular: distance = std::min(2.0, std::sqrt(kernel_.squared_l2(x, y, n))); break;
        case Metric::euclidean: distance = std::sqrt(kernel_.squared_l2(x, y, n)); break;
        case Metric::manhattan:
        case Metric::hamming: distance = kernel_.l1(x, y, n); break;
        case Metric::dot: distance = -kernel_.dot(x, y, n); break;
    }
    constexpr double largest = std::numeric_limits<float>::max();
    return static_cast<float>(std::clamp(distance, -largest, largest));
}

}  // namespace grouplink::knn
