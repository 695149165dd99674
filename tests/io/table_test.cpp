#include "io/npz.hpp"
#include "io/outputs.hpp"

using namespace grouplink;

namespace {

/// Four rows of two float32 components.
void put_rows(const std::string& path) {
    test::put(path, io::npy_header("<f4", "(4, 2)") + std::string(32, '\x01'));
}

std::vector<std::string> groups_of(const Table& table) {
    std::vector<std::string> groups;
    for (const std::int32_t code : table.groups.codes) {
        groups.push_back(code < 0 ? "(null)" : table.groups.keys[static_cast<std::size_t>(code)]);
    }
    return groups;
}

std::vector<std::string> ids_of(const Table& table) {
    std::vector<std::string> ids;
    const auto& texts = std::get<StringColumn>(table.ids);
    for (std::int64_t i = 0; i < texts.size(); ++i) ids.emplace_back(texts[i]);
    return ids;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an array by itself is one group, without ids") {
    const test::Folder folder;
    put_rows(folder / "rows.npy");
    const Table table = read_table({.path = folder / "rows.npy"});
    CHECK(table.vectors.rows == 4);
    CHECK(table.vectors.dim == 2);
    CHECK(groups_of(table) == Texts(4, ""));
    CHECK(std::holds_alternative<std::monostate>(table.ids));
}

TEST_CASE("components that stand askew in the file are read all the same") {
    const test::Folder folder;
    std::string header = io::npy_header("<f4", "(4, 2)");
    header.insert(header.size() - 1, 1, ' ');
    header[8] = static_cast<char>(header[8] + 1);
    test::put(folder / "rows.npy", header + std::string(32, '\x01'));
    const Table table = read_table({.path = folder / "rows.npy"});
    CHECK(reinterpret_cast<std::uintptr_t>(table.vectors.values) % 4 == 0);
    CHECK(test::read(folder / "rows.npy")
              .ends_with(std::string_view(static_cast<const char*>(table.vectors.values), 32)));
}

TEST_CASE("groups from every kind of file; an empty value is a null group") {
    const test::Folder folder;
    put_rows(folder / "rows.npy");
    const Texts expected{"a", "(null)", "b", "a"};
    test::put(folder / "g.txt", "a\n\nb\na");
    test::put(folder / "crlf.txt",
              "\xEF\xBB\xBF"
              "a\r\n\r\nb\r\na\r\n");
    test::put(folder / "g.tsv", "id\tg\n1\ta\n2\t\n3\tb\n4\ta\n");
    test::put(folder / "g.csv", "id,g\n1,a\n2,\"\"\n3,b\n4,a\n");
    test::put(folder / "one.csv", "g\na\n\nb\na\n");
    test::put(folder / "g.npy", io::npy_header("|S1", "(4,)") + std::string("a\0ba", 4));
    test::put(folder / "odd:name.tsv", "g\na\n\nb\na\n");
    const auto groups = [&](const std::string& file, const std::string& column = "") {
        return groups_of(
            read_table({.path = folder / "rows.npy", .group = column, .groups_file = folder / file}));
    };
    CHECK(groups("g.txt") == expected);
    CHECK(groups("crlf.txt") == expected);
    CHECK(groups("g.tsv:g") == expected);
    CHECK(groups("g.tsv", "g") == expected);
    CHECK(groups("g.tsv:g", "g") == expected);
    CHECK(groups("g.csv:g") == expected);
    CHECK(groups("one.csv") == expected);
    CHECK(groups("g.npy") == expected);
    CHECK(groups("odd:name.tsv") == expected);
    CHECK(groups("odd:name.tsv:g") == expected);
    test::put(folder / "n.npy", io::npy_header("|i1", "(4,)") + "\x01\xFF\x01\x02");
    CHECK(groups("n.npy") == Texts{"1", "-1", "1", "2"});
}

TEST_CASE("ids from a file of their own, or from that of the groups") {
    const test::Folder folder;
    put_rows(folder / "rows.npy");
    test::put(folder / "g.tsv", "id\tg\nw\ta\nx\ta\ny\ta\nz\ta\n");
    test::put(folder / "ids.txt", "p\nq\nr\ns\n");
    const std::string rows = folder / "rows.npy";
    CHECK(ids_of(read_table({.path = rows, .ids_file = folder / "ids.txt"})) == Texts{"p", "q", "r", "s"});
    CHECK(ids_of(read_table({.path = rows, .ids_file = folder / "g.tsv:id"})) == Texts{"w", "x", "y", "z"});
    CHECK(ids_of(read_table({.path = rows, .id = "id", .groups_file = folder / "g.tsv:g"})) ==
          Texts{"w", "x", "y", "z"});
    test::put(folder / "n.npy", io::npy_header("|i1", "(4,)") + "\x04\x03\x02\x01");
    const Table table = read_table({.path = rows, .ids_file = folder / "n.npy"});
    CHECK(std::get<std::vector<std::int64_t>>(table.ids) == std::vector<std::int64_t>{4, 3, 2, 1});
}

TEST_CASE("what cannot be read is told in one line") {
    const test::Folder folder;
    put_rows(folder / "rows.npy");
    test::put(folder / "g.tsv", "id\tgroup\n1\ta\n");
    test::put(folder / "two.txt", "a\nb\n");
    test::put(folder / "same.txt", "a\nb\nc\na\n");
    test::put(folder / "hole.txt", "a\n\nc\nd\n");
    test::put(folder / "latin.txt", "a\n\xE9\nc\nd\n");
    test::put(folder / "empty.tsv", "");
    test::put(folder / "rows.dat", "");
    const std::string rows = folder / "rows.npy";
    const auto check = [&](const InputSpec& input, ErrorCode code, const std::string& expected) {
        const auto [got, message] = test::error_of([&] { read_table(input); });
        CHECK(got == code);
        CHECK(message.find('\n') == std::string::npos);
        CAPTURE(message);
        CHECK(message.find(expected) != std::string::npos);
    };
    const ErrorCode bad = ErrorCode::bad_input;
    const ErrorCode wrong = ErrorCode::invalid_options;
    check({.path = folder / "none.npy"}, ErrorCode::io, "No such file");
    check({.path = folder.path() + "/rows.dat"}, wrong, "an input is one of .parquet, .arrow, .npy");
    check({.path = folder / "rows.npyz"}, wrong, "did you mean \".npy\"?");
    check({.path = rows, .embedding = "v"}, wrong, "an array has no columns");
    check({.path = rows, .group = "g"}, wrong, "--groups");
    check({.path = rows, .id = "i"}, wrong, "--ids");
    check({.path = rows, .groups_file = folder / "two.txt"}, bad, "has 2 values, " + rows + " has 4 rows");
    check({.path = rows, .groups_file = folder / "two.txt:g"}, wrong, "has no columns");
    check({.path = rows, .groups_file = folder / "g.tsv"}, bad, "has 2 columns");
    check({.path = rows, .groups_file = folder / "g.tsv:grop"}, bad, "did you mean \"group\"?");
    check({.path = rows, .group = "id", .groups_file = folder / "g.tsv:group"}, wrong, "given twice");
    check({.path = rows, .groups_file = folder / "g.tsv:"}, wrong, "no column stands after the colon");
    check({.path = rows, .groups_file = folder / "empty.tsv:g"}, bad, "a header line was expected");
    check({.path = rows, .groups_file = folder / "latin.txt"}, bad, "line 2");
    check({.path = rows, .groups_file = rows}, bad, "shape (4, 2)");
    CHECK(read_table({.path = rows, .ids_file = folder / "same.txt"}).shared_id ==
          std::pair<std::int64_t, std::int64_t>{0, 3});
    check({.path = rows, .ids_file = folder / "hole.txt"}, bad, "line 2: the id is empty");
}

TEST_CASE("a stop that was requested ends the reading") {
    const test::Folder folder;
    put_rows(folder / "rows.npy");
    test::put(folder / "g.txt", "a\nb\nc\nd\n");
    std::stop_source source;
    source.request_stop();
    JobControl control;
    control.stop = source.get_token();
    const auto [code, message] = test::error_of(
        [&] { read_table({.path = folder / "rows.npy", .groups_file = folder / "g.txt"}, control); });
    CHECK(code == ErrorCode::cancelled);
}
