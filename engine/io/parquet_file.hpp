#pragma once

#include "io/columnar_file.hpp"
#include "io/mapped_file.hpp"

#include <parquet/arrow/reader.h>

namespace grouplink::io {

/// A Parquet file, read row group by row group.
class ParquetFile : public ColumnarFile {
public:
    explicit ParquetFile(const std::string& path);

    std::optional<std::int64_t> rows() const override { return metadata_->num_rows(); }
    std::optional<std::int64_t> nulls(int field) const override;
    std::int64_t claimed_components(int field) const override;
    std::int64_t data_bytes() const override;
    const arrow::KeyValueMetadata* metadata() const override;
    void read(const std::vector<int>& fields, const JobControl& control,
              const std::function<void(const arrow::RecordBatch&)>& use) override;

private:
    /// Leaf columns of a field of the schema.
    std::vector<int> leaves(int field) const;
    std::int64_t batch_rows(int row_group, const std::vector<int>& leaf_columns) const;

    int descriptor_ = -1;  ///< the reader's
    FileStamp stamp_;
    std::unique_ptr<parquet::arrow::FileReader> reader_;
    std::shared_ptr<parquet::FileMetaData> metadata_;
};

}  // namespace grouplink::io
