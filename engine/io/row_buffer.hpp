#pragma once

#include "io/spill.hpp"
#include "io/storage.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace grouplink::io {

/// Rows of components, one after another, in one array of its own width: dense as long as all rows have
/// one dimension, ragged from the first that has not. They are in memory, or in a file where there are too
/// many.
class RowBuffer {
public:
    /// Components that are best given at once at most: all of them are in memory until more come.
    static constexpr std::int64_t most_at_once = std::int64_t{1} << 20;

    /// Never holds more than `most_bytes`: throws Error(bad_input), beginning with `where`.
    RowBuffer(std::string where, ElementType type, std::int64_t most_bytes, Spill spill)
        : where_(std::move(where)), type_(type), most_bytes_(most_bytes), spill_(std::move(spill)) {}

    ElementType type() const { return type_; }
    const std::string& where() const { return where_; }

    void reserve(std::int64_t components);
    /// Room for the components of rows that add_row() tells of, before or after.
    std::byte* extend(std::int64_t components);
    void add_row(std::int64_t dim, bool valid);
    /// Hands over all; the view points into `storage`.
    MatrixView finish(Table::Storage& storage);

private:
    void make_room(std::int64_t bytes);

    std::string where_;
    ElementType type_;
    std::int64_t most_bytes_;
    Spill spill_;
    std::optional<SpillFile> spilled_;
    std::int64_t bytes_ = 0;  ///< in all
    std::int64_t rows_ = 0;
    std::int64_t components_ = 0;  ///< of the rows added
    std::int64_t dim_ = 0;
    GrowingBytes values_;                ///< those that are not spilled
    std::vector<std::int64_t> offsets_;  ///< empty while dense
    std::vector<std::uint8_t> valid_;    ///< empty while all are
};

}  // namespace grouplink::io
