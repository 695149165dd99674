#pragma once

#include <grouplink/io.hpp>

#include <string>

namespace grouplink::io {

/// Each fills all but FileInfo::path; Parquet's is in parquet.hpp.
FileInfo inspect_npz(const std::string& path);
FileInfo inspect_text(const std::string& path, char delimiter, const JobControl& control);

}  // namespace grouplink::io
