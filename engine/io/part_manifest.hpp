#pragma once

#include <grouplink/io.hpp>

#include <string>
#include <string_view>

namespace grouplink::io {

/// What a part says of itself, as one JSON object in ASCII: all but its groups, rows and neighbors.
std::string part_manifest(const LinkPart& part, const InputSpec& input);

/// Takes it apart again. Throws Error(bad_input) about `path`.
void read_part_manifest(std::string_view text, const std::string& path, PartFile& file);

/// The ranges of a part and the reports of their groups, in bytes.
std::string part_groups(const LinkPart& part);
void read_part_groups(std::string_view bytes, const std::string& path, LinkPart& part);

}  // namespace grouplink::io
