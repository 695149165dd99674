#pragma once

#include "arrow_abi.hpp"

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::python {

namespace nb = nanobind;

/// A structure of the C data interface, released at the end.
template <typename Structure>
class Owned {
public:
    Owned() = default;
    ~Owned() {
        if (value_.release) value_.release(&value_);
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    /// Takes what a capsule holds, which is then empty.
    void take(Structure& other) {
        value_ = other;
        other.release = nullptr;
    }
    Structure* get() { return &value_; }
    const Structure* get() const { return &value_; }

private:
    Structure value_{};
};

/// A part of a column: `count` values from `first` on.
struct ArrowChunk {
    const ArrowSchema* schema;
    const ArrowArray* array;
    std::int64_t first;  ///< in the buffers, the array's own offset in it
    std::int64_t count;
    const ArrowArray* parent = nullptr;  ///< record batch, whose nulls count as well; or none
    std::int64_t parent_first = 0;

    std::string_view format() const { return schema->format; }
    const void* buffer(std::int64_t i) const { return i < array->n_buffers ? array->buffers[i] : nullptr; }
    template <typename Value>
    const Value* values(std::int64_t i = 1) const {
        return static_cast<const Value*>(buffer(i)) + first;
    }
    bool may_have_nulls() const { return (array->null_count != 0 && buffer(0)) || parent; }
    bool is_null(std::int64_t i) const {
        if (parent && !bit(parent->buffers[0], parent_first + i)) return true;
        return array->null_count != 0 && buffer(0) && !bit(buffer(0), first + i);
    }
    static bool bit(const void* bits, std::int64_t i) {
        return (static_cast<const std::uint8_t*>(bits)[i / 8] >> (i % 8) & 1) != 0;
    }
};

/// What an object with __arrow_c_stream__ or __arrow_c_array__ gives: a table, whose batches are structs, or
/// a column by itself. Nothing is copied.
class ArrowData {
public:
    /// Takes PyCapsules: a stream, or a schema and an array. Throws Error(bad_input) with what the stream
    /// says.
    static std::shared_ptr<ArrowData> of_stream(nb::capsule stream);
    static std::shared_ptr<ArrowData> of_array(nb::capsule schema, nb::capsule array);

    bool is_table() const { return std::string_view(schema_.get()->format) == "+s"; }
    std::int64_t rows() const;
    /// Of a table; "" where a column has no name.
    std::vector<std::string> names() const;
    const ArrowSchema& column_schema(std::size_t column) const;
    /// The column at a place; of a column by itself, it.
    std::vector<ArrowChunk> column(std::size_t place) const;

private:
    Owned<ArrowSchema> schema_;
    std::vector<std::unique_ptr<Owned<ArrowArray>>> batches_;
};

void bind_arrow(nb::module_& module);

}  // namespace grouplink::python
