#pragma once

#include "io/atomic_file.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::io {

/// CRC-32 as in zip and PNG, of more bytes after those that gave `crc`.
std::uint32_t crc32(std::string_view bytes, std::uint32_t crc = 0);

/// Writes a zip archive whose entries are stored as they are (APPNOTE.TXT 6.3.9). The same entries give
/// the same bytes: times are fixed. Sizes and places that 32 bits do not hold go into zip64 fields.
class ZipWriter {
public:
    /// Numbers from `zip64_from` on go into zip64 fields; lower only in tests.
    explicit ZipWriter(AtomicFile& file, std::uint64_t zip64_from = 0xFFFFFFFF);

    /// Begins an entry of just `size` bytes; `name` is ASCII.
    void begin(std::string name, std::uint64_t size);
    void write(std::string_view bytes);
    void end();
    /// The directory at the end of the archive.
    void finish();

private:
    struct Entry {
        std::string name;
        std::uint64_t size = 0;
        std::uint64_t place = 0;  ///< of its local header
        std::uint32_t crc = 0;
    };

    AtomicFile& file_;
    std::uint64_t zip64_from_;
    std::vector<Entry> entries_;
    std::uint64_t written_ = 0;  ///< of the entry in progress
};

}  // namespace grouplink::io
