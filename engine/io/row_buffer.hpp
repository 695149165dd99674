#pragma once

#include "io/storage.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace grouplink::io {

/// Rows of components, one after another, in one array of its own width: dense as long as all rows have
/// one dimension, ragged from the first that has not.
class RowBuffer {
public:
    /// Never holds more than `most_bytes`: throws Error(bad_input), beginning with `where`.
    RowBuffer(std::string where, ElementType type, std::int64_t most_bytes)
        : where_(std::move(where)), type_(type), most_bytes_(most_bytes) {}

    ElementType type() const { return type_; }
    const std::string& where() const { return where_; }

    void reserve(std::int64_t components);
    /// Room for the components of rows that add_row() tells of, before or after.
    std::byte* extend(std::int64_t components);
    void add_row(std::int64_t dim, bool valid);
    /// Hands over all; the view points into `storage`.
    MatrixView finish(Table::Storage& storage);

private:
    std::string where_;
    ElementType type_;
    std::int64_t most_bytes_;
    std::int64_t rows_ = 0;
    std::int64_t components_ = 0;  ///< of the rows added
    std::int64_t dim_ = 0;
    GrowingBytes values_;
    std::vector<std::int64_t> offsets_;  ///< empty while dense
    std::vector<std::uint8_t> valid_;    ///< empty while all are
};

}  // namespace grouplink::io
