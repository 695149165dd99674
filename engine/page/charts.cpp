#include "page/charts.hpp"

#include "page/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace grouplink::page {
namespace {

// Of all charts, in the units that the texts in them are sized in.
constexpr double width = 400;
constexpr double height = 242;
constexpr double left = 46;
constexpr double right = 388;
constexpr double top = 34;
constexpr double bottom = 198;
constexpr double glyph = 6.6;  // a generous mean of the widths of letters

constexpr std::size_t most_name = 20;
constexpr std::size_t most_title = 120;

void rectangle(std::string& out, double x, double y, double w, double h, std::string_view style,
               std::string_view hint) {
    fmt::format_to(
        std::back_inserter(out),
        R"(<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>)",
        style, x, y, std::max(w, 0.4), std::max(h, 0.0), hint);
}

void words(std::string& out, double x, double y, std::string_view style, std::string_view text) {
    fmt::format_to(std::back_inserter(out), R"(<text class="{}" x="{:.2f}" y="{:.2f}">{}</text>)", style, x,
                   y, text);
}

void line(std::string& out, double x1, double y1, double x2, double y2, std::string_view style) {
    fmt::format_to(std::back_inserter(out),
                   R"(<line class="{}" x1="{:.2f}" y1="{:.2f}" x2="{:.2f}" y2="{:.2f}"/>)", style, x1, y1, x2,
                   y2);
}

/// A number along an axis, in as many digits as tell it from its neighbors.
std::string mark_text(double number) {
    if (std::abs(number) < 1e4) return fmt::format("{:.6g}", number);
    return (number < 0 ? "-" : "") + short_count(std::abs(number));
}

/// The axes' names, and lines across at round numbers from 0 to `most`; returns the number at the top.
double draw_frame(std::string& out, const ChartText& text, double most, bool whole) {
    std::vector<double> marks = ticks(0.0, std::max(most, whole ? 1.0 : 1e-9), 4);
    if (whole) std::erase_if(marks, [](double mark) { return mark != std::floor(mark); });
    const double high = std::max(most, marks.back());
    for (const double mark : marks) {
        const double y = bottom - (bottom - top) * mark / high;
        line(out, left, y, right, y, mark == 0.0 ? "axis" : "grid");
        words(out, left - 6, y + 4, "end", whole ? short_count(mark) : mark_text(mark));
    }
    words(out, 4, 12, "name", escaped(text.y));
    words(out, right, height - 6, "name end", escaped(text.x));
    return high;
}

/// The label of the cut, at the side of `x` that has room for it.
void label_cut(std::string& out, double x, const std::string& label) {
    const double room = glyph * static_cast<double>(label.size());
    const bool before = x + room > right;
    words(out, before ? x + 3 : x - 3, top - 6, before ? "cut end" : "cut", label);
}

void draw_cut(std::string& out, const Histogram& histogram, const CutRange& cut) {
    const double low = histogram.edges.front();
    const double high = histogram.edges.back();
    if (!std::isfinite(cut.low)) return;
    const bool range = std::isfinite(cut.high) && cut.high > cut.low;
    const std::string label = range ? fmt::format("cut {} to {}", number_text(cut.low), number_text(cut.high))
                                    : fmt::format("cut {}", number_text(cut.low));
    const auto x_of = [&](double value) { return left + (right - left) * (value - low) / (high - low); };
    if (cut.low < low && (!range || cut.high < low)) {
        return words(out, left, top - 6, "cut", "\xE2\x97\x82 " + label + ", below all");
    }
    if (cut.low > high) return words(out, right, top - 6, "cut end", label + ", above all \xE2\x96\xB8");
    const double x = x_of(std::max(cut.low, low));
    if (range) {
        const double until = x_of(std::clamp(cut.high, low, high));
        rectangle(out, x, top, until - x, bottom - top, "cuts", "the cuts of the groups lie in here");
        line(out, until, top - 3, until, bottom, "cut");
    }
    line(out, x, top - 3, x, bottom, "cut");
    label_cut(out, range ? x_of(std::clamp(cut.high, low, high)) : x, label);
}

std::string bars_chart(const ChartText& text, std::span<const Bar> bars, const double* level,
                       const std::string& level_name, bool whole) {
    std::string out = open_svg(text, width, height, "chart");
    double most = level ? *level : 0.0;
    for (const Bar& bar : bars) most = std::max(most, bar.value);
    const double high = draw_frame(out, text, most, whole);
    const double step = (right - left) / static_cast<double>(std::max<std::size_t>(bars.size(), 1));
    std::size_t widest = 1;
    for (const Bar& bar : bars) widest = std::max(widest, bar.name.size());
    // Every name that fits between its neighbors.
    const auto stride =
        static_cast<std::size_t>(std::max(1.0, std::ceil((glyph * static_cast<double>(widest) + 6) / step)));
    const double gap = std::min(step * 0.16, 3.0);
    // A few bars do not get as wide as the whole chart.
    const double bar_width = std::min(step - gap, 56.0);
    for (std::size_t i = 0; i < bars.size(); ++i) {
        const double x = left + step * static_cast<double>(i);
        const double tall = (bottom - top) * bars[i].value / high;
        rectangle(out, x + (step - bar_width) / 2, bottom - tall, bar_width, tall, "bar",
                  escaped(fmt::format("{}: {}", bars[i].range, bars[i].amount)));
        // The last one, and every so many before it that keep clear of it.
        const std::size_t left_of_last = bars.size() - 1 - i;
        if (left_of_last == 0 || (i % stride == 0 && left_of_last >= stride)) {
            words(out, x + step / 2, bottom + 16, "mid", escaped(bars[i].name));
        }
    }
    if (level) {
        const double y = bottom - (bottom - top) * *level / high;
        line(out, left, y, right, y, "cut");
        words(out, right, y - 5, "cut end", escaped(level_name));
    }
    return out + "</svg>";
}

}  // namespace

std::string open_svg(const ChartText& text, double w, double h, const char* style) {
    return fmt::format(
        R"(<svg class="{0}" viewBox="0 0 {1:.0f} {2:.0f}" role="img" aria-labelledby="{3}-title {3}-text">)"
        R"(<title id="{3}-title">{4}</title><desc id="{3}-text">{5}</desc>)",
        style, w, h, text.id, escaped(text.title, most_title), escaped(text.description, 2 * most_title));
}

std::vector<double> ticks(double low, double high, int count) {
    const double wanted = (high - low) / count;
    if (!(wanted > 0.0) || !std::isfinite(wanted)) return {low};
    const double power = std::pow(10.0, std::floor(std::log10(wanted)));
    double step = 10 * power;
    for (const double digit : {1.0, 2.0, 2.5, 5.0}) {
        if (digit * power >= wanted * 0.999) {
            step = digit * power;
            break;
        }
    }
    std::vector<double> marks;
    const double first = std::ceil(low / step - 1e-9) + 0.0;  // no minus zero
    for (double i = first; i * step <= high + step * 1e-9; ++i) marks.push_back(i * step);
    return marks;
}

std::string chart_of_weights(const ChartText& text, const Histogram& histogram, const CutRange& cut) {
    std::string out = open_svg(text, width, height, "chart");
    std::int64_t most = 0;
    for (const std::int64_t count : histogram.counts) most = std::max(most, count);
    const double high = draw_frame(out, text, static_cast<double>(most), true);
    const double low_edge = histogram.edges.front();
    const double high_edge = histogram.edges.back();
    const auto x_of = [&](double value) {
        return left + (right - left) * (value - low_edge) / (high_edge - low_edge);
    };
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        const double from = histogram.edges[i];
        const double to = histogram.edges[i + 1];
        const double tall = (bottom - top) * static_cast<double>(histogram.counts[i]) / high;
        const double gap = std::min(1.0, (x_of(to) - x_of(from)) * 0.15);
        rectangle(out, x_of(from), bottom - tall, x_of(to) - x_of(from) - gap, tall,
                  to <= cut.low ? "bar dropped" : "bar",
                  fmt::format("{} to {}: {}", number_text(from), number_text(to),
                              plural(histogram.counts[i], "link")));
    }
    // A bin of equal weights is too narrow for marks along it.
    const std::vector<double> marks =
        histogram.counts.size() == 1 ? std::vector<double>{low_edge} : ticks(low_edge, high_edge, 7);
    for (const double mark : marks) {
        line(out, x_of(mark), bottom, x_of(mark), bottom + 4, "axis");
        words(out, x_of(mark), bottom + 16, "mid", mark_text(mark));
    }
    draw_cut(out, histogram, cut);
    return out + "</svg>";
}

std::vector<Bar> bars_of_degrees(const Histogram& histogram) {
    std::vector<Bar> bars;
    const std::vector<double>& edges = histogram.edges;
    const double width_of_first = edges.size() > 1 ? edges[1] - edges[0] : 1.0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        const auto from = static_cast<std::int64_t>(edges[i]);
        const auto to = static_cast<std::int64_t>(edges[i + 1]) - 1;
        const bool tail = i + 1 == histogram.counts.size() && edges[i + 1] - edges[i] > width_of_first;
        bars.push_back({.name = tail ? count_text(from) + "+" : count_text(from),
                        .range = from == to ? plural(from, "link")
                                            : fmt::format("{} to {} links", count_text(from), count_text(to)),
                        .value = static_cast<double>(histogram.counts[i]),
                        .amount = plural(histogram.counts[i], "row")});
    }
    return bars;
}

std::string chart_of_bars(const ChartText& text, std::span<const Bar> bars) {
    return bars_chart(text, bars, nullptr, {}, true);
}

std::string chart_of_bars(const ChartText& text, std::span<const Bar> bars, double level,
                          const std::string& level_name) {
    return bars_chart(text, bars, &level, level_name, false);
}

std::string chart_of_intervals(const ChartText& text, std::span<const Interval> intervals, double target) {
    constexpr double line_height = 22;
    constexpr double names = 138;
    double low = std::min(target, 0.99);
    for (const Interval& one : intervals) low = std::min(low, one.low);
    const std::vector<double> marks = ticks(std::max(0.0, low - (1.0 - low) * 0.25), 1.0, 4);
    const double from = std::min(low, marks.front());
    const double end = top + line_height * static_cast<double>(intervals.size());
    std::string out = open_svg(text, width, end + 44, "chart");
    const auto x_of = [&](double value) {
        return names + (right - 10 - names) * (value - from) / (1.0 - from);
    };
    for (const double mark : marks) {
        line(out, x_of(mark), top, x_of(mark), end, "grid");
        words(out, x_of(mark), end + 16, "mid", number_text(mark));
    }
    words(out, right, end + 36, "name end", escaped(text.x));
    if (target < 1.0) {
        line(out, x_of(target), top - 2, x_of(target), end, "cut");
        words(out, x_of(target), top - 8, "cut mid", fmt::format("target {}", number_text(target)));
    }
    for (std::size_t i = 0; i < intervals.size(); ++i) {
        const Interval& one = intervals[i];
        const double y = top + line_height * (static_cast<double>(i) + 0.5);
        const std::string hint = fmt::format("{}: {} ({} to {})", escaped(one.name), number_text(one.value),
                                             number_text(one.low), number_text(one.high));
        words(out, names - 8, y + 4, "end", escaped(one.name, most_name));
        line(out, x_of(one.low), y, x_of(one.high), y, "interval");
        fmt::format_to(std::back_inserter(out),
                       R"(<circle class="bar" cx="{:.2f}" cy="{:.2f}" r="4"><title>{}</title></circle>)",
                       x_of(one.value), y, hint);
    }
    return out + "</svg>";
}

}  // namespace grouplink::page
