#pragma once

#include <grouplink/io.hpp>
#include <grouplink/report.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace grouplink::io {

/// Under this name each output that has a place for it says how its links were made.
inline constexpr std::string_view metadata_key = "grouplink";

/// One JSON object in ASCII: version, metric, mapping, options, rows, links and cut. Nothing that
/// differs between runs that give the same links, such as times and threads.
std::string metadata_json(const Report& report);

/// The same of links of which no more than this is known.
std::string metadata_json(const LinksRecord& record, std::int64_t links);

/// A record as it may stand in any file, in ASCII; empty when it is no JSON object.
std::string ascii_record(const std::string& text);

/// What metadata_json() gave, taken apart for people: "mapping", "options.n_nearest", ... Any other text
/// comes back as one entry.
std::vector<std::pair<std::string, std::string>> read_metadata(const std::string& text);

/// Sets metric and similarity to those of a mapping by its name, see mapping_name(); false, and nothing set,
/// when there is none of that name.
bool set_mapping(std::string_view mapping, LinksRecord& record);

/// Takes what metadata_json() gave for the links in `file`, whose graph is read already. What contradicts
/// the graph, the `rows` that there are, or itself is a fault of the file.
void read_record(const std::string& text, std::optional<std::int64_t> rows, LinksFile& file);

}  // namespace grouplink::io
