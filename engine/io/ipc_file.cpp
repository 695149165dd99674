#include "io/ipc_file.hpp"

#include "io/ticker.hpp"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>

#include <algorithm>
#include <string_view>

namespace grouplink::io {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view file_mark = "ARROW1";
constexpr std::string_view stream_mark = "\xFF\xFF\xFF\xFF"sv;
constexpr std::string_view stream_end = "\xFF\xFF\xFF\xFF\0\0\0\0"sv;
constexpr std::int64_t bytes_a_slice = std::int64_t{16} << 20;
constexpr std::string_view feather_1_mark = "FEA1";

}  // namespace

IpcFile::IpcFile(const std::string& path) : ColumnarFile(path), file_(path) {
    bytes_ = static_cast<std::int64_t>(file_.size());
    const std::string_view text = file_.text();
    if (text.empty()) fail(ErrorCode::bad_input, "{}: is empty, so it is no Arrow file", path);
    if (text.starts_with(feather_1_mark)) {
        fail(ErrorCode::bad_input, "{}: is Feather version 1; write it as version 2, which is Arrow IPC",
             path);
    }
    stream_ = text.starts_with(stream_mark);
    if (!stream_ && !text.starts_with(file_mark)) {
        fail(ErrorCode::bad_input,
             "{}: is no Arrow file, it begins with neither ARROW1 nor the mark of a stream", path);
    }
    if (!stream_ && (text.size() < 2 * file_mark.size() || !text.ends_with(file_mark))) {
        fail(ErrorCode::bad_input, "{}: was cut short, it does not end with ARROW1", path);
    }
    file_.read_in_order();
    limit_memory();
    if (!stream_) {
        // Which checks the footer.
        arrow::io::BufferReader source(buffer());
        (void)take(arrow::ipc::RecordBatchFileReader::Open(&source, options({})));
        messages_ = messages_of(*buffer(), path);
    }
    arrow::io::BufferReader source(buffer());
    schema_ = open(source, {})->schema();
}

std::shared_ptr<arrow::RecordBatchReader> IpcFile::open(arrow::io::BufferReader& source,
                                                        const std::vector<int>& fields) const {
    using Reader = arrow::ipc::RecordBatchStreamReader;
    return stream_ ? take(Reader::Open(&source, options(fields)))
                   : take(Reader::Open(read_messages(source, messages_), options(fields)));
}

std::shared_ptr<arrow::Buffer> IpcFile::buffer() const {
    return std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(file_.data()), bytes_);
}

arrow::ipc::IpcReadOptions IpcFile::options(const std::vector<int>& fields) const {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = pool_.get();
    options.included_fields = fields;
    options.use_threads = false;
    options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
    return options;
}

/// A reader takes the end of a file for the end of a stream, wherever it was cut between two messages.
void IpcFile::check_end(std::int64_t position) const {
    const std::string_view read = file_.text().substr(0, static_cast<std::size_t>(position));
    if (!read.ends_with(stream_end)) {
        fail(ErrorCode::bad_input, "{}: was cut short, it does not end with the mark of a stream's end",
             path_);
    }
    if (position != bytes_) {
        fail(ErrorCode::bad_input, "{}: goes on for {} bytes after the end of its stream; write one stream",
             path_, bytes_ - position);
    }
}

void IpcFile::read(const std::vector<int>& fields, const JobControl& control,
                   const std::function<void(const arrow::RecordBatch&)>& use) {
    Ticker ticker(control, "read", bytes_, "bytes");
    std::int64_t rows = 0;
    const auto take_batch = [&](const arrow::RecordBatch& batch) {
        // What is read in place has been checked by nobody.
        check(batch.ValidateFull());
        if (batch.num_rows() > plausible_rows() - rows) {
            fail(ErrorCode::bad_input, "{}: claims {} rows in a batch, too many for {} bytes", path_,
                 batch.num_rows(), bytes_);
        }
        rows += batch.num_rows();
        // Batches are as large as whoever wrote them liked: they pass through memory in slices.
        const std::int64_t slice_rows =
            std::max<std::int64_t>(1, batch.num_rows() / (1 + bytes_ / bytes_a_slice));
        for (std::int64_t first = 0; first < batch.num_rows(); first += slice_rows) {
            file_.give_back();
            use(*batch.Slice(first, slice_rows));
        }
        if (batch.num_rows() == 0) use(batch);
        file_.give_back();
    };
    arrow::io::BufferReader source(buffer());
    const auto reader = open(source, fields);
    while (const auto batch = take(reader->Next())) {
        ticker.at(take(source.Tell()));
        take_batch(*batch);
    }
    if (stream_) check_end(take(source.Tell()));
    file_.check_unchanged();
}

}  // namespace grouplink::io
