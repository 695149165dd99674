#include "knn/row_codes.hpp"

#include "knn/large_pages.hpp"

#include <algorithm>

namespace grouplink::knn {
namespace {

std::unique_ptr<std::int8_t[]> room_for(std::size_t bytes) {
    auto room = std::make_unique_for_overwrite<std::int8_t[]>(bytes);
    advise_large_pages(room.get(), bytes);
    return room;
}

}  // namespace

RowCodes::RowCodes(std::size_t rows, std::size_t dim, bool fine)
    : dim_(dim), codes_(room_for(rows * stride())), scales_(rows), sums_(rows), errors_(rows), norms_(rows) {
    if (!fine) return;
    fine_ = room_for(rows * stride());
    fine_sums_.resize(rows);
    fine_errors_.resize(rows);
}

void RowCodes::set(std::size_t i, const float* row, const kernels::Table& kernel) {
    const std::size_t at = i * stride();
    const kernels::NarrowRow narrow =
        kernel.quantize(row, dim_, codes_.get() + at, fine_ ? fine_.get() + at : nullptr);
    scales_[i] = narrow.scale;
    sums_[i] = narrow.sum;
    errors_[i] = narrow.error;
    norms_[i] = narrow.norm;
    if (!fine_) return;
    fine_sums_[i] = narrow.fine_sum;
    fine_errors_[i] = narrow.fine_error;
}

void RowCodes::copy(std::size_t i, const RowCodes& other, std::size_t row) {
    std::copy_n(other.codes(row), stride(), codes_.get() + i * stride());
    scales_[i] = other.scales_[row];
    sums_[i] = other.sums_[row];
    errors_[i] = other.errors_[row];
    norms_[i] = other.norms_[row];
    if (!fine_) return;
    std::copy_n(other.fine_.get() + row * stride(), stride(), fine_.get() + i * stride());
    fine_sums_[i] = other.fine_sums_[row];
    fine_errors_[i] = other.fine_errors_[row];
}

}  // namespace grouplink::knn
