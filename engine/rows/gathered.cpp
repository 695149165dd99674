#include "rows/gathered.hpp"

#include "rows/pages.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace grouplink {

GatheredRows::GatheredRows(const MatrixView& vectors, std::span<const std::int64_t> rows, int threads,
                           const JobControl& control) {
    view_.type = vectors.type;
    view_.rows = std::ssize(rows);
    view_.dim = vectors.dim;
    const std::size_t element = element_size(vectors.type);
    std::int64_t components = view_.rows * view_.dim;
    if (vectors.offsets) {
        offsets_.reserve(rows.size() + 1);
        offsets_.push_back(0);
        for (const std::int64_t row : rows) offsets_.push_back(offsets_.back() + vectors.row_dim(row));
        components = offsets_.back();
        view_.offsets = offsets_.data();
    }
    values_ = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(components) * element);
    view_.values = values_.get();

    // In the order of the file, which is read once, front to back.
    std::vector<std::int64_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return rows[static_cast<std::size_t>(a)] < rows[static_cast<std::size_t>(b)];
    });
    // The system maps some pages around each one that is touched: few rows at a time, or all would be there.
    constexpr std::int64_t rows_a_block = 128;
    parallel::for_blocks(view_.rows, rows_a_block, threads, control, "knn",
                         [&](std::int64_t first, std::int64_t last, int) {
                             for (std::int64_t i = first; i < last; ++i) {
                                 const std::int64_t to = order[static_cast<std::size_t>(i)];
                                 const std::int64_t from = rows[static_cast<std::size_t>(to)];
                                 const auto place = reinterpret_cast<std::uintptr_t>(view_.row(to)) -
                                                    reinterpret_cast<std::uintptr_t>(view_.values);
                                 std::memcpy(values_.get() + place, vectors.row(from),
                                             static_cast<std::size_t>(vectors.row_dim(from)) * element);
                             }
                             const auto row_of = [&](std::int64_t i) {
                                 return rows[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])];
                             };
                             give_back(vectors, row_of(first), row_of(last - 1) + 1);
                         });
}

}  // namespace grouplink
