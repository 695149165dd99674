#pragma once

#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>

#include "kernels/kernels.hpp"

#include <cstddef>
#include <cstdint>

namespace grouplink::knn {

/// The canonical scoring of a pair, from which every weight follows. It depends on nothing but the two
/// rows as they were given: doubles throughout, one fixed order of summation, the result rounded to
/// float32 once. distance(x, y) == distance(y, x), bit by bit.
class RowScorer {
public:
    RowScorer(const MatrixView& vectors, Metric metric, const kernels::Table& kernel)
        : vectors_(vectors), metric_(metric), kernel_(kernel) {}

    /// Writes the row in the form that distance() takes: padded(dim) doubles; of unit length under
    /// angular, zeros and ones under hamming, else as they are.
    void load(std::int64_t row, double* out) const;

    /// Has the row on its way to the cache when load() comes for it.
    void prefetch(std::int64_t row) const {
        constexpr std::size_t line = 64;
        const auto* bytes = static_cast<const char*>(vectors_.row(row));
        const std::size_t size =
            static_cast<std::size_t>(vectors_.row_dim(row)) * element_size(vectors_.type);
        for (std::size_t at = 0; at < size; at += line) __builtin_prefetch(bytes + at);
    }

    /// Of two loaded rows, `n` = padded(dim) doubles each. Angular: the length of x - y, which is
    /// sqrt(2 - 2 cos) without its cancellation near 0, so in [0, 2]. Dot: minus the inner product.
    /// What float32 cannot hold becomes its largest number.
    float distance(const double* x, const double* y, std::size_t n) const;

    const MatrixView& vectors() const { return vectors_; }
    Metric metric() const { return metric_; }
    const kernels::Table& kernel() const { return kernel_; }

private:
    const MatrixView& vectors_;
    Metric metric_;
    const kernels::Table& kernel_;
};

}  // namespace grouplink::knn
