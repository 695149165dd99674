#include "io/npz.hpp"
#include "io/outputs.hpp"

using namespace grouplink;

namespace {

using Texts = std::vector<std::string>;

Texts texts_of(const InputSpec& input, const std::vector<std::int64_t>& rows) {
    const StringColumn column = read_texts(input, rows);
    Texts texts;
    for (std::int64_t i = 0; i < column.size(); ++i) texts.emplace_back(column[i]);
    return texts;
}

/// Four rows beside which texts stand in `name`.
InputSpec beside(const test::Folder& folder, const std::string& name, std::string_view text) {
    test::put(folder / "rows.npy", io::npy_header("<f4", "(4, 2)") + std::string(32, '\x01'));
    test::put(folder / name, text);
    return {.path = folder / "rows.npy"};
}

}  // namespace

TEST_CASE("texts of some rows, from a column of the file of groups or ids, or a file of their own") {
    const test::Folder folder;
    InputSpec input = beside(folder, "rows.tsv", "g\ttext\na\tone\nb\t\nc\tthree\nd\tfour\n");
    input.text = folder / "rows.tsv:text";
    check_texts(input, 4);
    CHECK(texts_of(input, {0, 1, 3}) == Texts{"one", "", "four"});
    CHECK(texts_of(input, {}).empty());
    input.groups_file = folder / "rows.tsv:g";
    input.text = "text";
    CHECK(texts_of(input, {2}) == Texts{"three"});
    input.ids_file = input.groups_file;
    input.groups_file.clear();
    CHECK(texts_of(input, {0, 1, 2, 3}).size() == 4);
    test::put(folder / "lines.txt", "a\nb\nc\nd\n");
    input.text = folder / "lines.txt";
    check_texts(input, 4);
    CHECK(texts_of(input, {1, 2}) == Texts{"b", "c"});
    std::string numbers(32, '\0');
    numbers[8] = 7;
    test::put(folder / "numbers.npy", io::npy_header("<i8", "(4,)") + numbers);
    input.text = folder / "numbers.npy";
    CHECK(texts_of(input, {1, 2}) == Texts{"7", "0"});
}

TEST_CASE("texts of JSON Lines: strings and integers, or nothing") {
    const test::Folder folder;
    test::put(folder / "rows.jsonl",
              "{\"v\":[1],\"t\":\"one\"}\n{\"v\":[1],\"t\":null}\n{\"v\":[1]}\n{\"v\":[1],\"t\":42}\n");
    const InputSpec input{.path = folder / "rows.jsonl", .text = "t"};
    check_texts(input, 4);
    CHECK(texts_of(input, {0, 1, 2, 3}) == Texts{"one", "", "", "42"});
    CHECK(texts_of(input, {3}) == Texts{"42"});
}

TEST_CASE("texts that are not there are told of in one line") {
    const test::Folder folder;
    InputSpec input = beside(folder, "rows.tsv", "g\ttext\na\tone\nb\ttwo\n");
    const auto error = [&](const std::string& text) {
        input.text = text;
        return test::error_of([&] { check_texts(input, 4); });
    };
    const std::string tsv = folder / "rows.tsv";
    CHECK(error("") == std::pair(ErrorCode::invalid_options, input.path + ": no column of texts is named"));
    CHECK(error("text") == std::pair(ErrorCode::invalid_options,
                                     input.path + ": an array has no columns, got text column \"text\"; "
                                                  "name the file that has it, as FILE.tsv:COLUMN"));
    CHECK(error(tsv + ":txt") ==
          std::pair(ErrorCode::bad_input,
                    tsv + ": has no column \"txt\", it has \"g\" and \"text\"; did you mean \"text\"?"));
    CHECK(error(tsv + ":text") ==
          std::pair(ErrorCode::bad_input, tsv + ": has 2 values, " + input.path +
                                              " has 4 rows; give one for each row, in the same order"));
    CHECK(error(folder / "missing.tsv:text").first == ErrorCode::io);
    input.text = tsv + ":text";
    CHECK(test::error_of([&] {
              read_texts(input, std::vector<std::int64_t>{1, 2});
          }).second == tsv + ": has fewer rows than when the links were made; was it changed?");

    test::put(folder / "rows.jsonl", "{\"v\":[1],\"t\":[1],\"word\":\"a\"}\n");
    input = {.path = folder / "rows.jsonl"};
    CHECK(error("wordy").second ==
          input.path +
              ": no line has the text \"wordy\"; the keys of the first are \"v\", \"t\" "
              "and \"word\"; did you mean \"word\"?");
    CHECK(error("t").second ==
          input.path + ": line 1: \"t\" is an array of numbers, texts are strings or integers");
}
