#include "knn/row_codes.hpp"

#include "knn/large_pages.hpp"

#include <algorithm>

namespace grouplink::knn {
RowCodes::RowCodes(std::size_t rows, std::size_t dim, bool fine)
    : dim_(dim),
      codes_(std::make_unique_for_overwrite<std::int8_t[]>(rows * stride() * (fine ? 2 : 1))),
      to_fine_(fine ? rows * stride() : 0),
      scales_(rows),
      sums_(rows),
      errors_(rows),
      norms_(rows) {
    advise_large_pages(codes_.get(), rows * stride() * (fine ? 2 : 1));
    if (!fine) return;
    fine_sums_.resize(rows);
    fine_errors_.resize(rows);
}

void RowCodes::set(std::size_t i, const float* row, const kernels::Table& kernel) {
    std::int8_t* codes = codes_.get() + i * stride();
    const kernels::NarrowRow narrow =
        kernel.quantize(row, dim_, codes, to_fine_ > 0 ? codes + to_fine_ : nullptr);
    scales_[i] = narrow.scale;
    sums_[i] = narrow.sum;
    errors_[i] = narrow.error;
    norms_[i] = narrow.norm;
    if (to_fine_ == 0) return;
    fine_sums_[i] = narrow.fine_sum;
    fine_errors_[i] = narrow.fine_error;
}

void RowCodes::copy(std::size_t i, const RowCodes& other, std::size_t row) {
    std::copy_n(other.codes(row), stride(), codes_.get() + i * stride());
    scales_[i] = other.scales_[row];
    sums_[i] = other.sums_[row];
    errors_[i] = other.errors_[row];
    norms_[i] = other.norms_[row];
    if (to_fine_ == 0) return;
    std::copy_n(other.codes(row) + other.to_fine_, stride(), codes_.get() + i * stride() + to_fine_);
    fine_sums_[i] = other.fine_sums_[row];
    fine_errors_[i] = other.fine_errors_[row];
}

}  // namespace grouplink::knn
