#include "io/inspect_formats.hpp"
#include "io/metadata.hpp"
#include "io/part_file.hpp"

namespace grouplink::io {

FileInfo inspect_part(const std::string& path, const JobControl& control) {
    const PartContents contents = read_part_contents(path, control);
    FileInfo info;
    info.format = "part";
    info.rows = std::ssize(contents.file.part.rows);
    info.metadata = read_metadata(contents.manifest);
    return info;
}

}  // namespace grouplink::io
