#pragma once

#include <grouplink/options.hpp>

#include "knn/frame.hpp"
#include "knn/group.hpp"
#include "knn/row_codes.hpp"
#include "knn/score.hpp"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexFlat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// The rows of a group as they are searched, whose scores bound the true ones from above: a FAISS index of
/// float32 rows; or, where the kernels have codes of two bytes, these, of half the size, in its place.
///
/// A score grows as rows get closer and is symmetric: the inner product under dot, minus half the
/// squared distance under angular and euclidean, minus the distance under manhattan and hamming, all of
/// the rows as the frame has them.
class FlatIndex {
public:
    FlatIndex() = default;  ///< of no rows
    /// Makes room for `rows` rows; set() fills it. With `codes` and where the kernels, the metric and the
    /// dimension allow, these hold the rows.
    FlatIndex(std::size_t rows, std::size_t dim, Metric metric, Frame frame, const kernels::Table& kernel,
              bool codes);

    /// Whether it has room for any row.
    bool in_use() const { return !offsets_.empty(); }

    std::size_t dim() const { return dim_; }

    /// Fills the place of row i from what the scorer loads. `placed` is scratch.
    void set(std::size_t i, const double* loaded, std::vector<float>& placed);

    /// scratch.scores = scores of the blocks of `na` rows at `a` and `nb` rows at `b`, row by row, before
    /// offsets(). Of a block with itself only the places above the diagonal are sure to be written.
    void score_tile(std::size_t a, std::size_t na, std::size_t b, std::size_t nb, Scratch& scratch) const;

    /// Copies of some rows from anywhere in the group.
    struct Selection {
        std::size_t count = 0;
        std::vector<float> floats;
        std::vector<std::uint64_t> words;
        RowCodes codes;
        std::vector<float> offsets;
    };
    Selection select(std::span<const std::uint32_t> rows) const;
    /// The same in place of an earlier selection of this index, in its memory where that has room.
    void select(std::span<const std::uint32_t> rows, Selection& selected) const;

    /// score_tile() of selected rows and the block at `b`.
    void score_rows(const Selection& selected, std::size_t b, std::size_t nb, Scratch& scratch) const;

    /// scores[m] = score_tile's of the rows i after a and j after b, for each pair i << 16 | j. Of codes
    /// only.
    void score_pairs(std::size_t a, std::size_t b, std::span<const std::uint32_t> pairs,
                     float* scores) const {
        kernel_->s16_pairs(codes_.fine_from(a), codes_.fine_from(b), pairs.data(), pairs.size(), dim_,
                           scores);
    }

    /// The same of the rows i after a and the selected rows j: score_rows' scores.
    void score_pairs(std::size_t a, const Selection& selected, std::span<const std::uint32_t> pairs,
                     float* scores) const {
        kernel_->s16_pairs(codes_.fine_from(a), selected.codes.fine_from(0), pairs.data(), pairs.size(), dim_,
                           scores);
    }

    /// The rows as they are searched, `dim` floats each: where codes do not hold them, and not under hamming.
    const float* rows() const { return index_.get_xb(); }
    /// The rows as codes, if these hold them.
    const RowCodes& codes() const { return codes_; }

    /// Lets go of the rows and offsets: only distances and their scores can be told from now on.
    void forget_rows();

    /// The final score is score_tile's less the offsets of both rows: half the squared length where scores
    /// are squared distances, less the row's slack. It is never below the true score; nor is the bound of
    /// kernels::Table::s8_collect with the codes and these offsets, with all that it rounds off.
    const float* offsets() const { return offsets_.data(); }

    /// Whether scores are exact, so that their order is that of the canonical distances.
    bool exact() const { return metric_ == Metric::hamming; }

    /// The least canonical distance that rows of at most this true score can have.
    double least_distance(double score) const;
    /// The true score of rows at a canonical distance; the inverse of least_distance.
    double score_at(double distance) const;

private:
    double slack_of(const RowLength& length) const;
    double coded_slack_of(std::size_t i) const;
    const std::uint64_t* words(std::size_t row) const {
        return reinterpret_cast<const std::uint64_t*>(binary_.xb.data()) + row * words_;
    }

    Metric metric_ = Metric::angular;
    const kernels::Table* kernel_ = nullptr;
    std::size_t dim_ = 0;
    std::size_t words_ = 0;  ///< hamming: 64-bit words a row
    Frame frame_;
    faiss::IndexFlat index_;
    faiss::IndexBinaryFlat binary_;
    RowCodes codes_;
    std::vector<float> offsets_;
};

}  // namespace grouplink::knn
