#pragma once

#include "io/storage.hpp"

#include <grouplink/io.hpp>

#include <string>

namespace grouplink::io {

/// Columns of a table; an empty name is a column not asked for, or, for `embedding`, the only one
/// that could be it.
struct TableColumns {
    std::string embedding;
    std::string group;
    std::string id;
};

/// Reads the columns of Parquet or Arrow IPC, batch by batch. Throws Error(bad_input | io), and bad_input in
/// a build without Parquet.
RowsRead read_columnar(const std::string& path, const TableColumns& columns, const JobControl& control);

/// Fills all but FileInfo::path. Throws as read_columnar.
FileInfo inspect_columnar(const std::string& path, const JobControl& control);

}  // namespace grouplink::io
