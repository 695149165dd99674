#pragma once

#include "io/message.hpp"

#include <grouplink/link.hpp>

#include <arrow/api.h>
#include <parquet/exception.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace grouplink::io {

/// Arrow reports by status, and parts of its Parquet throw: both become Error(bad_input) about `path`.
template <typename Function>
auto reading_columns(const std::string& path, Function function) {
    try {
        return function();
    } catch (const parquet::ParquetException& error) {
        if (tells_of_memory(error.what())) throw std::bad_alloc();
        fail(ErrorCode::bad_input, "{}: is damaged, or uses what this reader does not know: {}", path,
             first_line(error.what()));
    }
}

/// A table in columns, Parquet or Arrow IPC, that is read batch by batch. Nothing it says of itself is
/// trusted beyond what a file of its size can hold. Throws Error(bad_input), or Error(io) where it cannot
/// be opened; calls are to be made within reading_columns().
class ColumnarFile {
public:
    virtual ~ColumnarFile() = default;
    ColumnarFile(const ColumnarFile&) = delete;
    ColumnarFile& operator=(const ColumnarFile&) = delete;

    const std::string& path() const { return path_; }
    std::int64_t bytes() const { return bytes_; }
    const arrow::Schema& schema() const { return *schema_; }
    std::vector<std::string> names() const { return schema_->field_names(); }

    /// The most bytes that decoded data may take before the file is taken for a forgery. Data compresses
    /// well when it repeats, so this is wide of what is usual.
    std::int64_t plausible_bytes() const;
    /// The most rows, likewise.
    std::int64_t plausible_rows() const;

    /// Where it stands beside the data; else read() tells.
    virtual std::optional<std::int64_t> rows() const = 0;
    /// Nulls of a field, where it stands beside the data. In lists only 0 says something.
    virtual std::optional<std::int64_t> nulls(int field) const = 0;
    /// Components that a field of lists claims to hold, as far as a file of this size plausibly does; 0 where
    /// nothing is claimed.
    virtual std::int64_t claimed_components(int field) const = 0;
    /// Of all columns, decoded as far as that stands beside the data.
    virtual std::int64_t data_bytes() const = 0;
    virtual const arrow::KeyValueMetadata* metadata() const = 0;

    /// Reads the fields, distinct and ascending, in batches of some megabytes or as they stand in the file;
    /// columns of a batch stand in that order.
    virtual void read(const std::vector<int>& fields, const JobControl& control,
                      const std::function<void(const arrow::RecordBatch&)>& use) = 0;

    void check(const arrow::Status& status) const;
    template <typename Value>
    Value take(arrow::Result<Value> result) const {
        check(result.status());
        return std::move(result).ValueUnsafe();
    }

protected:
    explicit ColumnarFile(std::string path) : path_(std::move(path)) {}

    /// The system's allocator gives large blocks back at once. The cap stops headers that claim blocks of
    /// gigabytes; what this pool counts is the process's, so what is there already comes on top.
    void limit_memory();

    std::string path_;
    std::int64_t bytes_ = 0;
    std::unique_ptr<arrow::MemoryPool> pool_;
    std::shared_ptr<arrow::Schema> schema_;
};

/// By the extension.
std::unique_ptr<ColumnarFile> open_columnar(const std::string& path);

}  // namespace grouplink::io
