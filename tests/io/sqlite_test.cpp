#include "io/outputs.hpp"

#include <sqlite3.h>

#include <vector>

using namespace grouplink;
using namespace grouplink::test;

namespace {

void run_sql(const std::string& path, const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    CHECK_MESSAGE(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK,
                  sqlite3_errmsg(database));
    sqlite3_close(database);
}

/// The tables as llm creates them.
const std::string schema =
    "CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT, model TEXT);"
    "CREATE UNIQUE INDEX idx_collections_name ON collections (name);"
    "CREATE TABLE embeddings (collection_id INTEGER REFERENCES collections(id), id TEXT, embedding BLOB,"
    " content TEXT, content_blob BLOB, content_hash BLOB, metadata TEXT, updated INTEGER,"
    " PRIMARY KEY (collection_id, id));";

/// 1.0, 2.0, 3.0 and 4.0 as little-endian float32.
const std::string one = "0000803f";
const std::string two = "00000040";
const std::string three = "00004040";
const std::string four = "00008040";

const std::string rows =
    "INSERT INTO collections VALUES (1, 'words', 'mini'), (2, 'notes', 'mini');"
    "INSERT INTO embeddings (collection_id, id, embedding) VALUES"
    " (2, 'b', x'" +
    one + two + "'), (1, 'a', x'" + three + four + "'), (1, 'c', NULL), (9, 'd', x'" + one + "');";

std::string fault(const std::string& sql, InputSpec input = {}) {
    const Folder folder;
    input.path = folder / "a.db";
    run_sql(input.path, sql);
    const auto [code, message] = error_of([&] { (void)read_table(input); });
    CHECK_MESSAGE(code == ErrorCode::bad_input, message);
    CHECK(message.find('\n') == std::string::npos);
    REQUIRE(message.starts_with(input.path + ": "));
    return message.substr(input.path.size() + 2);
}

}  // namespace

TEST_CASE("embeddings of llm: the collection is the group, the id the id") {
    const Folder folder;
    run_sql(folder / "a.db", schema + rows);
    const Table table = read_table({.path = folder / "a.db"});
    CHECK(table.vectors.rows == 4);
    const auto* const first = static_cast<const float*>(table.vectors.row(0));
    CHECK(std::vector<float>(first, first + 2) == std::vector<float>{1, 2});
    CHECK_FALSE(table.vectors.has_row(2));
    CHECK(table.vectors.row_dim(3) == 1);
    CHECK(table.groups.keys == std::vector<std::string>{"notes", "words"});
    CHECK(table.groups.codes == std::vector<std::int32_t>{0, 1, 1, -1});
    const auto& ids = std::get<StringColumn>(table.ids);
    CHECK(std::string(ids[0]) + std::string(ids[3]) == "bd");

    const Table told = read_table({.path = folder / "a.db", .group = "model", .id = "collection_id"});
    CHECK(told.groups.codes == std::vector<std::int32_t>{0, 0, 0, -1});
    CHECK(std::get<std::vector<std::int64_t>>(told.ids) == std::vector<std::int64_t>{2, 1, 1, 9});
    put(folder / "g.txt", "x\nx\nx\nx\n");
    CHECK(read_table({.path = folder / "a.db", .groups_file = folder / "g.txt"}).groups.keys.size() == 1);
}

TEST_CASE("texts of some rows of a database") {
    const Folder folder;
    run_sql(folder / "a.db", schema + rows +
                                 "UPDATE embeddings SET content = 'text of ' || id WHERE id <> 'a';"
                                 "UPDATE embeddings SET metadata = x'00';");
    const auto texts_of = [&](const std::string& column, const std::vector<std::int64_t>& wanted) {
        const InputSpec input{.path = folder / "a.db", .text = column};
        check_texts(input, 4);
        const StringColumn column_read = read_texts(input, wanted);
        std::vector<std::string> texts;
        for (std::int64_t i = 0; i < column_read.size(); ++i) texts.emplace_back(column_read[i]);
        return texts;
    };
    using Texts = std::vector<std::string>;
    CHECK(texts_of("content", {0, 1, 3}) == Texts{"text of b", "", "text of d"});
    CHECK(texts_of("collection", {2}) == Texts{"words"});
    CHECK(texts_of("collection_id", {0, 3}) == Texts{"2", "9"});
    CHECK(error_of([&] { texts_of("contents", {}); }).second ==
          (folder / "a.db") +
              ": has no column \"contents\", it has \"collection_id\", \"id\", \"embedding\", \"content\", "
              "\"content_blob\", \"content_hash\", \"metadata\", \"updated\", \"collection\" and \"model\"; "
              "did you "
              "mean \"content\"?");
    CHECK(error_of([&] { texts_of("metadata", {0}); }).second ==
          (folder / "a.db") + ": embeddings: row 0: \"metadata\" is a blob, texts are texts or integers");
}

TEST_CASE("a database that is still being written to, in a log of its own") {
    const Folder folder;
    run_sql(folder / "a.db", "PRAGMA journal_mode = WAL;" + schema);
    sqlite3* writer = nullptr;
    REQUIRE(sqlite3_open((folder / "a.db").c_str(), &writer) == SQLITE_OK);
    REQUIRE(sqlite3_exec(writer, rows.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(read_table({.path = folder / "a.db"}).vectors.rows == 4);
    sqlite3_close(writer);
}

TEST_CASE("databases that are not of llm, or broken") {
    CHECK(fault("CREATE TABLE x (y)") ==
          "has no table \"embeddings\", as llm writes it; its tables are \"x\"");
    CHECK(fault("CREATE TABLE t (y); CREATE VIEW embeddings AS SELECT 1 AS embedding, 2 AS id")
              .find("has no table \"embeddings\"") == 0);
    CHECK(
        fault("CREATE TABLE embeddings (id, vector)", {.group = "id"}).find("has no column \"embedding\"") ==
        0);
    CHECK(fault("CREATE TABLE embeddings (id, embedding)").find("has no column \"collection\"") == 0);
    CHECK(fault(schema + rows, {.group = "colection"}).find("did you mean \"collection\"?") !=
          std::string::npos);
    const std::string first = schema + "INSERT INTO embeddings (collection_id, id, embedding) VALUES ";
    CHECK(fault(first + "(1, 'a', x'0000803f'), (1, 'b', x'00000040ff')") ==
          "embeddings: row 1: \"embedding\" is a blob of 5 bytes, float32 takes 4 a component");
    CHECK(fault(first + "(1, 'a', '1.0, 2.0')") ==
          "embeddings: row 0: \"embedding\" is a text, an embedding is a blob of float32");
    CHECK(fault(first + "(1, NULL, x'0000803f')") ==
          "embeddings: row 0: \"id\" is null, ids are texts or integers");
    CHECK(fault(first + "(1, '', x'0000803f')") == "embeddings: row 0: \"id\" is empty; give each row an id");
    CHECK(fault(first + "(1, CAST(x'ff' AS TEXT), x'0000803f')") ==
          "embeddings: row 0: \"id\" is not UTF-8 text");
    // What a column computes is not what the file holds.
    CHECK(fault("CREATE TABLE embeddings (id TEXT, embedding BLOB AS (zeroblob(900000000)));"
                "INSERT INTO embeddings (id) VALUES ('a')",
                {.group = "id"})
              .find("has no column \"embedding\"") == 0);
}

TEST_CASE("a database that was cut or changed anywhere is read or refused") {
    const Folder folder;
    run_sql(folder / "whole.db", "PRAGMA page_size = 512;" + schema + rows);
    const std::string whole = read(folder / "whole.db");
    const auto try_to_read = [&](std::string_view bytes) {
        put(folder / "a.db", bytes);
        try {
            (void)read_table({.path = folder / "a.db"});
            (void)inspect_file(folder / "a.db");
        } catch (const Error& error) {
            CHECK_MESSAGE(error.code() == ErrorCode::bad_input, error.what());
            CHECK(std::string_view(error.what()).find('\n') == std::string_view::npos);
            return false;
        }
        return true;
    };
    CHECK(try_to_read(whole));
    for (std::size_t size = 0; size < whole.size(); size += 256)
        CHECK_FALSE(try_to_read(whole.substr(0, size)));
    for (std::size_t at = 0; at < whole.size(); at += 3) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 0xFF);
        (void)try_to_read(changed);
    }
    put(folder / "a.db", "this is no database, but longer than its mark\n");
    CHECK(error_of([&] {
              (void)read_table({.path = folder / "a.db"});
          }).second.find("is no SQLite database") != std::string::npos);
    CHECK(error_of([&] { (void)read_table({.path = folder / "none.db"}); }).first == ErrorCode::io);
}

TEST_CASE("what inspect tells of a database") {
    const Folder folder;
    run_sql(folder / "a.db", schema + rows);
    const FileInfo info = inspect_file(folder / "a.db");
    CHECK(info.format == "sqlite");
    CHECK(info.rows == 4);
    REQUIRE(info.columns.size() == 8);
    CHECK(info.columns[2].name == "embedding");
    CHECK(info.columns[2].type == "BLOB");
    CHECK(info.columns[2].nulls == 1);
    CHECK(info.columns[2].dims == std::pair<std::int64_t, std::int64_t>(1, 2));
    CHECK(info.columns[2].embedding);
    CHECK(info.columns[3].nulls == 4);
}

namespace {

/// What a query gives, values parted by "|" and rows by ";".
std::string ask(const std::string& path, const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    std::string out;
    const auto add = [](void* to, int count, char** values, char**) {
        auto& text = *static_cast<std::string*>(to);
        for (int i = 0; i < count; ++i)
            text += std::string(i > 0 ? "|" : "") + (values[i] ? values[i] : "null");
        text += ";";
        return 0;
    };
    CHECK_MESSAGE(sqlite3_exec(database, sql.c_str(), add, &out, nullptr) == SQLITE_OK,
                  sqlite3_errmsg(database));
    sqlite3_close(database);
    return out;
}

const std::string all_links = "SELECT id, other_id, round(score, 4) FROM similarities ORDER BY 1, 3 DESC, 2";

}  // namespace

TEST_CASE("links in a database of their own") {
    const Folder folder;
    const std::string path = folder / "a.db";
    write_links({path}, {}, small_table(texts({"b", "a", "it's", "d"})), small_result());
    CHECK(ask(path, all_links) == "a|b|0.75;b|a|0.75;b|it's|0.1;it's|b|0.1;");
    CHECK(ask(path, "PRAGMA integrity_check") == "ok;");
    CHECK(ask(path, "SELECT sql FROM sqlite_master WHERE name = 'similarities'")
              .find("PRIMARY KEY (id, other_id)) WITHOUT ROWID") != std::string::npos);
    CHECK(ask(path, "SELECT group_concat(name) FROM pragma_index_info('idx_similarities_id_score')") ==
          "id,score;");
    CHECK(
        ask(path, "SELECT json_extract(value, '$.mapping'), json_extract(value, '$.links') FROM grouplink") ==
        "angular|4;");
    CHECK(ask(path, "SELECT DISTINCT typeof(id), typeof(score) FROM similarities") == "text|real;");
    CHECK(folder.files() == 1);
    CHECK(error_of([&] { write_links({path}, {}, small_table(), small_result()); }).first == ErrorCode::io);
    write_links({path, Layout::edges, true}, {}, small_table(), small_result());
    CHECK(ask(path, all_links) == "0|1|0.75;0|2|0.1;1|0|0.75;2|0|0.1;");
    CHECK(inspect_file(path).columns.size() == 3);
    const auto [code, message] = error_of([&] {
        write_links({path, Layout::edges, true}, {}, small_table(texts({"a", "b", "b", "d"})),
                    small_result());
    });
    CHECK(code == ErrorCode::bad_input);
    CHECK(message == path + ": two links go from one id to the same other; make ids distinct");
    CHECK(ask(path, "SELECT count(*) FROM similarities") == "4;");
    CHECK(folder.files() == 1);
}

TEST_CASE("the same links give the same database") {
    const Folder folder;
    for (const char* const name : {"a.db", "b.db"}) {
        write_links({folder / name}, {}, small_table(texts({"d", "c", "b", "a"})), small_result());
    }
    CHECK(read(folder / "a.db") == read(folder / "b.db"));
}

TEST_CASE("an update replaces the links of its rows and keeps all else") {
    const Folder folder;
    const std::string path = folder / "a.db";
    run_sql(path,
            schema + rows +
                "CREATE TABLE similarities (id TEXT, other_id TEXT, score FLOAT, PRIMARY KEY (id, other_id));"
                "INSERT INTO similarities VALUES ('a', 'z', 0.5), ('z', 'a', 0.5);");
    InputSpec input;
    input.path = path;
    const Table table = small_table(texts({"a", "b", "c", "d"}));
    const OutputSpec output{.path = path, .update = true};
    for (int i = 0; i < 2; ++i) {
        write_links(output, input, table, small_result());
        CHECK(ask(path, all_links) == "a|b|0.75;a|c|0.1;b|a|0.75;c|a|0.1;z|a|0.5;");
    }
    CHECK(ask(path, "SELECT count(*) FROM embeddings") == "4;");
    CHECK(ask(path, "SELECT json_extract(value, '$.links') FROM grouplink") == "null;");
    // Nothing else is there: the record counts.
    write_links({.path = folder / "new.db", .update = true}, input, table, small_result());
    write_links({.path = folder / "new.db", .update = true}, input, table, small_result());
    CHECK(ask(folder / "new.db", "SELECT json_extract(value, '$.links') FROM grouplink") == "4;");
    CHECK(read_links(folder / "new.db", table).faults == 0);

    LinkResult other = small_result();
    other.report.options.metric = Metric::dot;
    const auto [code, message] = error_of([&] { write_links(output, input, table, other); });
    CHECK(code == ErrorCode::bad_input);
    CHECK(message.find("with the mapping \"angular\", these have \"dot\"") != std::string::npos);
    CHECK(ask(path, all_links) == "a|b|0.75;a|c|0.1;b|a|0.75;c|a|0.1;z|a|0.5;");
}

TEST_CASE("an update that fails leaves what was there") {
    const Folder folder;
    const std::string path = folder / "a.db";
    const OutputSpec output{.path = path, .update = true};
    write_links(output, {}, small_table(texts({"a", "b", "c", "d"})), small_result());
    const std::string before = read(path);
    // Two rows of one id, whose links are found to be the same only while they are written.
    CHECK(error_of([&] {
              write_links(output, {}, small_table(texts({"a", "b", "b", "d"})), small_result());
          }).first == ErrorCode::bad_input);
    CHECK(read(path) == before);
    std::stop_source source;
    source.request_stop();
    JobControl control;
    control.stop = source.get_token();
    CHECK(error_of([&] { write_links(output, {}, small_table(), small_result(), control); }).first ==
          ErrorCode::cancelled);
    CHECK(read(path) == before);
    CHECK(error_of([&] {
              write_links({.path = folder / "a.csv", .update = true}, {}, small_table(), small_result());
          }).second.find("only a .db can be updated") != std::string::npos);
    CHECK(error_of([&] {
              write_links({.path = path, .force = true, .update = true}, {}, small_table(), small_result());
          }).first == ErrorCode::invalid_options);
    run_sql(folder / "b.db", "CREATE TABLE similarities (a, b)");
    CHECK(error_of([&] {
              write_links({.path = folder / "b.db", .update = true}, {}, small_table(), small_result());
          }).second.find("the table similarities has no column \"id\"") != std::string::npos);
    put(folder / "c.db", "text");
    CHECK(error_of([&] {
              write_links({.path = folder / "c.db", .update = true}, {}, small_table(), small_result());
          }).first == ErrorCode::bad_input);
    CHECK(read(folder / "c.db") == "text");
}

TEST_CASE("tables that are no links") {
    const auto fails = [](const std::string& sql, std::string_view part) {
        const Folder folder;
        run_sql(folder / "a.db", sql);
        const auto [code, message] = error_of([&] { (void)read_links(folder / "a.db", small_table()); });
        CHECK(code == ErrorCode::bad_input);
        CHECK_MESSAGE(message.find(part) != std::string::npos, message);
    };
    const std::string table =
        "CREATE TABLE similarities (id, other_id, score);INSERT INTO similarities VALUES ";
    fails("CREATE TABLE x (y)", "it has no table \"similarities\"; its tables are \"x\"");
    fails(table + "(0, 1, 'high')", "link 0: score is a text");
    fails(table + "(0, 1, 1e99)", "score is past float32");
    fails(table + "(0, x'00', 1)", "other_id is a blob");
    fails(table + "('a', 1, 1)", "id is \"a\", which is no row number");
    const Folder folder;
    run_sql(folder / "a.db",
            table + "(0, 9, 1), (7, 1, 1), (NULL, 1, 1), (0, 1, NULL), (0, 2, 0.5), (0, 1, 1)");
    const LinksFile file = read_links(folder / "a.db", small_table());
    CHECK(file.faults == 3);
    CHECK(file.first_fault == "link 1: id is 7, which is no row of the input");
    CHECK(file.graph.targets == std::vector<std::int64_t>{1, 9, 2});
}

TEST_CASE("a record that claims nearly 2^32 bytes is damage, not a want of memory") {
    const Folder folder;
    run_sql(folder / "whole.db", "PRAGMA page_size = 512;" + schema + rows);
    const std::string whole = read(folder / "whole.db");
    constexpr std::string_view size = "\x8F\xFF\xFF\xFF\x7F";
    int told = 0;
    for (std::size_t at = 100; at + size.size() <= whole.size(); ++at) {
        std::string bytes = whole;
        bytes.replace(at, size.size(), size);
        put(folder / "a.db", bytes);
        try {
            (void)read_table({.path = folder / "a.db"});
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::bad_input);
            if (std::string_view(error.what()).find("claims more bytes") != std::string_view::npos) ++told;
        }
    }
    CHECK(told > 0);
}
