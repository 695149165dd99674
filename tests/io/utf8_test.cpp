#include "io/utf8.hpp"

#include <doctest/doctest.h>

using namespace grouplink::io;

TEST_CASE("what is UTF-8") {
    for (const char* text :
         {"", "plain", "long enough for eight at once", "\xC3\xA9", "\xE6\x9D\xB1\xE4\xBA\xAC",
          "\xF0\x9F\x98\x80", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"}) {
        CAPTURE(text);
        CHECK(is_utf8(text));
    }
}

TEST_CASE("what is not UTF-8") {
    // A lone continuation, a cut sequence, overlong forms, a surrogate, past the last code point.
    for (const char* text :
         {"\x80", "\xC3", "abcdefg\xC3", "\xE6\x9D", "\xF0\x9F\x98", "\xC0\xAF", "\xE0\x80\xAF",
          "\xF0\x80\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
        CAPTURE(text);
        CHECK_FALSE(is_utf8(text));
    }
}

TEST_CASE("code points become UTF-8") {
    std::string text;
    for (const std::uint32_t code_point : {0x41U, 0xE9U, 0x6771U, 0x1F600U})
        CHECK(append_utf8(text, code_point));
    CHECK(text == "A\xC3\xA9\xE6\x9D\xB1\xF0\x9F\x98\x80");
    for (const std::uint32_t code_point : {0xD800U, 0xDFFFU, 0x110000U, 0xFFFFFFFFU}) {
        CHECK_FALSE(append_utf8(text, code_point));
    }
    CHECK(text.size() == 10);
}
