#pragma once

#include <grouplink/report.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace grouplink::page {

/// What every chart is told by: `title` for those who cannot see it, and what stands along its axes.
struct ChartText {
    std::string id;  ///< of the chart, unique on the page
    std::string title;
    std::string description;
    std::string x;
    std::string y;
};

/// A weight that links had to reach, from the lowest to the highest of the groups'.
struct CutRange {
    double low = -std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
};

// Each chart is one element <svg> of the same width, as the page's style expects it; all text in it is
// escaped. `noun` is what is counted, in the singular.

/// Bars over an axis of numbers, and the cut; bars wholly below it are dimmed.
std::string chart_of_weights(const ChartText& text, const Histogram& histogram, const CutRange& cut);

/// A bar for each count, of one width, whose names stand below.
struct Bar {
    std::string name;   ///< below the bar where there is room
    std::string range;  ///< in full, for who points at it
    double value = 0.0;
    std::string amount;  ///< the value in words
};
std::string chart_of_bars(const ChartText& text, std::span<const Bar> bars);

/// The bars of whole numbers: how many rows have so many links.
std::vector<Bar> bars_of_degrees(const Histogram& histogram);

/// Bars, and a line across at `level` with its `level_name`.
std::string chart_of_bars(const ChartText& text, std::span<const Bar> bars, double level,
                          const std::string& level_name);

/// An estimate with its interval, each in a line of its own.
struct Interval {
    std::string name;
    double value = 0.0;
    double low = 0.0;
    double high = 0.0;
};
std::string chart_of_intervals(const ChartText& text, std::span<const Interval> intervals, double target);

/// A start tag for a drawing, with its title and description.
std::string open_svg(const ChartText& text, double width, double height, const char* style);

/// Round numbers from `low` to `high`, about `count` of them.
std::vector<double> ticks(double low, double high, int count);

}  // namespace grouplink::page
