#pragma once

#include "kernels/kernels.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/row_codes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// The scores by which an approximate index chooses candidates: inner products less the offsets of both
/// rows, of the first bytes where codes hold the rows, else of the float32 rows.
class PairScorer {
public:
    /// Some rows side by side: codes, or floats. What they are of must outlive them.
    struct Rows {
        const float* floats = nullptr;
        kernels::NarrowRows codes{};
        const float* offsets = nullptr;
    };

    /// Copies of rows from anywhere in the group.
    struct Copies {
        std::vector<float> floats;
        RowCodes codes;
        std::vector<float> offsets;
        std::size_t size() const { return offsets.size(); }
    };

    PairScorer() = default;  ///< of no rows
    /// Of the rows of an index, which must outlive the scorer.
    PairScorer(const FlatIndex& index, std::size_t dim, const kernels::Table& kernel)
        : index_(&index), dim_(dim), kernel_(&kernel) {}

    Copies copy(std::span<const std::uint32_t> rows) const;

    /// The group's rows from `row` on, or copies from the one in place `i` on.
    Rows rows_from(std::size_t row) const;
    Rows rows_from(const Copies& copies, std::size_t i) const;

    /// scratch.scores[i * nb + j] = inner product of a's row i and b's row j; with `upper`, when a and b are
    /// the same, at least where j >= i.
    void tile(const Rows& a, std::size_t na, const Rows& b, std::size_t nb, bool upper,
              Scratch& scratch) const;

    /// scores[m] = the final score of `row` and others[m].
    void score(std::uint32_t row, std::span<const std::uint32_t> others, float* scores) const;

private:
    const float* floats(std::size_t row) const { return index_->rows() + row * dim_; }
    const RowCodes& codes() const { return index_->codes(); }

    const FlatIndex* index_ = nullptr;
    std::size_t dim_ = 0;
    const kernels::Table* kernel_ = nullptr;
};

}  // namespace grouplink::knn
