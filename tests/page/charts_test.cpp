#include "page/charts.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace grouplink;
using namespace grouplink::page;

TEST_CASE("ticks are round numbers within the range") {
    CHECK(ticks(0, 100, 4) == std::vector<double>{0, 25, 50, 75, 100});
    CHECK(ticks(0, 7, 4) == std::vector<double>{0, 2, 4, 6});
    CHECK(ticks(3, 3, 4) == std::vector<double>{3});
    std::mt19937_64 random(1);
    for (int i = 0; i < 5000; ++i) {
        const double scale = std::pow(10.0, std::uniform_real_distribution<double>(-9, 9)(random));
        const double low = std::uniform_real_distribution<double>(-1, 1)(random) * scale;
        const double high = low + std::uniform_real_distribution<double>(0.001, 1)(random) * scale;
        const std::vector<double> marks = ticks(low, high, 5);
        CHECK(marks.size() >= 1);
        CHECK(marks.size() <= 7);
        CHECK(marks.front() >= low - scale * 1e-6);
        CHECK(marks.back() <= high + scale * 1e-6);
    }
}

TEST_CASE("a bar for each count, named by what it counts") {
    const Histogram degrees{{0, 5, 10, 40}, {7, 2, 1}};
    const std::vector<Bar> bars = bars_of_degrees(degrees);
    REQUIRE(bars.size() == 3);
    CHECK(bars[0].range == "0 to 4 links");
    CHECK(bars[1].name == "5");
    CHECK(bars[2].name == "10+");
    CHECK(bars[2].range == "10 to 39 links");
    CHECK(bars[2].amount == "1 row");
    CHECK(bars_of_degrees({{0, 1, 2}, {1, 1}})[1].range == "1 link");
}

TEST_CASE("charts hold no numbers that cannot be drawn") {
    const ChartText text{"id", "title", "description", "x", "y"};
    const std::vector<std::string> charts{
        chart_of_bars(text, {}),
        chart_of_bars(text, std::vector<Bar>{{"a", "a", 0.0, "none"}}),
        chart_of_bars(text, std::vector<Bar>{{"a", "a", 0.0, "none"}}, 0.0, "level"),
        chart_of_weights(text, {{0.5, 0.6}, {0}}, {}),
        chart_of_weights(text, {{-3e38, 3e38}, {5}}, {0.0, 1e308}),
        chart_of_intervals(text, std::vector<Interval>{{"a", 1.0, 1.0, 1.0}}, 1.0),
        chart_of_intervals(text, std::vector<Interval>{{"a", 0.0, 0.0, 0.0}}, 0.95),
    };
    for (const std::string& chart : charts) {
        CHECK(chart.starts_with("<svg"));
        CHECK(chart.ends_with("</svg>"));
        CHECK(chart.find("nan") == std::string::npos);
        CHECK(chart.find("inf") == std::string::npos);
    }
}
