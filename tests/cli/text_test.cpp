#include "cli/text.hpp"

#include "cli/progress.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace grouplink::cli;

TEST_CASE("counts are cut in threes") {
    CHECK(count_text(0) == "0");
    CHECK(count_text(999) == "999");
    CHECK(count_text(1000) == "1,000");
    CHECK(count_text(1'764'885) == "1,764,885");
    CHECK(count_text(-1000) == "-1,000");
    CHECK(count_text(-999) == "-999");
    CHECK(count_text(std::numeric_limits<std::int64_t>::min()) == "-9,223,372,036,854,775,808");
    CHECK(plural(1, "row") == "1 row");
    CHECK(plural(0, "row") == "0 rows");
    CHECK(plural(2000, "link") == "2,000 links");
}

TEST_CASE("bytes have a unit") {
    CHECK(bytes_text(0) == "0 B");
    CHECK(bytes_text(1023) == "1023 B");
    CHECK(bytes_text(1024) == "1.0 KiB");
    CHECK(bytes_text(10 * 1024) == "10 KiB");
    CHECK(bytes_text(312LL << 20) == "312 MiB");
    CHECK(bytes_text((1LL << 20) - 1) == "1.0 MiB");
    CHECK(bytes_text(std::numeric_limits<std::int64_t>::max()) == "8192 PiB");
}

TEST_CASE("nothing printable moves the cursor") {
    CHECK(printable("plain, \xC3\xA9 and \xE6\x9D\xB1") == "plain, \xC3\xA9 and \xE6\x9D\xB1");
    CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\x0dd");
    CHECK(printable("\x1b[31m\x7f") == "\\x1b[31m\\x7f");
    CHECK(printable(std::string_view("\0", 1)) == "\\x00");
    CHECK(printable("\xff\xc3") == "\\xff\\xc3");
    CHECK(printable("\xC0\x80") == "\\xc0\\x80");           // overlong
    CHECK(printable("\xED\xA0\x80") == "\\xed\\xa0\\x80");  // surrogate
    CHECK(printable("\xC2\x9B") == "\\xc2\\x9b");           // C1: begins a sequence on some terminals
    CHECK(printable("\xE2\x80\xAE") == "\\xe2\\x80\\xae");  // right to left from here
    CHECK(printable("\xF0\x9F\x98\x80") == "\xF0\x9F\x98\x80");
}

TEST_CASE("widths are those of a terminal") {
    CHECK(display_width("") == 0);
    CHECK(display_width("abc") == 3);
    CHECK(display_width("\xC3\xA9") == 1);
    CHECK(display_width("e\xCC\x81") == 1);
    CHECK(display_width("\xE6\x9D\xB1\xE4\xBA\xAC") == 4);
    CHECK(shorten("abcdef", 6) == "abcdef");
    CHECK(shorten("abcdefg", 6) == "abc...");
    CHECK(shorten("abcdef", 2) == "..");
    CHECK(shorten("abcdef", 0).empty());
    CHECK(shorten("\xE6\x9D\xB1\xE4\xBA\xAC\xE6\x9D\xB1", 5) == "\xE6\x9D\xB1...");
    CHECK(shorten("a\nb", 10) == "a\\nb");
}

TEST_CASE("a table is aligned and has no blanks at the ends") {
    CHECK(table_text({{"name"}, {"n", true}, {"x"}}, {{"a", "1,000", ""}, {"\xE6\x9D\xB1", "2", "y"}}) ==
          "name      n  x\n"
          "a     1,000\n"
          "\xE6\x9D\xB1        2  y\n");
    CHECK(table_text({{"name"}}, {}) == "name\n");
}

TEST_CASE("progress says stage, share, rate and time left, in the width there is") {
    CHECK(progress_text({"knn", 0.0}, 0.0, 1000, 80) == "knn        0%  0.0 s");
    CHECK(progress_text({"knn", 0.43}, 1.0, 100'000, 80) == "knn       43%  43,000 rows/s  0:02 left");
    CHECK(progress_text({"read", 0.5}, 3.0, 0, 80) == "read      50%  3.0 s  0:03 left");
    CHECK(progress_text({"knn", 0.01}, 72.0, 0, 80) == "knn        1%  72.0 s  1:58:48 left");
    CHECK(progress_text({"knn", 1.0}, 1.0, 0, 80) == "knn      100%  1.0 s  0:00 left");
    CHECK(progress_text({"knn", 2.0}, 0.0, 0, 80) == "knn      100%  0.0 s");
    CHECK(progress_text({"knn", -1.0}, 0.0, 0, 80) == "knn        0%  0.0 s");
    CHECK(progress_text({"knn", std::numeric_limits<double>::quiet_NaN()}, 1.0, 0, 80) ==
          "knn        0%  1.0 s");
    for (std::size_t width = 0; width < 60; ++width) {
        CHECK(display_width(progress_text({"threshold", 0.43}, 1.0, 100'000, width)) <= width);
    }
}
