#pragma once

#include "io/storage.hpp"

#include <arrow/api.h>

#include <cstdint>
#include <optional>
#include <string>

namespace grouplink::io {

/// The components' type when a column of this type can be an embedding: list, large_list or
/// fixed_size_list of float16, float32, float64 or int8.
std::optional<ElementType> vector_type(const arrow::DataType& type);

/// Gathers a column of vectors, batch by batch, into one array of its own width: dense as long as all
/// rows have one dimension, ragged from the first that has not.
class VectorGatherer {
public:
    /// Never holds more than `most_bytes`: throws Error(bad_input), beginning with `where`.
    VectorGatherer(std::string where, const arrow::DataType& type, std::int64_t most_bytes);

    void reserve(std::int64_t components);
    void append(const arrow::Array& array);
    /// Hands over all; the view points into `storage`.
    MatrixView finish(Table::Storage& storage);

private:
    template <typename Lists>
    void append_lists(const Lists& lists, bool fixed_size);
    void copy(const arrow::Array& values, std::int64_t first, std::int64_t last);
    void add_row(std::int64_t dim, bool valid);
    std::byte* extend(std::int64_t components);

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
