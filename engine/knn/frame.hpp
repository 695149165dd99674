#pragma once

#include <grouplink/options.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace grouplink::knn {

/// What brings a group's rows into the range where float32 is precise: searched is
/// (x - center) * scale, under angular with x at unit length, which changes no order.
struct Frame {
    double scale = 1.0;          ///< a power of two
    std::vector<double> center;  ///< in the midst of the rows; empty under dot and hamming
};

/// Whether rows may have any size, so that a frame needs the largest component.
bool needs_extent(Metric metric);
/// Whether rows are searched less their center.
bool needs_center(Metric metric);

/// What distances are measured as among the rows that place_row writes: angular ones are those of the
/// Euclidean distance at unit length. An inner product would carry the rounding of its 1, and rows that are
/// closer than that would all look alike.
constexpr Metric searched_as(Metric metric) { return metric == Metric::angular ? Metric::euclidean : metric; }

/// Rows whose center stands for that of the group: enough for a good one, any is valid.
inline constexpr std::size_t center_sample = 56;

/// A point in the midst of `rows` rows of `dim` components, whichever few of them lie far off, be it very
/// far: the median, for each component, of the means of a few parts.
std::vector<double> center_of(std::span<const double> sample, std::size_t rows, std::size_t dim);

/// `max_abs` is the largest component of any row; it matters where the metric needs it.
Frame make_frame(Metric metric, double max_abs, std::vector<double> center);

/// What brings a row, as the scorer loads it, to unit length under angular; else 1.
double unit_factor(Metric metric, std::size_t dim, const double* loaded);

/// The size of a row as it is searched.
struct RowLength {
    double squares = 0.0;     ///< squared Euclidean length; not under manhattan
    double magnitudes = 0.0;  ///< L1 length, under manhattan
};

/// Writes `dim` components of what the scorer loads as they are searched; not for hamming.
RowLength place_row(const Frame& frame, Metric metric, std::size_t dim, const double* loaded, float* row);

}  // namespace grouplink::knn
