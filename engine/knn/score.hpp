#pragma once

#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>

#include "kernels/kernels.hpp"
#include "knn/aligned.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace grouplink::knn {

/// The canonical scoring of a pair, from which every weight follows. It depends on nothing but the two
/// rows as they were given: doubles throughout, one fixed order of summation, the result rounded to
/// float32 once. The distance of x to y is that of y to x, bit by bit, and 0 between equal rows but
/// under dot.
///
/// Angular: sqrt(2 - 2 cos) in [0, 2]; where that cancels, near 0, the length of the difference of the
/// rows at unit length. Dot: minus the inner product. What float32 cannot hold becomes its largest
/// number.
class RowScorer {
public:
    RowScorer(const MatrixView& vectors, Metric metric, const kernels::Table& kernel);

    /// Doubles that a loaded row of `dim` components takes: whole cache lines, so that one behind another
    /// they are all aligned alike.
    static constexpr std::size_t loaded_size(std::size_t dim) { return kernels::padded(dim) + 8; }

    /// Writes the row in the form that distance() takes: padded(dim) doubles, as they are or, under hamming,
    /// zeros and ones; behind them, under angular, their squared length. Under angular float64 rows come
    /// times a power of two.
    void load(std::int64_t row, double* out) const;

    /// The same without the squared length.
    void load_components(std::int64_t row, double* out) const;

    /// Has the row on its way to the cache when load() comes for it.
    void prefetch(std::int64_t row) const {
        constexpr std::size_t line = 64;
        const auto* bytes = static_cast<const char*>(vectors_.row(row));
        const std::size_t size =
            static_cast<std::size_t>(vectors_.row_dim(row)) * element_size(vectors_.type);
        for (std::size_t at = 0; at < size; at += line) __builtin_prefetch(bytes + at);
    }

    /// Of two loaded rows of `dim` components.
    float distance(const double* x, const double* y, std::size_t dim) const {
        float result;
        distances(x, y, 1, dim, &result);
        return result;
    }

    /// out[j] = distance(x, y_j, dim), the loaded rows y_j standing one behind another.
    void distances(const double* x, const double* y, std::size_t count, std::size_t dim, float* out) const;

    /// out[i * count + j] = distance() of rows i and j, which stand one behind another, for i != j. Of these
    /// load_components() is enough: their squared lengths, where these matter, are put behind them.
    void all_distances(double* rows, std::size_t count, std::size_t dim, AlignedVector<double>& scratch,
                       float* out) const;

    /// out[m] = distance(x, y), y being row rows[m], which has not been loaded. Under angular squares[m] is
    /// what load() puts behind it. `scratch` is room for a loaded row.
    void distances_to(const double* x, std::span<const std::int64_t> rows, const double* squares,
                      double* scratch, float* out) const;

    const MatrixView& vectors() const { return vectors_; }
    Metric metric() const { return metric_; }
    const kernels::Table& kernel() const { return kernel_; }

private:
    /// Makes distances of what the kernels say of x and `count` rows. `y_squares` are their squared lengths,
    /// under angular; row_of(j) is the loaded row j, asked for where these do not do.
    template <typename RowOf>
    void finish(const double* values, const double* x, const double* y_squares, std::size_t count,
                std::size_t dim, float* out, RowOf row_of) const;

    const MatrixView& vectors_;
    Metric metric_;
    bool exact_products_;  ///< whether the products of two components are exact in double
    kernels::PairOp op_;
    const kernels::Table& kernel_;
};

}  // namespace grouplink::knn
