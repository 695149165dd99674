#include "io/json_lines.hpp"

#include "io/outputs.hpp"

#include <cmath>
#include <vector>

using namespace grouplink;
using namespace grouplink::test;

namespace {

Table read_rows(const std::string& text, InputSpec input = {}) {
    const Folder folder;
    input.path = folder / "a.jsonl";
    put(input.path, text);
    return read_table(input);
}

/// The message, without the path that it begins with.
std::string fault(const std::string& text, InputSpec input = {}) {
    const Folder folder;
    input.path = folder / "a.jsonl";
    put(input.path, text);
    const auto [code, message] = error_of([&] { (void)read_table(input); });
    CHECK_MESSAGE(code == ErrorCode::bad_input, message);
    CHECK(message.find('\n') == std::string::npos);
    REQUIRE(message.starts_with(input.path + ": "));
    return message.substr(input.path.size() + 2);
}

std::vector<float> row_of(const Table& table, std::int64_t row) {
    const auto* values = static_cast<const float*>(table.vectors.row(row));
    return {values, values + table.vectors.row_dim(row)};
}

}  // namespace

TEST_CASE("rows of JSON Lines: embedding, group and id") {
    const Table table = read_rows(
        "\xEF\xBB\xBF{\"id\": \"a\", \"g\": \"x\", \"v\": [1, 0.5], \"deep\": {\"v\": [[1], {}]}}\n"
        "\n"
        "{\"v\":[-1e-3,2E2],\"g\":7,\"id\":\"\\u00e9\"}\r\n"
        "{\"v\":[3,null],\"g\":null,\"id\":\"c\"}\n"
        "{\"id\":\"d\",\"g\":true,\"v\":[1,2]}",
        {.group = "g", .id = "id"});
    CHECK(table.vectors.rows == 4);
    CHECK(table.vectors.offsets == nullptr);
    CHECK(row_of(table, 0) == std::vector<float>{1, 0.5F});
    CHECK(row_of(table, 1) == std::vector<float>{-1e-3F, 200});
    CHECK(std::isnan(row_of(table, 2)[1]));
    CHECK(table.groups.codes == std::vector<std::int32_t>{0, 1, -1, 2});
    CHECK(table.groups.keys == std::vector<std::string>{"x", "7", "true"});
    const auto& ids = std::get<StringColumn>(table.ids);
    CHECK(ids[1] == "\xC3\xA9");
    CHECK(std::get<std::vector<std::int64_t>>(
              read_rows("{\"v\":[1],\"n\":-5}\n{\"v\":[1],\"n\":9223372036854775807}\n", {.id = "n"}).ids) ==
          std::vector<std::int64_t>{-5, 9223372036854775807});
}

TEST_CASE("rows without an embedding, and of several dimensions") {
    const Table table = read_rows("{\"v\":[]}\n{\"v\":[1,2]}\n{\"v\":null}\n{}\n{\"v\":[1,2,3]}\n");
    CHECK(table.vectors.rows == 5);
    CHECK(table.vectors.has_row(0));
    CHECK(row_of(table, 0).empty());
    CHECK_FALSE(table.vectors.has_row(2));
    CHECK_FALSE(table.vectors.has_row(3));
    CHECK(row_of(table, 4) == std::vector<float>{1, 2, 3});
}

TEST_CASE("every double in its nearest float32") {
    const Table table = read_rows("{\"v\":[0.1,16777217,1e-46,-0.0,3.4028235e38,1e39]}\n");
    const std::vector<float> row = row_of(table, 0);
    CHECK(row[0] == 0.1F);
    CHECK(row[1] == 16777216.0F);
    CHECK(row[2] == 0.0F);
    CHECK(std::signbit(row[3]));
    CHECK(row[4] == 3.4028235e38F);
    CHECK(std::isinf(row[5]));
}

TEST_CASE("lines that are no rows") {
    CHECK(fault("") == "no line has an array of numbers, or anything else");
    CHECK(fault("{\"a\":1,\"b\":[]}\n") ==
          "no line has an array of numbers; the keys of the first are \"a\" and \"b\"");
    CHECK(fault("{\"v\":[1]}\n[1,2]\n") == "line 2: is no JSON object; write one a line");
    CHECK(fault("17\n") == "line 1: is no JSON object; write one a line");
    CHECK(fault("{\"v\":[1]}\n{\"v\":[1,NaN]}\n") ==
          "line 2, byte 9: holds NaN, which JSON has no word for; write null");
    CHECK(fault("{\"v\":[1]}\n{\"v\":[-Infinity]}\n").find("holds Infinity") != std::string::npos);
    CHECK(fault("{\"v\":[1]}\n{\"v\":[1,2}\n").find("line 2, byte 10: is no JSON: near") == 0);
    CHECK(fault("{\"v\":[1]}\n{\"v\":[1,2\n") == "line 2, byte 9: is no JSON: near the end of the line");
    CHECK(fault("{\"v\":[1]} {}\n").find("line 1, byte 11: is no JSON") == 0);
    CHECK(fault("{\"v\":[1],\"s\":\"\xFF\"}\n").find("line 1") == 0);
    CHECK(fault("{\"v\":[1e999]}\n").find("line 1") == 0);
    CHECK(fault("{\"v\":[1],\"w\":[2]}\n") ==
          "line 1: 2 keys could be the embedding; name one with --embedding: \"v\" and \"w\"");
    CHECK(fault("{\"v\":[1]}\n{\"v\":[2],\"v\":[3]}\n") == "line 2: has the key \"v\" twice");
    CHECK(fault("{\"v\":[1]}\n{\"v\":[1,\"nan\"]}\n") ==
          "line 2: \"v\" is an array of other things than numbers, an embedding is an array of numbers");
    CHECK(fault("{\"v\":[1]}\n{\"v\":[[1]]}\n").find("line 2: \"v\" is an array of other things") == 0);
    CHECK(fault("{\"v\":[1]}\n{\"v\":\"1,2\"}\n").find("line 2: \"v\" is a string") == 0);
    CHECK(fault("{\"v\":[1]}\n", {.embedding = "w"}) ==
          "no line has the embedding \"w\"; the keys of the first are \"v\"");
    CHECK(fault("{\"v\":[1],\"topic\":1}\n", {.group = "topics"}).find("did you mean \"topic\"?") !=
          std::string::npos);
    CHECK(fault("{\"v\":[1],\"g\":1.5}\n", {.group = "g"}) ==
          "line 1: \"g\" is a number with a fraction, or past 2^63 - 1, groups are strings or integers");
    CHECK(fault("{\"v\":[1],\"i\":18446744073709551615}\n", {.id = "i"}).find("ids are strings or") !=
          std::string::npos);
    CHECK(fault("{\"v\":[1],\"key\":1}\n{\"v\":[1]}\n", {.id = "key"}) ==
          "line 2: has no id \"key\", its keys are \"v\"; give each row one");
    CHECK(fault("{\"v\":[1],\"i\":1}\n{\"v\":[1],\"i\":\"b\"}\n", {.id = "i"}) ==
          "line 2: the id is a string, those before are not; write all as strings");
    CHECK(fault("{\"v\":[1],\"i\":\"\"}\n", {.id = "i"}) == "line 1: the id is empty; give each row one");
}

TEST_CASE("depth exhausts no stack") {
    const std::string deep(1'000'000, '[');
    CHECK(fault("{\"v\":[1]}\n{\"v\":" + deep + "\n").find("line 2") == 0);
    const std::string closed = deep + std::string(deep.size(), ']');
    CHECK(read_rows("{\"v\":[1],\"w\":" + closed + "}\n").vectors.rows == 1);
}

TEST_CASE("what inspect tells of JSON Lines") {
    const Folder folder;
    put(folder / "a.ndjson",
        "{\"v\":[1,2],\"n\":1,\"t\":\"a\"}\n{\"v\":[1,2,3],\"n\":1.5,\"o\":{}}\n{\"v\":null,\"t\":false}\n");
    const FileInfo info = inspect_file(folder / "a.ndjson");
    CHECK(info.format == "jsonl");
    CHECK(info.rows == 3);
    REQUIRE(info.columns.size() == 4);
    CHECK(info.columns[0].type == "array<number>");
    CHECK(info.columns[0].nulls == 1);
    CHECK(info.columns[0].dims == std::pair<std::int64_t, std::int64_t>(2, 3));
    CHECK(info.columns[0].embedding);
    CHECK(info.columns[1].type == "number");
    CHECK(info.columns[2].type == "mixed");
    CHECK(info.columns[3].type == "object");
    CHECK(info.columns[3].nulls == 2);
}
