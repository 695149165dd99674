#pragma once

#include <grouplink/io.hpp>

#include <string>

namespace grouplink::io {

/// The manifest of a part as it stands in the file, and what is in it besides.
struct PartContents {
    PartFile file;
    std::string manifest;
};
PartContents read_part_contents(const std::string& path, const JobControl& control);

}  // namespace grouplink::io
