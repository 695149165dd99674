#pragma once

#include <grouplink/report.hpp>

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

/// What metadata_json() gave, taken apart for people: "mapping", "options.n_nearest", ... Any other text
/// comes back as one entry.
std::vector<std::pair<std::string, std::string>> read_metadata(const std::string& text);

}  // namespace grouplink::io
