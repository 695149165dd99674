#pragma once

#include "io/atomic_file.hpp"
#include "io/links_out.hpp"

namespace grouplink::io {

/// Writes the links as Gephi imports edges: `Source,Target,Type,Weight,Similarity`, fields parted by
/// `separator`. Nodes go by their ids, else by row number; Type is Directed or Undirected; Similarity
/// names the mapping behind the weight. A field is quoted (RFC 4180) where it must be. Weights read back as
/// the same float32.
///
/// Links that hold both ways (LinkMode::mutual, symmetric) are Undirected, and each pair is written
/// once, at its lower row: Gephi takes a pair that is listed both ways for two parallel edges and
/// adds up their weights.
void write_edges_text(AtomicFile& file, char separator, const LinksOut& links, const JobControl& control);

}  // namespace grouplink::io
