#include "knn/frame.hpp"

#include "kernels/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace grouplink::knn {
namespace {

/// The sum of term(row[c]) in several lanes, for the compiler to add at once.
template <typename Term>
double sum_of(const float* row, std::size_t dim, Term term) {
    constexpr std::size_t width = 8;
    double sums[width] = {};
    std::size_t c = 0;
    for (; c + width <= dim; c += width) {
        for (std::size_t l = 0; l < width; ++l) sums[l] += term(static_cast<double>(row[c + l]));
    }
    for (; c < dim; ++c) sums[c % width] += term(static_cast<double>(row[c]));
    double sum = 0.0;
    for (const double part : sums) sum += part;
    return sum;
}

}  // namespace

bool needs_extent(Metric metric) { return metric != Metric::angular && metric != Metric::hamming; }

bool needs_center(Metric metric) { return metric != Metric::dot && metric != Metric::hamming; }

std::vector<double> center_of(std::span<const double> sample, std::size_t rows, std::size_t dim) {
    constexpr std::size_t most_parts = 7;
    if (rows == 0) return std::vector<double>(dim, 0.0);
    const std::size_t parts = std::min(most_parts, rows - (rows + 1) % 2);  // odd: there is a middle
    std::vector<double> means(parts * dim, 0.0);
    for (std::size_t i = 0; i < rows; ++i) {
        double* mean = means.data() + i % parts * dim;
        for (std::size_t c = 0; c < dim; ++c) mean[c] += sample[i * dim + c];
    }
    for (std::size_t p = 0; p < parts; ++p) {
        const double share = 1.0 / static_cast<double>((rows - p + parts - 1) / parts);
        for (std::size_t c = 0; c < dim; ++c) means[p * dim + c] *= share;
    }
    // All components are sorted at once, by odd-even transposition.
    for (std::size_t pass = 0; pass < parts; ++pass) {
        for (std::size_t p = pass % 2; p + 1 < parts; p += 2) {
            double* low = means.data() + p * dim;
            double* high = low + dim;
            for (std::size_t c = 0; c < dim; ++c) {
                const double a = low[c];
                const double b = high[c];
                low[c] = a < b ? a : b;
                high[c] = a < b ? b : a;
            }
        }
    }
    const double* middle = means.data() + parts / 2 * dim;
    return {middle, middle + dim};
}

Frame make_frame(Metric metric, double max_abs, std::vector<double> center) {
    // One row far off makes all others small. With the largest component at about 2^40 those 2^40 times
    // smaller are still at 1, and the squares of either are well within a float32.
    constexpr int top = 40;
    Frame frame{.scale = 1.0, .center = std::move(center)};
    if (needs_extent(metric) && max_abs > 0.0) {
        frame.scale = std::exp2(std::clamp(top - std::ilogb(max_abs), -1000, 1000));
    }
    return frame;
}

double unit_factor(Metric metric, std::size_t dim, const double* loaded) {
    return metric == Metric::angular ? 1.0 / std::sqrt(loaded[kernels::padded(dim)]) : 1.0;
}

RowLength place_row(const Frame& frame, Metric metric, std::size_t dim, const double* loaded, float* row) {
    const double factor = unit_factor(metric, dim, loaded);
    const double scale = frame.scale;
    if (frame.center.empty()) {
        for (std::size_t c = 0; c < dim; ++c) row[c] = static_cast<float>(loaded[c] * factor * scale);
    } else {
        const double* center = frame.center.data();
        for (std::size_t c = 0; c < dim; ++c) {
            row[c] = static_cast<float>((loaded[c] * factor - center[c]) * scale);
        }
    }
    if (metric == Metric::manhattan) {
        return {.squares = 0.0, .magnitudes = sum_of(row, dim, [](double x) { return std::abs(x); })};
    }
    return {.squares = sum_of(row, dim, [](double x) { return x * x; }), .magnitudes = 0.0};
}

}  // namespace grouplink::knn
