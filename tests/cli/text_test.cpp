#include "cli/text.hpp"

#include "cli/progress.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <thread>

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

namespace {

/// Of a stage that went at an even pace, told ten times a second.
Pace even_pace(double done, double seconds) {
    Pace pace;
    for (int i = 1; i <= 10 * static_cast<int>(seconds); ++i) {
        pace.update(done * i / (10.0 * static_cast<int>(seconds)), i / 10.0);
    }
    return pace;
}

}  // namespace

TEST_CASE("progress says stage, share, time, time left and rate, in the width there is") {
    const grouplink::Progress knn{"knn", 0.43, 100'000, "rows"};
    CHECK(progress_text({"knn"}, Pace(), 0.0, 80) == "knn         0%  0:00");
    CHECK(progress_text(knn, even_pace(0.43, 2.0), 2.0, 80) ==
          "knn        43%  0:02  0:03 left  21,500 rows/s");
    CHECK(progress_text(knn, even_pace(0.43, 2.0), 2.0, 31) == "knn        43%  0:02  0:03 left");
    CHECK(progress_text(knn, even_pace(0.43, 2.0), 2.0, 30) == "knn        43%  0:02");
    CHECK(progress_text(knn, even_pace(0.43, 2.0), 2.0, 19) == "knn        43%");
    CHECK(progress_text(knn, even_pace(0.43, 2.0), 2.0, 10) == "knn    ...");
    CHECK(progress_text({"read", 0.5, 3LL << 30, "bytes"}, even_pace(0.5, 3.0), 3.0, 80) ==
          "read       50%  0:03  0:03 left  512 MiB/s");
    CHECK(progress_text({"read", 0.5}, even_pace(0.5, 3.0), 3.0, 80) == "read       50%  0:03  0:03 left");
    CHECK(progress_text({"knn", 0.01}, even_pace(0.01, 70.0), 72.0, 80) ==
          "knn         1%  1:12  1:55:28 left");
    CHECK(progress_text({"knn", 2.0}, Pace(), 0.0, 80) == "knn       100%  0:00");
    CHECK(progress_text({"knn", -1.0}, Pace(), 0.0, 80) == "knn         0%  0:00");
    CHECK(progress_text({"knn", std::numeric_limits<double>::quiet_NaN()}, Pace(), 1.0, 80) ==
          "knn         0%  0:01");
    for (std::size_t width = 0; width < 60; ++width) {
        CHECK(display_width(progress_text({"threshold", 0.43, 100'000, "rows"}, even_pace(0.43, 2.0), 2.0,
                                          width)) <= width);
    }
}

TEST_CASE("the time left is told once it can be trusted, and does not jump") {
    CHECK_FALSE(Pace().seconds_left(0.0));
    CHECK_FALSE(even_pace(0.01, 1.0).seconds_left(1.0));
    Pace early;
    early.update(0.5, 0.5);
    CHECK_FALSE(early.seconds_left(0.5));
    CHECK(*even_pace(0.1, 1.0).seconds_left(1.0) == doctest::Approx(9.0));
    CHECK(*even_pace(0.002, 10.0).seconds_left(10.0) == doctest::Approx(4990.0));
    // While nothing is told the clock goes on.
    CHECK(*even_pace(0.1, 1.0).seconds_left(4.0) == doctest::Approx(6.0));
    CHECK_FALSE(even_pace(0.1, 1.0).seconds_left(11.0));
    // Steps that come in bursts: every second one is nothing.
    Pace uneven;
    double least = 1e9;
    double most = 0.0;
    for (int i = 1; i <= 300; ++i) {
        uneven.update(i / 2 * 2 / 1000.0, i / 10.0);
        if (i < 100) continue;
        least = std::min(least, *uneven.seconds_left(i / 10.0) + i / 10.0);
        most = std::max(most, *uneven.seconds_left(i / 10.0) + i / 10.0);
    }
    CHECK(least > 95.0);
    CHECK(most < 105.0);
    // A stage that becomes four times as slow is believed after a while.
    Pace slower = even_pace(0.5, 10.0);
    for (int i = 1; i <= 100; ++i) slower.update(0.5 + 0.00125 * i, 10.0 + i / 10.0);
    CHECK(*slower.seconds_left(20.0) > 20.0);
    CHECK(*slower.seconds_left(20.0) < 40.0);
}

TEST_CASE("what an earlier run did says nothing of the time left") {
    Pace pace(0.9);
    CHECK_FALSE(pace.seconds_left(1.0));
    for (int i = 1; i <= 100; ++i) pace.update(0.9 + 0.0005 * i, i / 10.0);
    CHECK(*pace.seconds_left(10.0) == doctest::Approx(10.0));
    CHECK(pace.share_per_second() == doctest::Approx(0.005));
}

TEST_CASE("the line's clock goes on while the job says nothing, and leaves no trace") {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
    REQUIRE(file);
    const auto written = [&] {
        std::string text(10'000, ' ');
        const ssize_t size = ::pread(::fileno(file.get()), text.data(), text.size(), 0);
        text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return text;
    };
    const int kept = ::dup(STDERR_FILENO);
    ::dup2(::fileno(file.get()), STDERR_FILENO);
    {
        ProgressLine line(true);
        line.update({"read", 0.25});
        // It ticks each second, when a busy machine lets it.
        for (int i = 0; i < 600 && written().find("0:01") == std::string::npos; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        line.clear();
        line.update({"knn", 0.5});  // too late
        CHECK(line.times_text().find(" (read ") != std::string::npos);
    }
    ::dup2(kept, STDERR_FILENO);
    ::close(kept);
    const std::string text = written();
    CHECK(text.starts_with("\rread       25%  0:00\r"));
    CHECK(text.find("\rread       25%  0:01\r") != std::string::npos);
    CHECK(text.find("knn") == std::string::npos);
    CHECK(text.ends_with("\r" + std::string(20, ' ') + '\r'));
    CHECK(ProgressLine(false).times_text().empty());
}

TEST_CASE("lists end in or") {
    CHECK(one_of({}).empty());
    CHECK(one_of({"a"}) == "a");
    CHECK(one_of({"a", "b"}) == "a or b");
    CHECK(one_of({"a", "b", "c"}) == "a, b or c");
}
