#include "knn/recall.hpp"

#include <algorithm>
#include <cmath>

namespace grouplink::knn {

RecallEstimate estimate_recall(const std::vector<RowRecall>& rows) {
    RecallEstimate estimate{.rows = static_cast<std::int64_t>(rows.size())};
    double found = 0.0;
    double expected = 0.0;
    for (const RowRecall& row : rows) {
        found += static_cast<double>(row.found);
        expected += static_cast<double>(row.expected);
    }
    if (expected == 0.0) return estimate;
    const auto n = static_cast<double>(rows.size());
    const double p = found / expected;
    double squares = 0.0;
    for (const RowRecall& row : rows) {
        const double residual = static_cast<double>(row.found) - p * static_cast<double>(row.expected);
        squares += residual * residual;
    }
    // The variance of a ratio of two means, by its linearisation.
    const double mean = expected / n;
    const double variance = n > 1.0 ? squares / (n - 1.0) / (n * mean * mean) : 0.0;
    const double size = variance > 0.0 ? std::min(p * (1.0 - p) / variance, expected) : n;

    constexpr double z = 1.959963984540054;
    const double center = (p + z * z / (2.0 * size)) / (1.0 + z * z / size);
    const double half =
        z * std::sqrt(p * (1.0 - p) / size + z * z / (4.0 * size * size)) / (1.0 + z * z / size);
    estimate.recall = p;
    estimate.low = std::clamp(center - half, 0.0, p);
    estimate.high = std::clamp(center + half, p, 1.0);
    return estimate;
}

}  // namespace grouplink::knn
