#include "io/inspect_formats.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/npy.hpp"
#include "io/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace grouplink::io {
namespace {

struct Entry {
    std::string name;
    std::string_view data;  ///< as stored; empty when compressed
    bool compressed = false;
};

/// Lists a ZIP archive (PKWARE's APPNOTE.TXT, section 4.3). Every position is checked against the file.
class ZipReader {
public:
    ZipReader(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

    std::vector<Entry> entries() const {
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
        std::vector<Entry> entries;
        for (std::uint64_t i = 0; i < count; ++i) entries.push_back(entry(position));
        return entries;
    }

private:
    [[noreturn]] void damaged() const {
        fail(ErrorCode::bad_input, "{}: is not an .npz file, or a damaged one", path_);
    }
    std::string_view part(std::uint64_t at, std::uint64_t size) const {
        if (at > bytes_.size() || size > bytes_.size() - at) damaged();
        return bytes_.substr(at, size);
    }
    std::uint64_t number(std::uint64_t at, std::size_t size) const {
        std::uint64_t value = 0;
        std::memcpy(&value, part(at, size).data(), size);
        return value;
    }
    std::uint64_t u16(std::uint64_t at) const { return number(at, 2); }
    std::uint64_t u32(std::uint64_t at) const { return number(at, 4); }
    std::uint64_t u64(std::uint64_t at) const { return number(at, 8); }

    /// The end record may be followed by a comment of up to 65,535 bytes.
    std::uint64_t end_record() const {
        constexpr std::size_t record = 22;
        if (bytes_.size() < record) damaged();
        const std::size_t found = bytes_.rfind("PK\x05\x06", bytes_.size() - record);
        if (found == std::string_view::npos || bytes_.size() - found > record + 65535) damaged();
        return found;
    }

    Entry entry(std::uint64_t& at) const {
        if (u32(at) != 0x02014b50) damaged();
        const std::uint64_t method = u16(at + 10);
        std::uint64_t stored_size = u32(at + 20);
        const std::uint64_t size = u32(at + 24);
        const std::uint64_t name_size = u16(at + 28);
        const std::uint64_t extra_size = u16(at + 30);
        std::uint64_t local = u32(at + 42);
        Entry entry{.name = std::string(part(at + 46, name_size)), .data = {}, .compressed = method != 0};
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

    const std::string& path_;
    std::string_view bytes_;
};

/// The text of an array of one string.
std::string text_of(const NpyHeader& header, std::string_view data) {
    std::string text;
    if (header.kind != 'U') return std::string(data.substr(0, data.find('\0')));
    for (std::size_t i = 0; i + 4 <= data.size(); i += 4) {
        std::uint32_t code_point = 0;
        std::memcpy(&code_point, data.data() + i, 4);
        if (code_point != 0) append_utf8(text, code_point);
    }
    return text;
}

}  // namespace

FileInfo inspect_npz(const std::string& path) {
    const MappedFile file(path);
    FileInfo info;
    info.format = "npz";
    info.bytes = static_cast<std::int64_t>(file.size());
    std::optional<std::int64_t> matrix_rows;
    for (const Entry& entry : ZipReader(path, file.text()).entries()) {
        const std::string name =
            entry.name.ends_with(".npy") ? entry.name.substr(0, entry.name.size() - 4) : entry.name;
        ColumnInfo column;
        column.name = name;
        column.type = "compressed";
        if (!entry.compressed) {
            const std::string where = fmt::format("{}: {}", path, in_quotes(name));
            const NpyHeader header = parse_npy(entry.data, where);
            const std::string_view data = entry.data.substr(header.data_offset);
            column.type = fmt::format("{} {}", header.descr, npy_shape(header));
            if (!header.shape.empty()) info.rows = std::max(info.rows, header.shape[0]);
            if (name == "shape" && header.descr == "<i8" && data.size() >= 8) {
                std::int64_t rows = 0;
                std::memcpy(&rows, data.data(), 8);
                matrix_rows = rows;
            }
            const bool text = header.shape.empty() && (header.kind == 'U' || header.kind == 'S');
            if (text && name == metadata_key) {
                for (auto& value : read_metadata(text_of(header, data)))
                    info.metadata.push_back(std::move(value));
                continue;
            }
            if (text && name == "format") info.metadata.emplace_back(name, text_of(header, data));
        }
        info.columns.push_back(std::move(column));
    }
    if (matrix_rows) info.rows = *matrix_rows;
    return info;
}

}  // namespace grouplink::io
