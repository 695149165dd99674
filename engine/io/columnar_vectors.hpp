#pragma once

#include "io/row_buffer.hpp"

#include <arrow/api.h>

#include <cstdint>
#include <optional>
#include <string>

namespace grouplink::io {

/// The components' type when a column of this type can be an embedding: list, large_list or
/// fixed_size_list of float16, float32, float64 or int8.
std::optional<ElementType> vector_type(const arrow::DataType& type);

/// Gathers a column of vectors, batch by batch.
class VectorGatherer {
public:
    /// Never holds more than `most_bytes`: throws Error(bad_input), beginning with `where`.
    VectorGatherer(std::string where, const arrow::DataType& type, std::int64_t most_bytes,
                   const Spill& spill);

    void reserve(std::int64_t components) { rows_.reserve(components); }
    void append(const arrow::Array& array);
    /// Hands over all; the view points into `storage`.
    MatrixView finish(Table::Storage& storage) { return rows_.finish(storage); }

private:
    template <typename Lists>
    void append_lists(const Lists& lists, bool fixed_size);
    void copy(const arrow::Array& values, std::int64_t first, std::int64_t last);

    RowBuffer rows_;
};

}  // namespace grouplink::io
