#include "io/mapped_file.hpp"

#include "io/outputs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace grouplink;
using namespace grouplink::test;
using io::MappedFile;

namespace {

/// Whatever happens to it, a file that was written to is told from one that was not by the time of that.
void set_back(const std::string& path) {
    const timespec long_ago[2] = {{.tv_sec = 1'000'000'000, .tv_nsec = 0},
                                  {.tv_sec = 1'000'000'000, .tv_nsec = 0}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0) == 0);
}

}  // namespace

TEST_CASE("a mapped file tells whether it is what it was") {
    const Folder folder;
    const std::string path = folder / "rows.npy";
    put(path, std::string(100, 'x'));
    set_back(path);
    const MappedFile file(path);
    CHECK(file.text() == std::string(100, 'x'));
    CHECK_NOTHROW(file.check_unchanged());
    const std::string text = path + ": was changed while it was read; run again once nothing writes to it";

    SUBCASE("written to, of the same size") { put(path, std::string(100, 'y')); }
    SUBCASE("cut short") { REQUIRE(::truncate(path.c_str(), 50) == 0); }
    SUBCASE("grown") { REQUIRE(::truncate(path.c_str(), 200) == 0); }
    const auto [code, got] = error_of([&] { file.check_unchanged(); });
    CHECK(code == ErrorCode::io);
    CHECK(got == text);
}

TEST_CASE("a file that is deleted or replaced by another stays what it was to those who have it") {
    const Folder folder;
    const std::string path = folder / "rows.npy";
    put(path, "old");
    MappedFile file(path);
    put(folder / "new", "new");
    std::filesystem::rename(folder / "new", path);
    CHECK_NOTHROW(file.check_unchanged());
    CHECK(file.text() == "old");
    std::filesystem::remove(path);
    MappedFile moved = std::move(file);
    CHECK_NOTHROW(moved.check_unchanged());
    CHECK(moved.text() == "old");
    CHECK_NOTHROW(MappedFile().check_unchanged());
}

TEST_CASE("an output is not made of an input that was changed") {
    const Folder folder;
    const std::string path = folder / "rows.npy";
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }";
    header.resize(117, ' ');
    put(path, std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + '\n' + std::string(32, '\0'));
    set_back(path);
    InputSpec input;
    input.path = path;
    const Table table = read_table(input);
    REQUIRE(table.vectors.rows == 4);
    OutputSpec output;
    output.path = folder / "links.npz";
    write_links(output, input, table, small_result());
    output.force = true;
    const std::string before = read(output.path);
    REQUIRE(::truncate(path.c_str(), 130) == 0);
    const auto [code, text] = error_of([&] { write_links(output, input, table, small_result()); });
    CHECK(code == ErrorCode::io);
    CHECK(text.find("was changed while it was read") != std::string::npos);
    CHECK(read(output.path) == before);
    CHECK(folder.files() == 2);
}

TEST_CASE("bytes at a place, fewer only at the end") {
    const Folder folder;
    put(folder / "a", "abcdef");
    const io::FileDescriptor file = io::open_to_read(folder / "a");
    CHECK(io::read_at(file.get(), 2, 3, "a") == "cde");
    CHECK(io::read_at(file.get(), 4, 9, "a") == "ef");
    CHECK(io::read_at(file.get(), 9, 9, "a").empty());
    CHECK(error_of([&] { io::read_at(-1, 0, 1, "a"); }).second == "a: cannot be read: Bad file descriptor");
}
