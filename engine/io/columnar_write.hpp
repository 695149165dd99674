#pragma once

#include "io/atomic_file.hpp"
#include "io/links_out.hpp"

#include <grouplink/io.hpp>

namespace grouplink::io {

/// Writes the columns source, target (the rows' ids, else int64 row numbers) and weight (float32), a row
/// a link.
void write_edges_columnar(AtomicFile& file, const LinksOut& links, const JobControl& control);

/// Writes a row for each row of the input: all columns of a columnar input, read again part by part, or
/// row, id and group of another, as far as they are given; then targets (a list of ids, else of row
/// numbers) and weights (a list of float32). Throws Error(bad_input) when the input has such columns.
void write_lists_columnar(AtomicFile& file, const InputSpec& input, const LinksOut& links,
                          const JobControl& control);

/// Throws Error(bad_input) when the input is a table that has a column named as one that
/// write_lists_columnar adds. What else is wrong with the input is for its reader to say.
void check_list_columns(const InputSpec& input);

}  // namespace grouplink::io
