#include "io/inspect_formats.hpp"
#include "io/links_reader.hpp"
#include "io/message.hpp"
#include "io/readers.hpp"

namespace grouplink::io {
namespace {

[[noreturn]] void refuse(const std::string& path) {
    fail(ErrorCode::bad_input,
         "{}: this build has no Parquet and no Arrow; build with -DGROUPLINK_PARQUET=ON", path);
}

}  // namespace

RowsRead read_columnar(const std::string& path, const TableColumns&, const Spill&, const JobControl&) {
    refuse(path);
}

StringColumn read_columnar_texts(const std::string& path, const std::string&, std::span<const std::int64_t>,
                                 const JobControl&) {
    refuse(path);
}

FileInfo inspect_columnar(const std::string& path, const JobControl&) { refuse(path); }

LinksFile read_columnar_links(const std::string& path, RowNames&, const JobControl&) { refuse(path); }

}  // namespace grouplink::io
