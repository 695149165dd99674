#include "io/parquet_file.hpp"

#include "io/mapped_file.hpp"
#include "io/ticker.hpp"

#include <arrow/io/file.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace grouplink::io {
namespace {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
constexpr std::int64_t bytes_a_batch = 8 * mebibyte;
constexpr std::int64_t most_rows_a_batch = std::int64_t{1} << 16;

/// Arrow's own words for files of other kinds are of little use.
void check_marks(const std::string& path, int descriptor, std::int64_t size) {
    constexpr std::int64_t smallest = 12;
    std::array<char, 4> mark{};
    const auto has_mark = [&](std::int64_t position, std::string_view expected) {
        return ::pread(descriptor, mark.data(), mark.size(), position) == std::ssize(mark) &&
               std::string_view(mark.data(), mark.size()) == expected;
    };
    if (size == 0) fail(ErrorCode::bad_input, "{}: is empty, so it is no Parquet file", path);
    if (has_mark(0, "PARE"))
        fail(ErrorCode::bad_input, "{}: is encrypted; write it without encryption", path);
    if (!has_mark(0, "PAR1")) {
        fail(ErrorCode::bad_input, "{}: is no Parquet file, it does not begin with PAR1", path);
    }
    if (size < smallest || !has_mark(size - std::ssize(mark), "PAR1")) {
        fail(ErrorCode::bad_input, "{}: was cut short, it does not end with PAR1", path);
    }
}

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
    if (field.is_leaf()) leaves.push_back(field.column_index);
    for (const auto& child : field.children) collect_leaves(child, leaves);
}

}  // namespace

ParquetFile::ParquetFile(const std::string& path) : path_(path) {
    FileDescriptor descriptor = open_to_read(path);
    struct stat info {};
    if (::fstat(descriptor.get(), &info) != 0) fail_system(path, "cannot be examined", errno);
    bytes_ = info.st_size;
    check_marks(path, descriptor.get(), bytes_);

    // The system's allocator gives large blocks back at once. The cap stops headers that claim pages of
    // gigabytes; what this pool counts is the process's, so what is there already comes on top.
    arrow::MemoryPool* const system = arrow::system_memory_pool();
    const std::int64_t cap = system->bytes_allocated() + 1024 * mebibyte + 16 * bytes_;
    pool_ = std::make_unique<arrow::CappedMemoryPool>(system, cap);

    auto source = take(arrow::io::ReadableFile::Open(descriptor.get(), pool_.get()));
    descriptor.release();
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

    // A run of equal values takes a few bytes, whatever its length; a thousand rows a byte is past
    // anything that is worth linking.
    const std::int64_t plausible_rows = mebibyte + 1000 * bytes_;
    std::int64_t sum = 0;
    for (int i = 0; i < metadata_->num_row_groups(); ++i) {
        const std::int64_t count = metadata_->RowGroup(i)->num_rows();
        if (count < 0 || count > plausible_rows - sum) {
            fail(ErrorCode::bad_input, "{}: claims {} rows in a row group, too many for {} bytes", path,
                 count, bytes_);
        }
        sum += count;
    }
    if (sum != rows()) {
        fail(ErrorCode::bad_input, "{}: claims {} rows, its row groups have {}", path, rows(), sum);
    }
}

std::int64_t ParquetFile::plausible_bytes() const { return std::max(1024 * mebibyte, 1000 * bytes_); }

void ParquetFile::check(const arrow::Status& status) const {
    if (status.ok()) return;
    if (status.IsOutOfMemory()) {
        fail(ErrorCode::bad_input,
             "{}: asks for more memory than a file of {} bytes can fill, or than there is: {}", path_, bytes_,
             first_line(status.message()));
    }
    fail(ErrorCode::bad_input, "{}: is damaged, or uses what this reader does not know: {}", path_,
         first_line(status.message()));
}

std::vector<int> ParquetFile::leaves(int field) const {
    std::vector<int> result;
    collect_leaves(reader_->manifest().schema_fields.at(static_cast<std::size_t>(field)), result);
    return result;
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
    Ticker ticker(control, "read", rows());
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
}

}  // namespace grouplink::io
