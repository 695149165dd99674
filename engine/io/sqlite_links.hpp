#pragma once

#include "io/sqlite_file.hpp"

#include <string>
#include <string_view>

namespace grouplink::io {

/// Links in a database: a row a link, a name of a row, another and their weight.
inline constexpr std::string_view links_table = "similarities";

/// How the links of that table were made, as metadata_json() has it; empty where nothing says it. It stands
/// in the table `grouplink`, under the name of the other.
std::string sqlite_record(const SqliteFile& file);

}  // namespace grouplink::io
