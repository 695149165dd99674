#pragma once

#include "io/mapped_file.hpp"

#include <string>
#include <string_view>

namespace grouplink::io {

/// A file for what memory has no room for. It has no name, so that nothing is left of it when the process
/// ends, however that comes.
class SpillFile {
public:
    /// Throws Error(io): the folder takes no file.
    explicit SpillFile(const std::string& folder);

    /// Throws Error(io): no space.
    void write(std::string_view bytes);
    /// All of it, to be read. Throws Error(io).
    MappedFile map() const;

private:
    std::string folder_;
    FileDescriptor file_;
};

}  // namespace grouplink::io
