#include "io/delimited.hpp"

#include "io/outputs.hpp"

#include <algorithm>

using namespace grouplink;
using namespace grouplink::io;

namespace {

using Lines = std::vector<std::vector<std::string>>;

Lines lines_of(std::string_view text, char delimiter) {
    const std::string path = "file";
    DelimitedReader reader(path, text, delimiter);
    std::vector<Field> fields;
    Lines lines;
    std::string scratch;
    while (reader.next(fields)) {
        auto& line = lines.emplace_back();
        for (const Field& field : fields) line.emplace_back(field.value(scratch));
    }
    return lines;
}

std::string error_in(std::string_view text, char delimiter, std::size_t count) {
    const auto [code, message] = test::error_of([&] {
        const std::string path = "file";
        DelimitedReader reader(path, text, delimiter);
        std::vector<Field> fields;
        while (reader.next(fields, count)) {
        }
    });
    CHECK(code == ErrorCode::bad_input);
    return message;
}

}  // namespace

TEST_CASE("lines end in LF or CRLF, the last one perhaps in neither") {
    const Lines expected{{"a", "b"}, {"c", ""}};
    for (const char* text : {"a,b\nc,\n", "a,b\r\nc,\r\n", "a,b\nc,", "a,b\r\nc,",
                             "\xEF\xBB\xBF"
                             "a,b\nc,\n"}) {
        CAPTURE(text);
        CHECK(lines_of(text, ',') == expected);
    }
    CHECK(lines_of("", ',').empty());
    CHECK(lines_of("\n\n", ',') == Lines{{""}, {""}});
    CHECK(lines_of("a\rb,c\n", ',') == Lines{{"a\rb", "c"}});
}

TEST_CASE("quoted fields hold delimiters, line ends and doubled quotes") {
    for (const char delimiter : {',', '\t'}) {
        std::string text = "\"a,\tb\"|\"say \"\"hi\"\"\"|\"two\nlines\"\r\n\"\"|x|\"\"\"\"";
        std::replace(text.begin(), text.end(), '|', delimiter);
        CHECK(lines_of(text, delimiter) == Lines{{"a,\tb", "say \"hi\"", "two\nlines"}, {"", "x", "\""}});
    }
    CHECK(lines_of("a\"b,c\n", ',') == Lines{{"a\"b", "c"}});
}

TEST_CASE("a loose quote in TSV is taken as it stands") {
    CHECK(lines_of("\"he said\"; so\tx\n", '\t') == Lines{{"\"he said\"; so", "x"}});
    CHECK(lines_of("\"open\tx\ny\tz\n", '\t') == Lines{{"\"open", "x"}, {"y", "z"}});
    CHECK(lines_of("\"\t\"\n", '\t') == Lines{{"\t"}});
    CHECK(lines_of("\"", '\t') == Lines{{"\""}});
}

TEST_CASE("what is wrong with a line is told with its number") {
    CHECK(error_in("a,b\n\"c,d\n", ',', 2) == "file: line 2: a quote is opened and never closed");
    CHECK(error_in("a,b\n\"c\"d,e\n", ',', 2) ==
          "file: line 2: text after a closing quote; double the quotes within a field");
    CHECK(error_in("a,\"b\nb\"\nc\n", ',', 2) == "file: line 3 has 1 field, the header has 2");
    CHECK(error_in("a\tb\nc\td\te\n", '\t', 2) == "file: line 2 has 3 fields, the header has 2");
    CHECK(error_in(std::string_view("a,b\nc,\0\n", 8), ',', 2) ==
          "file: line 2: holds a NUL byte; it is not a text");
}
