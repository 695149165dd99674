#pragma once

#include <grouplink/options.hpp>

#include "knn/score.hpp"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexFlat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// What brings a group's rows into the range where float32 is precise: searched is
/// (x - center) * scale, which changes nothing but the unit.
struct Frame {
    double scale = 1.0;          ///< a power of two that leaves no component far above 1
    std::vector<double> center;  ///< euclidean, manhattan: the rows' mean; else empty
};

/// What a frame is made of, measured over some of the group's rows.
struct Extremes {
    double max_abs = 0.0;
    std::vector<double> sum;  ///< of the rows; empty where the metric needs no center
};

/// Whether the metric needs a frame at all: rows at unit length and bits are in range as they are.
bool needs_frame(Metric metric);

/// Adds one row: the padded(dim) components that the scorer loads.
void add_row(Extremes& extremes, std::span<const double> loaded, Metric metric, const kernels::Table& kernel);

/// The frame of a group of `rows` rows from its parts, taken in their order.
Frame make_frame(std::span<const Extremes> parts, std::size_t rows);

/// A group's FAISS index and what bounds the error of its float32 scores.
///
/// A score grows as rows get closer and is symmetric: the inner product under angular and dot, minus
/// half the squared distance under euclidean, minus the distance under manhattan and hamming.
class FlatIndex {
public:
    FlatIndex() = default;  ///< of no rows
    /// Makes room for `rows` rows; set() fills it.
    FlatIndex(std::size_t rows, std::size_t dim, Metric metric, Frame frame);

    /// Fills the place of row i from what the scorer loads.
    void set(std::size_t i, const double* loaded);
    /// To be called once all rows are set.
    void finish();

    /// Scores of the blocks of `na` rows at `a` and `nb` rows at `b`, row by row, before offsets(). Of a
    /// block with itself only the places above the diagonal are sure to be written. `packed` is scratch.
    void score_tile(std::size_t a, std::size_t na, std::size_t b, std::size_t nb,
                    const kernels::Table& kernel, std::vector<float>& packed, float* scores) const;

    /// The same of the rows in `selected` against the block at `b`; `gathered` and `packed` are
    /// scratch.
    void score_rows(std::span<const std::uint32_t> selected, std::size_t b, std::size_t nb,
                    const kernels::Table& kernel, std::vector<float>& gathered, std::vector<float>& packed,
                    float* scores) const;

    /// The final score is score_tile's less the offsets of both rows: half the squared length under
    /// euclidean, else 0.
    const float* offsets() const { return offsets_.data(); }

    /// Whether scores are exact, so that their order is that of the canonical distances.
    bool exact() const { return metric_ == Metric::hamming; }

    /// How far the final score of the rows i and j may be from the true one: the standard bound for an inner
    /// product or a sum in any order, plus the rounding of the rows themselves (Higham, Accuracy and
    /// Stability of Numerical Algorithms, 2nd ed., 3.1).
    double error(std::size_t i, std::size_t j) const { return error_of(norms_[i], norms_[j]); }
    /// The largest error(i, j) over all j.
    double error(std::size_t i) const { return error_of(norms_[i], max_norm_); }

    /// The least canonical distance that rows of at most this true score can have.
    double least_distance(double score) const;
    /// The true score of rows at a canonical distance; the inverse of least_distance.
    double score_at(double distance) const;

private:
    double error_of(double a, double b) const;

    Metric metric_ = Metric::angular;
    std::size_t dim_ = 0;
    std::size_t words_ = 0;  ///< hamming: 64-bit words a row
    Frame frame_;
    faiss::IndexFlat index_;
    faiss::IndexBinaryFlat binary_;
    std::vector<float> offsets_;
    std::vector<double> norms_;  ///< what error() needs: Euclidean, under manhattan L1
    double max_norm_ = 0.0;
};

}  // namespace grouplink::knn
