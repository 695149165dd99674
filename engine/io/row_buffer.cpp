#include "io/row_buffer.hpp"

#include "io/message.hpp"

#include <algorithm>

namespace grouplink::io {

void RowBuffer::reserve(std::int64_t components) {
    const auto size = static_cast<std::int64_t>(element_size(type_));
    if (components > 0 && components <= std::min(most_bytes_, spill_.above_bytes) / size)
        values_.reserve(static_cast<std::size_t>(components * size));
}

std::byte* RowBuffer::extend(std::int64_t components) {
    const auto size = static_cast<std::int64_t>(element_size(type_));
    const std::int64_t room = (most_bytes_ - bytes_) / size;
    if (components > room) {
        fail(ErrorCode::bad_input, "{}: decodes to more than {} bytes, too many for the size of the file",
             where_, most_bytes_);
    }
    bytes_ += components * size;
    make_room(components * size);
    return values_.extend(static_cast<std::size_t>(components * size));
}

/// Spills what is in memory, once all do not fit there.
void RowBuffer::make_room(std::int64_t bytes) {
    constexpr std::int64_t bytes_a_write = std::int64_t{8} << 20;
    const auto held = static_cast<std::int64_t>(values_.size());
    if (bytes_ <= spill_.above_bytes || (spilled_ && held + bytes <= bytes_a_write)) return;
    if (!spilled_) spilled_.emplace(spill_.folder);
    spilled_->write({reinterpret_cast<const char*>(values_.data()), values_.size()});
    values_ = {};
    values_.reserve(bytes_a_write);
}

void RowBuffer::add_row(std::int64_t dim, bool valid) {
    if (!valid && valid_.empty()) valid_.assign(static_cast<std::size_t>(rows_), 1);
    if (!valid || !valid_.empty()) valid_.push_back(valid ? 1 : 0);
    if (rows_ == 0) dim_ = dim;
    if (dim != dim_ && offsets_.empty()) {
        for (std::int64_t row = 0; row <= rows_; ++row) offsets_.push_back(row * dim_);
    }
    ++rows_;
    components_ += dim;
    if (!offsets_.empty()) offsets_.push_back(components_);
}

MatrixView RowBuffer::finish(Table::Storage& storage) {
    if (spilled_) {
        spilled_->write({reinterpret_cast<const char*>(values_.data()), values_.size()});
        values_ = {};
        storage.file = spilled_->map();
    }
    values_.shrink();
    storage.values = std::move(values_);
    storage.offsets = std::move(offsets_);
    storage.valid = std::move(valid_);
    MatrixView view;
    view.values = spilled_ ? storage.file.data() : storage.values.data();
    view.file_backed = spilled_.has_value();
    view.type = type_;
    view.rows = rows_;
    view.dim = dim_;
    if (!storage.offsets.empty()) view.offsets = storage.offsets.data();
    if (!storage.valid.empty()) view.valid = storage.valid.data();
    return view;
}

}  // namespace grouplink::io
