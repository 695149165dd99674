#pragma once

#include "io/atomic_file.hpp"
#include "io/links_out.hpp"

namespace grouplink::io {

/// Writes the links as JSON Lines: `{"source":0,"target":1,"weight":0.5,"similarity":"angular"}`. Rows go by
/// their ids, else by number; `similarity` names the mapping behind the weight, and `links` the link mode
/// where it is not directed. Weights read back as the same float32. An id that is not UTF-8 has U+FFFD in the
/// place of what is not.
void write_edges_json(AtomicFile& file, const LinksOut& links, const JobControl& control);

}  // namespace grouplink::io
