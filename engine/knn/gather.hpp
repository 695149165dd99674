#pragma once

#include <grouplink/options.hpp>

#include "knn/frame.hpp"
#include "knn/score.hpp"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexFlat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// A group's FAISS index, whose float32 scores bound the true ones from above.
///
/// A score grows as rows get closer and is symmetric: the inner product under dot, minus half the
/// squared distance under angular and euclidean, minus the distance under manhattan and hamming, all of
/// the rows as the frame has them.
class FlatIndex {
public:
    FlatIndex() = default;  ///< of no rows
    /// Makes room for `rows` rows; set() fills it.
    FlatIndex(std::size_t rows, std::size_t dim, Metric metric, Frame frame);

    /// Fills the place of row i from what the scorer loads.
    void set(std::size_t i, const double* loaded);

    /// Scores of the blocks of `na` rows at `a` and `nb` rows at `b`, row by row, before offsets(). Of a
    /// block with itself only the places above the diagonal are sure to be written. `packed` is scratch.
    void score_tile(std::size_t a, std::size_t na, std::size_t b, std::size_t nb,
                    const kernels::Table& kernel, std::vector<float>& packed, float* scores) const;

    /// The same of the rows in `selected` against the block at `b`; `gathered` and `packed` are
    /// scratch.
    void score_rows(std::span<const std::uint32_t> selected, std::size_t b, std::size_t nb,
                    const kernels::Table& kernel, std::vector<float>& gathered, std::vector<float>& packed,
                    float* scores) const;

    /// The rows as they are searched, `dim` floats each; not under hamming.
    const float* rows() const { return index_.get_xb(); }

    /// The final score is score_tile's less the offsets of both rows: half the squared length where scores
    /// are squared distances, less the row's slack. It is never below the true score.
    const float* offsets() const { return offsets_.data(); }

    /// Whether scores are exact, so that their order is that of the canonical distances.
    bool exact() const { return metric_ == Metric::hamming; }

    /// The least canonical distance that rows of at most this true score can have.
    double least_distance(double score) const;
    /// The true score of rows at a canonical distance; the inverse of least_distance.
    double score_at(double distance) const;

private:
    double slack_of(const RowLength& length) const;

    Metric metric_ = Metric::angular;
    std::size_t dim_ = 0;
    std::size_t words_ = 0;  ///< hamming: 64-bit words a row
    Frame frame_;
    faiss::IndexFlat index_;
    faiss::IndexBinaryFlat binary_;
    std::vector<float> offsets_;
};

}  // namespace grouplink::knn
