#include "io/links_reader.hpp"
#include "io/message.hpp"
#include "io/parquet_read.hpp"

namespace grouplink::io {
namespace {

[[noreturn]] void refuse(const std::string& path) {
    fail(ErrorCode::bad_input, "{}: this build has no Parquet; build with -DGROUPLINK_PARQUET=ON", path);
}

}  // namespace

RowsRead read_parquet(const std::string& path, const ParquetColumns&, const JobControl&) { refuse(path); }

FileInfo inspect_parquet(const std::string& path, const JobControl&) { refuse(path); }

LinksFile read_parquet_links(const std::string& path, const Table&, const JobControl&) { refuse(path); }

}  // namespace grouplink::io
