#pragma once

#include <grouplink/io.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace grouplink::io {

/// Picks the texts of some rows out of a column that goes by row after row.
class TextPicker {
public:
    /// `rows` ascend.
    explicit TextPicker(std::span<const std::int64_t> rows) : rows_(rows) {}

    bool done() const { return next_ == rows_.size(); }
    /// Rows are to be asked for in their order, and those wanted pushed.
    bool wants(std::int64_t row) const { return !done() && rows_[next_] == row; }
    /// Whether a row of [first, last) is wanted.
    bool wants_some(std::int64_t first, std::int64_t last) const {
        return !done() && rows_[next_] >= first && rows_[next_] < last;
    }
    void push(std::string_view text) {
        texts_.push_back(text);
        ++next_;
    }
    StringColumn finish() { return std::move(texts_); }

private:
    std::span<const std::int64_t> rows_;
    std::size_t next_ = 0;
    StringColumn texts_;
};

}  // namespace grouplink::io
