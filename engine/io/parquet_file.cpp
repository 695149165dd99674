#include "io/parquet_file.hpp"

#include "io/ticker.hpp"

#include <arrow/io/file.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <string_view>

namespace grouplink::io {
namespace {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
constexpr std::int64_t bytes_a_batch = 8 * mebibyte;
constexpr std::int64_t most_rows_a_batch = std::int64_t{1} << 16;

/// Arrow's own words for files of other kinds are of little use.
void check_marks(const std::string& path, int descriptor, std::int64_t size) {
    constexpr std::int64_t smallest = 12;
    const auto has_mark = [&](std::int64_t position, std::string_view expected) {
        return read_at(descriptor, position, expected.size(), path) == expected;
    };
    if (size == 0) fail(ErrorCode::bad_input, "{}: is empty, so it is no Parquet file", path);
    if (has_mark(0, "PARE"))
        fail(ErrorCode::bad_input, "{}: is encrypted; write it without encryption", path);
    if (!has_mark(0, "PAR1")) {
        fail(ErrorCode::bad_input, "{}: is no Parquet file, it does not begin with PAR1", path);
    }
    if (size < smallest || !has_mark(size - 4, "PAR1")) {
        fail(ErrorCode::bad_input, "{}: was cut short, it does not end with PAR1", path);
    }
}

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
    if (field.is_leaf()) leaves.push_back(field.column_index);
    for (const auto& child : field.children) collect_leaves(child, leaves);
}

}  // namespace

ParquetFile::ParquetFile(const std::string& path) : ColumnarFile(path) {
    FileDescriptor descriptor = open_to_read(path);
    stamp_ = stamp_of(descriptor.get(), path);
    bytes_ = stamp_.bytes;
    check_marks(path, descriptor.get(), bytes_);

    limit_memory();
    auto source = take(arrow::io::ReadableFile::Open(descriptor.get(), pool_.get()));
    descriptor_ = descriptor.release();
    parquet::ReaderProperties properties(pool_.get());
    properties.enable_buffered_stream();
    properties.set_buffer_size(mebibyte);
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    // Else whole row groups, still compressed, are held in memory.
    arrow_properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    check(builder.Open(std::move(source), properties));
    builder.memory_pool(pool_.get());
    builder.properties(arrow_properties);
    check(builder.Build(&reader_));
    check(reader_->GetSchema(&schema_));
    metadata_ = reader_->parquet_reader()->metadata();

    std::int64_t sum = 0;
    for (int i = 0; i < metadata_->num_row_groups(); ++i) {
        const std::int64_t count = metadata_->RowGroup(i)->num_rows();
        if (count < 0 || count > plausible_rows() - sum) {
            fail(ErrorCode::bad_input, "{}: claims {} rows in a row group, too many for {} bytes", path,
                 count, bytes_);
        }
        sum += count;
    }
    if (sum != metadata_->num_rows()) {
        fail(ErrorCode::bad_input, "{}: claims {} rows, its row groups have {}", path, metadata_->num_rows(),
             sum);
    }
}

std::vector<int> ParquetFile::leaves(int field) const {
    std::vector<int> result;
    collect_leaves(reader_->manifest().schema_fields.at(static_cast<std::size_t>(field)), result);
    return result;
}

const arrow::KeyValueMetadata* ParquetFile::metadata() const { return metadata_->key_value_metadata().get(); }

/// In a column of lists nulls are counted together with empty lists and missing components.
std::optional<std::int64_t> ParquetFile::nulls(int field) const {
    const std::vector<int> columns = leaves(field);
    if (columns.size() != 1) return std::nullopt;
    std::int64_t nulls = 0;
    for (int i = 0; i < metadata_->num_row_groups(); ++i) {
        const auto statistics = metadata_->RowGroup(i)->ColumnChunk(columns[0])->statistics();
        if (!statistics || !statistics->HasNullCount() || statistics->null_count() < 0) return std::nullopt;
        nulls += statistics->null_count();
    }
    return nulls;
}

std::int64_t ParquetFile::claimed_components(int field) const {
    const std::int64_t most = 16 * bytes_;
    std::int64_t components = 0;
    for (const int leaf : leaves(field)) {
        for (int i = 0; i < metadata_->num_row_groups(); ++i) {
            const std::int64_t count = metadata_->RowGroup(i)->ColumnChunk(leaf)->num_values();
            components += std::clamp<std::int64_t>(count, 0, most - components);
        }
    }
    return components;
}

std::int64_t ParquetFile::data_bytes() const {
    std::int64_t bytes = 0;
    for (int i = 0; i < metadata_->num_row_groups(); ++i) {
        bytes += std::max<std::int64_t>(metadata_->RowGroup(i)->total_byte_size(), 0);
    }
    return bytes;
}

std::int64_t ParquetFile::batch_rows(int row_group, const std::vector<int>& leaf_columns) const {
    const auto group = metadata_->RowGroup(row_group);
    const std::int64_t count = std::max<std::int64_t>(group->num_rows(), 1);
    double row_bytes = 1.0;
    for (const int leaf : leaf_columns) {
        const auto chunk = group->ColumnChunk(leaf);
        // Each value has two levels of two bytes beside it; a dictionary may make the chunk smaller than
        // what it decodes to.
        const double values = 8.0 * static_cast<double>(std::max<std::int64_t>(chunk->num_values(), 0));
        const auto stored = static_cast<double>(std::max<std::int64_t>(chunk->total_uncompressed_size(), 0));
        row_bytes += std::max(values, stored) / static_cast<double>(count);
    }
    const double wanted = static_cast<double>(bytes_a_batch) / row_bytes;
    return static_cast<std::int64_t>(std::clamp(wanted, 1.0, static_cast<double>(most_rows_a_batch)));
}

void ParquetFile::read(const std::vector<int>& fields, const JobControl& control,
                       const std::function<void(const arrow::RecordBatch&)>& use) {
    std::vector<int> columns;
    for (const int field : fields) {
        for (const int leaf : leaves(field)) columns.push_back(leaf);
    }
    Ticker ticker(control, "read", metadata_->num_rows(), "rows");
    std::int64_t done = 0;
    for (int i = 0; i < metadata_->num_row_groups(); ++i) {
        const std::int64_t before = done;
        const std::int64_t expected = metadata_->RowGroup(i)->num_rows();
        reader_->set_batch_size(batch_rows(i, columns));
        const auto batches = take(reader_->GetRecordBatchReader({i}, columns));
        ticker.at(done);
        while (const auto batch = take(batches->Next())) {
            if (batch->num_columns() != static_cast<int>(fields.size())) {
                fail(ErrorCode::bad_input, "{}: row group {} lacks a column", path_, i);
            }
            done += batch->num_rows();
            if (done - before > expected) break;
            use(*batch);
            ticker.at(done);
        }
        if (done - before != expected) {
            fail(ErrorCode::bad_input, "{}: row group {} claims {} rows and has {}", path_, i, expected,
                 done - before > expected ? "more" : std::to_string(done - before));
        }
    }
    check_stamp(descriptor_, stamp_, path_);
}

}  // namespace grouplink::io
