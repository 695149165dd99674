#include "page/charts.hpp"
#include "page/sections.hpp"
#include "page/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

namespace grouplink::page {
namespace {

constexpr std::size_t most_threads_drawn = 128;

std::string_view meaning(std::string_view stage) {
    if (stage == "read") return "the input, its groups and ids";
    if (stage == "check") return "which rows can take part";
    if (stage == "group") return "rows sorted into their groups";
    if (stage == "plan") return "an index for each group";
    if (stage == "knn") return "the search for neighbours";
    if (stage == "histogram") return "weights counted, for this report";
    if (stage == "cut") return "the weight that links must reach";
    if (stage == "threshold") return "which links reach it";
    if (stage == "links") return "the link mode";
    if (stage == "weights") return "distances turned into weights";
    if (stage == "write") return "the output";
    return "";
}

/// The stages, one under another, each where it ran in the time of the whole.
std::string stages_part(const Report& report) {
    const double all = std::max(report.seconds, 1e-9);
    double from = 0.0;
    std::string rows;
    for (const StageTime& stage : report.stages) {
        const double share = stage.seconds / all;
        fmt::format_to(
            std::back_inserter(rows),
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td>"
            "<td class=\"meter wide\"><span style=\"margin-left:{:.2f}%;width:{:.2f}%\"></span></td>"
            "<td class=\"what\">{}</td></tr>\n",
            escaped(stage.name), seconds_text(stage.seconds), percent_text(std::min(share, 1.0)),
            std::clamp(from / all * 100, 0.0, 99.5), std::clamp(share * 100, 0.0, 100.0),
            meaning(stage.name));
        from += stage.seconds;
    }
    return fmt::format(
        "<div><h3>Stages</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"Stages\"><table>"
        "<thead><tr><th scope=\"col\">stage</th><th scope=\"col\" class=\"num\">time</th>"
        "<th scope=\"col\" class=\"num\">share</th><th scope=\"col\" class=\"meter wide\">"
        "<span class=\"hidden\">when</span></th><th scope=\"col\" "
        "class=\"what\">what</th></tr></thead><tbody>\n{}</tbody>"
        "</table></div></div>\n",
        rows);
}

/// A line a thread, a field a slice of the stage: the fuller, the busier.
std::string trace_figure(const Report& report) {
    constexpr std::size_t most_lines = 32;
    constexpr double left = 30;
    constexpr double right = 388;
    constexpr double line_height = 14;
    constexpr double top = 8;
    const std::size_t lines = std::min(report.workers.size(), most_lines);
    const auto traced = [](const WorkerReport& worker) { return !worker.trace.empty(); };
    if (std::none_of(report.workers.begin(), report.workers.end(), traced)) return {};
    const double height = top + line_height * static_cast<double>(lines) + 22;
    std::string out = open_svg(
        {"trace", "When the threads were busy",
         "How busy each thread was in each part of the search, from its beginning to its end.", "", ""},
        400, height, "chart");
    for (std::size_t t = 0; t < lines; ++t) {
        const std::vector<double>& trace = report.workers[t].trace;
        const double y = top + line_height * static_cast<double>(t);
        fmt::format_to(std::back_inserter(out), R"(<text class="end" x="{}" y="{}">{}</text>)", left - 6,
                       y + 10, t + 1);
        const double w = (right - left) / static_cast<double>(std::max<std::size_t>(trace.size(), 1));
        for (std::size_t i = 0; i < trace.size(); ++i) {
            const double share = std::clamp(trace[i], 0.0, 1.0);
            fmt::format_to(
                std::back_inserter(out),
                R"(<rect class="bar" x="{:.2f}" y="{}" width="{:.2f}" height="11" fill-opacity="{:.2f}">)"
                "<title>thread {}: {} busy</title></rect>",
                left + w * static_cast<double>(i), y + 1, w, 0.06 + 0.94 * share, t + 1, percent_text(share));
        }
    }
    fmt::format_to(std::back_inserter(out),
                   R"(<text class="name" x="{}" y="{}">begin of the search</text>)"
                   R"(<text class="name end" x="{}" y="{}">end</text></svg>)",
                   left, height - 4, right, height - 4);
    return fmt::format("<figure>{}</figure>\n", out);
}

std::string threads_part(const Report& report) {
    if (report.workers.empty()) return {};
    std::vector<double> busy;
    for (const WorkerReport& worker : report.workers) busy.push_back(worker.busy_seconds);
    double knn = 0.0;
    for (const StageTime& stage : report.stages) {
        if (stage.name == "knn") knn += stage.seconds;
    }
    const bool brief = knn < 0.5;
    const double unit = brief ? 1e-3 : 1.0;
    std::vector<Bar> bars;
    for (std::size_t t = 0; t < std::min(busy.size(), most_threads_drawn); ++t) {
        bars.push_back({.name = fmt::format("{}", t + 1),
                        .range = fmt::format("thread {}", t + 1),
                        .value = busy[t] / unit,
                        .amount = seconds_text(busy[t]) + " busy"});
    }
    const double sum = std::accumulate(busy.begin(), busy.end(), 0.0);
    const auto threads = static_cast<double>(busy.size());
    std::string caption = fmt::format("On average {} of the stage was spent searching, on {}.",
                                      knn > 0.0 ? percent_text(std::min(1.0, sum / (knn * threads))) : "none",
                                      plural(static_cast<std::int64_t>(busy.size()), "thread"));
    if (busy.size() > most_threads_drawn)
        caption += fmt::format(" The first {} are drawn.", most_threads_drawn);
    return fmt::format(
        "<div><figure><h3>Threads</h3>{}<figcaption>{}</figcaption></figure>{}</div>\n",
        chart_of_bars({"threads", "Busy time of the threads",
                       "How long each thread was busy in the search, and how long the search took.", "thread",
                       brief ? "milliseconds busy" : "seconds busy"},
                      bars, std::max(knn / unit, 0.1), fmt::format("knn took {}", seconds_text(knn))),
        caption, trace_figure(report));
}

}  // namespace

std::string time_section(const Report& report) {
    return "<section id=\"time\"><h2>Time</h2>\n<div class=\"beside turned\">" + stages_part(report) +
           threads_part(report) + "</div>\n</section>\n";
}

}  // namespace grouplink::page
