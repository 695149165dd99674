#include "io/columnar_file.hpp"

#include "io/formats.hpp"
#include "io/ipc_file.hpp"
#include "io/parquet_file.hpp"

#include <algorithm>

namespace grouplink::io {
namespace {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;

}  // namespace

std::int64_t ColumnarFile::plausible_bytes() const { return std::max(1024 * mebibyte, 1000 * bytes_); }

// A run of equal values takes a few bytes, whatever its length; a thousand rows a byte is past anything
// that is worth linking.
std::int64_t ColumnarFile::plausible_rows() const { return mebibyte + 1000 * bytes_; }

void ColumnarFile::limit_memory() {
    arrow::MemoryPool* const system = arrow::system_memory_pool();
    const std::int64_t cap = system->bytes_allocated() + 1024 * mebibyte + 16 * bytes_;
    pool_ = std::make_unique<arrow::CappedMemoryPool>(system, cap);
}

void ColumnarFile::check(const arrow::Status& status) const {
    if (status.ok()) return;
    if (tells_of_memory(status.message())) throw std::bad_alloc();
    if (status.IsOutOfMemory()) {
        fail(ErrorCode::bad_input,
             "{}: asks for more memory than a file of {} bytes can fill, or than there is: {}", path_, bytes_,
             first_line(status.message()));
    }
    fail(ErrorCode::bad_input, "{}: is damaged, or uses what this reader does not know: {}", path_,
         first_line(status.message()));
}

std::unique_ptr<ColumnarFile> open_columnar(const std::string& path) {
    if (format_of(path) == Format::arrow) return std::make_unique<IpcFile>(path);
    return std::make_unique<ParquetFile>(path);
}

}  // namespace grouplink::io
