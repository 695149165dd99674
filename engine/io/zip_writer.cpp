#include "io/zip_writer.hpp"

#include <array>
#include <cassert>
#include <cstring>
#include <utility>

namespace grouplink::io {
namespace {

constexpr std::uint16_t version_stored = 20;
constexpr std::uint16_t version_zip64 = 45;
constexpr std::uint16_t made_on_unix = 3 << 8;
constexpr std::uint16_t january_1_1980 = (1 << 5) | 1;
constexpr std::uint32_t regular_file_rw_r_r = 0100644U << 16;
constexpr std::int64_t crc_in_local_header = 14;

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// tables[k][b] is the CRC of the byte b with k zeros after it, so that eight bytes go at once.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
        tables[0][b] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t b = 0; b < 256; ++b) {
            const std::uint32_t crc = tables[k - 1][b];
            tables[k][b] = (crc >> 8) ^ tables[0][crc & 0xFF];
        }
    }
    return tables;
}

constexpr Tables tables = make_tables();

/// Little-endian fields.
class Record {
public:
    Record& u16(std::uint64_t value) { return append(value, 2); }
    Record& u32(std::uint64_t value) { return append(value, 4); }
    Record& u64(std::uint64_t value) { return append(value, 8); }
    Record& text(std::string_view value) {
        bytes_ += value;
        return *this;
    }
    std::string_view bytes() const { return bytes_; }

private:
    Record& append(std::uint64_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>((value >> (8 * i)) & 0xFF);
        return *this;
    }

    std::string bytes_;
};

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t crc) {
    crc = ~crc;
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, at += 8) {
        crc ^= static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
               static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
        crc = tables[7][crc & 0xFF] ^ tables[6][(crc >> 8) & 0xFF] ^ tables[5][(crc >> 16) & 0xFF] ^
              tables[4][crc >> 24] ^ tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^
              tables[0][at[7]];
    }
    for (; left > 0; --left, ++at) crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

ZipWriter::ZipWriter(AtomicFile& file, std::uint64_t zip64_from) : file_(file), zip64_from_(zip64_from) {}

void ZipWriter::begin(std::string name, std::uint64_t size) {
    const bool zip64 = size >= zip64_from_;
    Entry entry{.name = std::move(name), .size = size};
    entry.place = static_cast<std::uint64_t>(file_.position());
    Record header;
    header.u32(0x04034B50).u16(zip64 ? version_zip64 : version_stored).u16(0).u16(0);
    header.u16(0).u16(january_1_1980).u32(0);  // the CRC comes when it is known
    header.u32(zip64 ? 0xFFFFFFFF : size).u32(zip64 ? 0xFFFFFFFF : size);
    header.u16(entry.name.size()).u16(zip64 ? 20 : 0).text(entry.name);
    if (zip64) header.u16(1).u16(16).u64(size).u64(size);
    file_.write(header.bytes());
    entries_.push_back(std::move(entry));
    written_ = 0;
}

void ZipWriter::write(std::string_view bytes) {
    Entry& entry = entries_.back();
    entry.crc = crc32(bytes, entry.crc);
    written_ += bytes.size();
    file_.write(bytes);
}

void ZipWriter::end() {
    const Entry& entry = entries_.back();
    assert(written_ == entry.size);
    Record crc;
    crc.u32(entry.crc);
    file_.patch(static_cast<std::int64_t>(entry.place) + crc_in_local_header, crc.bytes());
}

void ZipWriter::finish() {
    const auto directory = static_cast<std::uint64_t>(file_.position());
    for (const Entry& entry : entries_) {
        const bool long_size = entry.size >= zip64_from_;
        const bool long_place = entry.place >= zip64_from_;
        Record extra;
        if (long_size) extra.u64(entry.size).u64(entry.size);
        if (long_place) extra.u64(entry.place);
        const std::size_t extra_bytes = extra.bytes().size();
        const std::uint16_t version = extra_bytes > 0 ? version_zip64 : version_stored;
        Record header;
        header.u32(0x02014B50).u16(made_on_unix | version).u16(version).u16(0).u16(0);
        header.u16(0).u16(january_1_1980).u32(entry.crc);
        header.u32(long_size ? 0xFFFFFFFF : entry.size).u32(long_size ? 0xFFFFFFFF : entry.size);
        header.u16(entry.name.size()).u16(extra_bytes > 0 ? extra_bytes + 4 : 0).u16(0).u16(0).u16(0);
        header.u32(regular_file_rw_r_r).u32(long_place ? 0xFFFFFFFF : entry.place).text(entry.name);
        if (extra_bytes > 0) header.u16(1).u16(extra_bytes).text(extra.bytes());
        file_.write(header.bytes());
    }
    const auto end = static_cast<std::uint64_t>(file_.position());
    const std::uint64_t bytes = end - directory;
    const std::uint64_t count = entries_.size();
    const bool zip64 = bytes >= zip64_from_ || directory >= zip64_from_;
    Record record;
    if (zip64) {
        record.u32(0x06064B50).u64(44).u16(made_on_unix | version_zip64).u16(version_zip64).u32(0).u32(0);
        record.u64(count).u64(count).u64(bytes).u64(directory);
        record.u32(0x07064B50).u32(0).u64(end).u32(1);
    }
    record.u32(0x06054B50).u16(0).u16(0).u16(count).u16(count);
    record.u32(zip64 ? 0xFFFFFFFF : bytes).u32(zip64 ? 0xFFFFFFFF : directory).u16(0);
    file_.write(record.bytes());
}

}  // namespace grouplink::io
