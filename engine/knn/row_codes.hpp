#pragma once

#include "kernels/kernels.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace grouplink::knn {

/// Rows as int8 codes, one behind another, with what the kernels need to know of each; perhaps with a second
/// byte of each code.
class RowCodes {
public:
    RowCodes() = default;  ///< of no rows
    RowCodes(std::size_t rows, std::size_t dim, bool fine);

    /// Whether it has room for any row.
    bool in_use() const { return codes_ != nullptr; }
    std::size_t size() const { return norms_.size(); }

    /// Takes row i as it is searched. The kernels must have those of codes.
    void set(std::size_t i, const float* row, const kernels::Table& kernel);
    /// Takes a row of other codes, of the same dim, which have second bytes if these have.
    void copy(std::size_t i, const RowCodes& other, std::size_t row);

    /// At least the length of row i.
    float norm(std::size_t i) const { return norms_[i]; }

    const std::int8_t* codes(std::size_t row) const { return codes_.get() + row * stride(); }
    kernels::NarrowRows from(std::size_t row) const {
        return {.codes = codes(row),
                .scales = scales_.data() + row,
                .sums = sums_.data() + row,
                .errors = errors_.data() + row,
                .norms = norms_.data() + row};
    }
    /// With the second bytes, which must be there.
    kernels::FineRows fine_from(std::size_t row) const {
        return {.rows = from(row),
                .to_fine = to_fine_,
                .fine_sums = fine_sums_.data() + row,
                .fine_errors = fine_errors_.data() + row};
    }

private:
    std::size_t stride() const { return kernels::narrow_padded(dim_); }

    std::size_t dim_ = 0;
    std::unique_ptr<std::int8_t[]> codes_;
    std::size_t to_fine_ = 0;  ///< behind all codes, their second bytes; 0 when there are none
    std::vector<float> scales_;
    std::vector<std::int32_t> sums_;
    std::vector<std::int32_t> fine_sums_;
    std::vector<float> errors_;
    std::vector<float> fine_errors_;
    std::vector<float> norms_;
};

}  // namespace grouplink::knn
