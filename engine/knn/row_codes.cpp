#include "knn/row_codes.hpp"

#include <algorithm>

namespace grouplink::knn {

RowCodes::RowCodes(std::size_t rows, std::size_t dim)
    : dim_(dim),
      codes_(std::make_unique_for_overwrite<std::int8_t[]>(rows * stride())),
      scales_(rows),
      sums_(rows),
      errors_(rows),
      norms_(rows) {}

void RowCodes::set(std::size_t i, const float* row, const kernels::Table& kernel) {
    const kernels::NarrowRow narrow = kernel.quantize(row, dim_, codes_.get() + i * stride());
    scales_[i] = narrow.scale;
    sums_[i] = narrow.sum;
    errors_[i] = narrow.error;
    norms_[i] = narrow.norm;
}

void RowCodes::copy(std::size_t i, const RowCodes& other, std::size_t row) {
    std::copy_n(other.codes(row), stride(), codes_.get() + i * stride());
    scales_[i] = other.scales_[row];
    sums_[i] = other.sums_[row];
    errors_[i] = other.errors_[row];
    norms_[i] = other.norms_[row];
}

}  // namespace grouplink::knn
