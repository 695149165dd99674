#include "io/npz.hpp"

#include "io/outputs.hpp"
#include "io/zip_writer.hpp"

using namespace grouplink;
using namespace grouplink::test;

namespace {

std::string npz(const LinkResult& result, std::uint64_t zip64_from = 0xFFFFFFFF) {
    const Folder folder;
    io::AtomicFile file(folder / "a.npz", false);
    io::write_npz(file, io::links_out(small_table(), result), {}, zip64_from);
    file.commit();
    return read(folder / "a.npz");
}

std::uint64_t number(const std::string& bytes, std::size_t at, int size) {
    std::uint64_t value = 0;
    for (int i = size - 1; i >= 0; --i) {
        value = value << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<std::size_t>(i)));
    }
    return value;
}

}  // namespace

TEST_CASE("CRC-32") {
    CHECK(io::crc32("") == 0);
    CHECK(io::crc32("123456789") == 0xCBF43926);
    CHECK(io::crc32("The quick brown fox jumps over the lazy dog") == 0x414FA339);
    CHECK(io::crc32("56789", io::crc32("1234")) == 0xCBF43926);
}

TEST_CASE("the header of an array") {
    const std::string header = io::npy_header("<f4", "(3,)");
    CHECK(header.size() == 128);
    CHECK(header.starts_with(std::string_view("\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'", 24)));
    CHECK(header.back() == '\n');
}

TEST_CASE("the same links give the same bytes, and a sound archive") {
    const std::string bytes = npz(small_result());
    CHECK(bytes == npz(small_result()));
    const std::size_t end = bytes.size() - 22;
    CHECK(number(bytes, end, 4) == 0x06054B50);
    CHECK(number(bytes, end + 10, 2) == 6);
    CHECK(number(bytes, 0, 4) == 0x04034B50);
    CHECK(number(bytes, end + 16, 4) + number(bytes, end + 12, 4) == end);
    const std::size_t first = 30 + std::string_view("indices.npy").size();
    const auto size = static_cast<std::size_t>(number(bytes, 18, 4));
    CHECK(number(bytes, 14, 4) == io::crc32(std::string_view(bytes).substr(first, size)));
}

TEST_CASE("zip64 fields stand where 32 bits do not do") {
    const std::string bytes = npz(small_result(), 200);
    const std::size_t end = bytes.size() - 22;
    CHECK(number(bytes, end + 16, 4) == 0xFFFFFFFF);
    CHECK(number(bytes, end - 20, 4) == 0x07064B50);
    const auto record = static_cast<std::size_t>(number(bytes, end - 12, 8));
    CHECK(number(bytes, record, 4) == 0x06064B50);
    const auto directory = static_cast<std::size_t>(number(bytes, record + 48, 8));
    CHECK(number(bytes, directory, 4) == 0x02014B50);
    CHECK(directory + number(bytes, record + 40, 8) == record);
}

TEST_CASE("a graph of no rows") { CHECK(!npz(LinkResult{}).empty()); }

TEST_CASE("a stop request ends the writing") {
    std::stop_source source;
    source.request_stop();
    const Folder folder;
    {
        io::AtomicFile file(folder / "a.npz", false);
        const LinkResult result = small_result();
        const JobControl control{{}, source.get_token()};
        CHECK(error_of([&] { io::write_npz(file, io::links_out(small_table(), result), control); }).first ==
              ErrorCode::cancelled);
    }
    CHECK(folder.files() == 0);
}
