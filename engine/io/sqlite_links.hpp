#pragma once

#include "io/atomic_file.hpp"
#include "io/links_out.hpp"
#include "io/sqlite_file.hpp"

#include <string>
#include <string_view>

namespace grouplink::io {

/// Links in a database: a row a link, `id`, `other_id` and `score`.
inline constexpr std::string_view links_table = "similarities";

/// How the links of that table were made, as metadata_json() has it; empty where nothing says it. It stands
/// in the table `grouplink`, under the name of the other.
std::string sqlite_record(const SqliteFile& file);

/// Writes `similarities (id, other_id, score)`, the pair its key, with an index by id and score, as Datasette
/// shows them. Rows go by their ids, else by number. Throws Error(bad_input) when two links have the same
/// ids.
void write_links_sqlite(AtomicFile& file, const LinksOut& links, const JobControl& control);

/// The same in a database that is there, in one transaction: links from rows of these are replaced, all else
/// stays. Throws Error(bad_input) where the table has other columns or holds links with another mapping.
void update_links_sqlite(const std::string& path, const LinksOut& links, const JobControl& control);

/// Throws as update_links_sqlite, as far as can be told before.
void check_updatable(const std::string& path);

}  // namespace grouplink::io
