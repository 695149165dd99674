#include "io/outputs.hpp"

#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <string_view>

using namespace grouplink;
using namespace grouplink::test;

namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("outputs go by their extension") {
    const Folder folder;
    const auto fails = [&](const OutputSpec& output, ErrorCode wanted, std::string_view part) {
        const auto [code, text] = error_of([&] { check_output(output, {}); });
        CHECK(code == wanted);
        CHECK_MESSAGE(contains(text, part), text);
        CHECK(!contains(text, "\n"));
    };
    fails({folder / "a.parqet"}, ErrorCode::invalid_options, "did you mean \".parquet\"?");
    fails({folder / "a.xlsx"}, ErrorCode::invalid_options, ".parquet, .arrow, .npz, .csv, .tsv, .jsonl, .db");
    fails({folder / "a"}, ErrorCode::invalid_options, "no extension");
    fails({""}, ErrorCode::invalid_options, "no path");
    for (const char* const name : {"a.npz", "a.csv", "a.tsv"}) {
        check_output({folder / name}, {});
        fails({folder / name, Layout::lists}, ErrorCode::invalid_options,
              "lists needs a .parquet or .arrow output");
    }
    fails({folder / "none/a.npz"}, ErrorCode::io, "there is no folder");
    CHECK(folder.files() == 0);
}

TEST_CASE("an output is no file that the run reads") {
    const Folder folder;
    put(folder / "rows.csv", "");
    std::filesystem::create_hard_link(folder / "rows.csv", folder / "same.csv");
    std::filesystem::create_symlink("rows.csv", folder / "link.csv");
    for (const char* const name : {"rows.csv", "same.csv", "link.csv"}) {
        const OutputSpec output{folder / name, Layout::edges, true};
        InputSpec input;
        input.path = folder / "rows.csv";
        CHECK(contains(error_of([&] { check_output(output, input); }).second, "is the input itself"));
        input = {};
        input.groups_file = (folder / "rows.csv") + ":topic";
        CHECK(contains(error_of([&] { check_output(output, input); }).second, "is the file of the groups"));
        input = {};
        input.ids_file = folder / "rows.csv";
        const auto [code, text] = error_of([&] { check_output(output, input); });
        CHECK(code == ErrorCode::invalid_options);
        CHECK(contains(text, "is the file of the ids"));
    }
}

TEST_CASE("links are written, and replaced with force alone") {
    const Folder folder;
    const OutputSpec output{folder / "a.csv"};
    write_links(output, {}, small_table(), small_result());
    const std::string first = read(output.path);
    CHECK(first.starts_with("Source,Target"));
    CHECK(error_of([&] { write_links(output, {}, small_table(), small_result()); }).first == ErrorCode::io);
    CHECK(read(output.path) == first);
    write_links({output.path, Layout::edges, true}, {}, small_table(texts({"a", "b", "c", "d"})),
                small_result());
    CHECK(contains(read(output.path), "a,b,Directed"));
    write_links({folder / "A.NPZ"}, {}, small_table(), small_result());
    CHECK(read(folder / "A.NPZ").starts_with("PK"));
    CHECK(folder.files() == 2);
}

TEST_CASE("a result that is not of this table") {
    const Folder folder;
    const auto refused = [&](const Table& table, const LinkResult& result) {
        return error_of([&] { write_links({folder / "a.csv"}, {}, table, result); }).first ==
               ErrorCode::bad_input;
    };
    LinkResult fewer = small_result();
    fewer.graph.offsets.pop_back();
    CHECK(refused(small_table(), fewer));
    LinkResult uneven = small_result();
    uneven.graph.weights.pop_back();
    CHECK(refused(small_table(), uneven));
    CHECK(refused(small_table(texts({"a", "b"})), small_result()));
    CHECK(refused(small_table(std::vector<std::int64_t>{1}), small_result()));
    CHECK(folder.files() == 0);
}

namespace {

/// Links whose file is larger than 100,000 bytes in each format.
LinkResult large_result(std::int64_t rows) {
    LinkResult result;
    result.graph.offsets.push_back(0);
    for (std::int64_t row = 0; row < rows; ++row) {
        result.graph.targets.push_back((row * 7919 + 13) % rows);
        result.graph.weights.push_back(1.0F / static_cast<float>(row + 3));
        result.graph.offsets.push_back(row + 1);
    }
    return result;
}

std::vector<OutputSpec> outputs(const std::string& folder) {
    std::vector<OutputSpec> outputs;
    for (const char* const name : {"/a.npz", "/a.csv", "/a.tsv", "/a.jsonl", "/a.db"})
        outputs.push_back({folder + name, Layout::edges, true});
#if defined(GROUPLINK_PARQUET)
    for (const char* const name : {"/a.parquet", "/a.arrow", "/a.arrows"}) {
        outputs.push_back({folder + name, Layout::edges, true});
        outputs.push_back({folder + name, Layout::lists, true});
    }
#endif
    return outputs;
}

/// Each output fails with `reason`, leaves what stood at its place and nothing else.
void check_failures(const std::string& folder, const std::string& reason) {
    constexpr std::int64_t rows = 100'000;
    const LinkResult result = large_result(rows);
    Table table = small_table();
    table.vectors.rows = rows;
    InputSpec input;
    input.path = "rows.npy";
    for (const OutputSpec& output : outputs(folder)) {
        put(output.path, "old");
        const auto [code, text] = error_of([&] { write_links(output, input, table, result); });
        CHECK(code == ErrorCode::io);
        CHECK(text == output.path + ": cannot write: " + reason);
        CHECK(read(output.path) == "old");
        std::filesystem::remove(output.path);
        CHECK(std::filesystem::is_empty(folder));
    }
}

}  // namespace

TEST_CASE("a limit on the size of files: the old output stays, nothing else does") {
    const Folder folder;
    rlimit old{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{100'000, old.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    check_failures(folder.path(), "File too large");
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, handler);
}

TEST_CASE("a full disk: the old output stays, nothing else does") {
    const Folder folder;
    if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=128k") != 0) {
        MESSAGE("left out: only root can mount a small disk");
        return;
    }
    check_failures(folder.path(), "No space left on device");

    // An update that finds no room leaves the database as it was.
    const OutputSpec output{.path = folder / "a.db", .update = true};
    write_links(output, {}, small_table(), small_result());
    const std::string before = read(output.path);
    constexpr std::int64_t rows = 100'000;
    Table table = small_table();
    table.vectors.rows = rows;
    const auto [code, text] = error_of([&] { write_links(output, {}, table, large_result(rows)); });
    CHECK(code == ErrorCode::io);
    CHECK(text == output.path + ": cannot write: No space left on device");
    CHECK(read_links(output.path, small_table()).graph.targets == small_result().graph.targets);
    CHECK(read(output.path) == before);
    CHECK(folder.files() == 1);
    CHECK(::umount(folder.path().c_str()) == 0);
}

TEST_CASE("stopped, or failing in the callback: the old output stays, nothing else does") {
    const Folder folder;
    const OutputSpec output{folder / "a.tsv", Layout::edges, true};
    put(output.path, "old");
    std::stop_source source;
    source.request_stop();
    const auto [code, text] = error_of([&] {
        write_links(output, {}, small_table(), small_result(), {{}, source.get_token()});
    });
    CHECK(code == ErrorCode::cancelled);
    CHECK(text == "cancelled");
    CHECK(read(output.path) == "old");
    CHECK(folder.files() == 1);
}
