#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::io {

struct ZipEntry {
    std::string name;
    std::string_view data;  ///< as stored; empty when compressed
    bool compressed = false;
};

/// Lists a ZIP archive (PKWARE's APPNOTE.TXT, section 4.3). Every position is checked against the file.
/// Throws Error(bad_input). `path` and `bytes` must outlive what is called.
class ZipReader {
public:
    ZipReader(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

    std::vector<ZipEntry> entries() const;

private:
    [[noreturn]] void damaged() const;
    std::string_view part(std::uint64_t at, std::uint64_t size) const;
    std::uint64_t number(std::uint64_t at, std::size_t size) const;
    std::uint64_t u16(std::uint64_t at) const { return number(at, 2); }
    std::uint64_t u32(std::uint64_t at) const { return number(at, 4); }
    std::uint64_t u64(std::uint64_t at) const { return number(at, 8); }
    std::uint64_t end_record() const;
    ZipEntry entry(std::uint64_t& at) const;

    const std::string& path_;
    std::string_view bytes_;
};

}  // namespace grouplink::io
