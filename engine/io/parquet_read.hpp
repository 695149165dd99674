#pragma once

#include "io/storage.hpp"

#include <grouplink/io.hpp>

#include <string>

namespace grouplink::io {

/// Columns of a Parquet file; an empty name is a column not asked for, or, for `embedding`, the only one
/// that could be it.
struct ParquetColumns {
    std::string embedding;
    std::string group;
    std::string id;
};

/// Reads the columns row group by row group. Throws Error(bad_input | io), and bad_input in a build
/// without Parquet.
RowsRead read_parquet(const std::string& path, const ParquetColumns& columns, const JobControl& control);

/// Fills all but FileInfo::path. Throws as read_parquet.
FileInfo inspect_parquet(const std::string& path, const JobControl& control);

}  // namespace grouplink::io
