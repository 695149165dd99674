#include "io/npz.hpp"
#include "io/outputs.hpp"

#include <fmt/format.h>

#include <algorithm>

using namespace grouplink;

TEST_CASE("an array") {
    const test::Folder folder;
    test::put(folder / "a.npy", io::npy_header("<f4", "(4, 2)") + std::string(32, '\0'));
    const FileInfo info = inspect_file(folder / "a.npy");
    CHECK(info.format == "npy");
    CHECK(info.rows == 4);
    REQUIRE(info.columns.size() == 1);
    CHECK(info.columns[0].type == "<f4");
    CHECK(info.columns[0].dims == std::pair<std::int64_t, std::int64_t>(2, 2));
    CHECK(info.columns[0].embedding);
    test::put(folder / "b.npy", io::npy_header("<i4", "(4,)") + std::string(16, '\0'));
    CHECK_FALSE(inspect_file(folder / "b.npy").columns[0].embedding);
}

TEST_CASE("columns of a text: types and empty values") {
    const test::Folder folder;
    test::put(folder / "a.tsv", "n\tx\tt\te\n1\t1.5\ta\t\n-2\t3\t\t\n");
    const FileInfo info = inspect_file(folder / "a.tsv");
    CHECK(info.format == "tsv");
    CHECK(info.rows == 2);
    REQUIRE(info.columns.size() == 4);
    CHECK(info.columns[0].type == "integer");
    CHECK(info.columns[1].type == "number");
    CHECK(info.columns[2].type == "text");
    CHECK(info.columns[2].nulls == 1);
    CHECK(info.columns[3].type == "empty");
    CHECK(info.columns[3].nulls == 2);
}

TEST_CASE("a matrix of links, also with 64-bit sizes, tells how it was made") {
    const test::Folder folder;
    const Table table = test::small_table();
    const LinkResult result = test::small_result();
    for (const std::uint64_t zip64_from : {std::uint64_t{0xFFFFFFFF}, std::uint64_t{1}}) {
        const std::string path = folder / fmt::format("{}.npz", zip64_from);
        io::AtomicFile file(path, false);
        io::write_npz(file, io::links_out(table, result), {}, zip64_from);
        file.commit();
        const FileInfo info = inspect_file(path);
        CHECK(info.format == "npz");
        CHECK(info.rows == 4);
        CHECK(info.columns.size() == 5);
        const std::pair<std::string, std::string> expected("mapping", "angular");
        CHECK(std::find(info.metadata.begin(), info.metadata.end(), expected) != info.metadata.end());
    }
}

TEST_CASE("every cut of an archive is an error") {
    const test::Folder folder;
    const Table table = test::small_table();
    const LinkResult result = test::small_result();
    io::AtomicFile file(folder / "a.npz", false);
    io::write_npz(file, io::links_out(table, result), {});
    file.commit();
    const std::string whole = test::read(folder / "a.npz");
    for (std::size_t size = 0; size < whole.size(); size += 7) {
        test::put(folder / "cut.npz", whole.substr(0, size));
        const auto [code, message] = test::error_of([&] { inspect_file(folder / "cut.npz"); });
        CHECK(code == ErrorCode::bad_input);
    }
}

TEST_CASE("a file of an unknown kind") {
    const auto [code, message] = test::error_of([] { inspect_file("links.npzz"); });
    CHECK(code == ErrorCode::invalid_options);
    CHECK(message ==
          "links.npzz: extension \".npzz\", a file to inspect is one of .parquet, .arrow, .npy, .fbin, "
          ".fvecs, .npz, .csv, .tsv, .jsonl, .db, .part; did you mean \".npz\"?");
}
