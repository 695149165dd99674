#pragma once

#include "io/message.hpp"

#include <grouplink/link.hpp>

#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace grouplink::io {

/// Arrow reports by status, and parts of its Parquet throw: both become Error(bad_input) about `path`.
template <typename Function>
auto reading_parquet(const std::string& path, Function function) {
    try {
        return function();
    } catch (const parquet::ParquetException& error) {
        fail(ErrorCode::bad_input, "{}: is damaged, or uses what this reader does not know: {}", path,
             first_line(error.what()));
    }
}

/// A Parquet file that is read batch by batch. Nothing it says of itself is trusted beyond what a file of
/// its size can hold. Throws Error(bad_input), or Error(io) where it cannot be opened; calls are to
/// be made within reading_parquet().
class ParquetFile {
public:
    explicit ParquetFile(const std::string& path);

    const std::string& path() const { return path_; }
    const arrow::Schema& schema() const { return *schema_; }
    const parquet::FileMetaData& metadata() const { return *metadata_; }
    std::int64_t rows() const { return metadata_->num_rows(); }
    std::int64_t bytes() const { return bytes_; }
    std::vector<std::string> names() const { return schema_->field_names(); }
    /// Leaf columns of a field of the schema.
    std::vector<int> leaves(int field) const;

    /// The most bytes that decoded data may take before the file is taken for a forgery. Data compresses
    /// well when it repeats, so this is wide of what is usual.
    std::int64_t plausible_bytes() const;

    /// Reads the fields, distinct and ascending, in batches of some megabytes; columns of a batch
    /// stand in that order.
    void read(const std::vector<int>& fields, const JobControl& control,
              const std::function<void(const arrow::RecordBatch&)>& use);

    void check(const arrow::Status& status) const;
    template <typename Value>
    Value take(arrow::Result<Value> result) const {
        check(result.status());
        return std::move(result).ValueUnsafe();
    }

private:
    std::int64_t batch_rows(int row_group, const std::vector<int>& leaf_columns) const;

    std::string path_;
    std::int64_t bytes_ = 0;
    std::unique_ptr<arrow::MemoryPool> pool_;
    std::unique_ptr<parquet::arrow::FileReader> reader_;
    std::shared_ptr<parquet::FileMetaData> metadata_;
    std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace grouplink::io
