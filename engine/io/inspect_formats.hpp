#pragma once

#include <grouplink/io.hpp>

#include <string>

namespace grouplink::io {

/// Each fills all but FileInfo::path. Throws Error(bad_input | io).
FileInfo inspect_columnar(const std::string& path, const JobControl& control);
FileInfo inspect_json_lines(const std::string& path, const JobControl& control);
FileInfo inspect_sqlite(const std::string& path, const JobControl& control);
FileInfo inspect_npz(const std::string& path);
FileInfo inspect_part(const std::string& path, const JobControl& control);
FileInfo inspect_text(const std::string& path, char delimiter, const JobControl& control);

}  // namespace grouplink::io
