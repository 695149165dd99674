#pragma once

#include "io/atomic_file.hpp"

#include <arrow/api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace grouplink::io {

using ArrayPointer = std::shared_ptr<arrow::Array>;
using SchemaPointer = std::shared_ptr<arrow::Schema>;

/// Takes record batches into a file of Parquet or Arrow IPC.
class ColumnarSink {
public:
    virtual ~ColumnarSink() = default;
    ColumnarSink(const ColumnarSink&) = delete;
    ColumnarSink& operator=(const ColumnarSink&) = delete;

    /// A column for each field of the schema, of its type.
    virtual void write(std::int64_t rows, std::vector<ArrayPointer> columns) = 0;
    /// Nothing may be written after it.
    virtual void finish() = 0;

    const std::string& path() const { return path_; }

protected:
    ColumnarSink(std::string path, SchemaPointer schema)
        : path_(std::move(path)), schema_(std::move(schema)) {}

    std::string path_;
    SchemaPointer schema_;
};

/// By the extension of the file; `group_rows` is the size of Parquet's row groups.
std::unique_ptr<ColumnarSink> open_columnar_sink(AtomicFile& file, const SchemaPointer& schema,
                                                 std::int64_t group_rows);

}  // namespace grouplink::io
