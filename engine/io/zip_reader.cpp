#include "io/zip_reader.hpp"

#include "io/message.hpp"

#include <cstring>

namespace grouplink::io {

std::vector<ZipEntry> ZipReader::entries() const {
    std::uint64_t at = end_record();
    std::uint64_t count = u16(at + 10);
    std::uint64_t position = u32(at + 16);
    // A 64-bit record stands before its locator, and that before the end record.
    if (at >= 20 && u32(at - 20) == 0x07064b50) {
        at = u64(at - 12);
        if (u32(at) != 0x06064b50) damaged();
        count = u64(at + 32);
        position = u64(at + 48);
    }
    std::vector<ZipEntry> entries;
    for (std::uint64_t i = 0; i < count; ++i) entries.push_back(entry(position));
    return entries;
}

void ZipReader::damaged() const {
    fail(ErrorCode::bad_input, "{}: is not an .npz file, or a damaged one", path_);
}

std::string_view ZipReader::part(std::uint64_t at, std::uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) damaged();
    return bytes_.substr(at, size);
}

std::uint64_t ZipReader::number(std::uint64_t at, std::size_t size) const {
    std::uint64_t value = 0;
    std::memcpy(&value, part(at, size).data(), size);
    return value;
}

/// The end record may be followed by a comment of up to 65,535 bytes.
std::uint64_t ZipReader::end_record() const {
    constexpr std::size_t record = 22;
    if (bytes_.size() < record) damaged();
    const std::size_t found = bytes_.rfind("PK\x05\x06", bytes_.size() - record);
    if (found == std::string_view::npos || bytes_.size() - found > record + 65535) damaged();
    return found;
}

ZipEntry ZipReader::entry(std::uint64_t& at) const {
    if (u32(at) != 0x02014b50) damaged();
    const std::uint64_t method = u16(at + 10);
    std::uint64_t stored_size = u32(at + 20);
    const std::uint64_t size = u32(at + 24);
    const std::uint64_t name_size = u16(at + 28);
    const std::uint64_t extra_size = u16(at + 30);
    std::uint64_t local = u32(at + 42);
    ZipEntry entry{.name = std::string(part(at + 46, name_size)), .data = {}, .compressed = method != 0};
    std::uint64_t extra = at + 46 + name_size;
    const std::uint64_t extra_end = extra + extra_size;
    part(extra, extra_size);
    while (extra + 4 <= extra_end) {
        const std::uint64_t id = u16(extra);
        const std::uint64_t length = u16(extra + 2);
        std::uint64_t field = extra + 4;
        extra = field + length;
        if (id != 1) continue;
        // Only what does not fit its plain field stands here, in this order.
        for (std::uint64_t* value : {&stored_size, &local}) {
            if (value == &stored_size && size == 0xFFFFFFFF) field += 8;
            if (*value != 0xFFFFFFFF) continue;
            *value = u64(field);
            field += 8;
        }
    }
    at = extra_end + u16(at + 32);
    if (u32(local) != 0x04034b50) damaged();
    const std::uint64_t start = local + 30 + u16(local + 26) + u16(local + 28);
    const std::string_view data = part(start, stored_size);
    if (!entry.compressed) entry.data = data;
    return entry;
}

}  // namespace grouplink::io
