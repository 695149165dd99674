#pragma once

#include "io/atomic_file.hpp"

#include <grouplink/io.hpp>

#include <string>

namespace grouplink::io {

/// Rows on their way to a file, and the names of their columns where it has columns. An empty name is a
/// column that there is not.
struct RowsOut {
    const Table& table;
    std::string embedding{};
    std::string group{};
    std::string id{};
};

// Arrays have no place for rows without an embedding, or of several dimensions: Error(bad_input) tells the
// first. fbin and fvecs hold the nearest float32.

void write_npy_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control);
void write_fbin_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control);
void write_fvecs_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control);

/// An object a line. What is not finite is null.
void write_json_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control);

/// A column of fixed_size_list where all rows have one dimension, else of list, of the components' own type.
void write_columnar_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control);

/// All columns of one table into another, as they are.
void copy_columnar(AtomicFile& file, const std::string& input, const JobControl& control);

/// Whether a table has the columns of links.
bool columnar_holds_links(const std::string& path);

}  // namespace grouplink::io
