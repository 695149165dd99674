#include "io/sqlite_links.hpp"

#include "io/metadata.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace grouplink::io {

std::string sqlite_record(const SqliteFile& file) {
    if (!file.has_table(metadata_key)) return {};
    const std::vector<std::string> columns = file.columns(metadata_key);
    for (const char* const name : {"name", "value"}) {
        if (std::find(columns.begin(), columns.end(), name) == columns.end()) return {};
    }
    SqliteStatement query =
        file.prepare(fmt::format("SELECT value FROM {} WHERE name = ?", sql_name(metadata_key)));
    query.bind(1, links_table);
    return query.step() ? std::string(query.bytes(0)) : std::string();
}

}  // namespace grouplink::io
