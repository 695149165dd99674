#include "page/charts.hpp"
#include "page/label.hpp"
#include "page/sections.hpp"
#include "page/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace grouplink::page {
namespace {

constexpr std::size_t most_intervals = 14;
constexpr std::size_t most_recalls = 40;

std::string figure(const std::string& chart, const std::string& title, const std::string& caption) {
    return fmt::format("<figure><h3>{}</h3>{}<figcaption>{}</figcaption></figure>\n", title, chart, caption);
}

/// The cuts of the groups that have links to cut.
CutRange cuts_of(const Report& report) {
    CutRange cut{report.cut, report.cut};
    if (report.options.quantile_scope != QuantileScope::group) return cut;
    for (const GroupReport& group : report.groups) {
        if (group.valid_rows > 1) cut.high = std::max(cut.high, group.cut);
    }
    return cut;
}

std::string weights_figure(const Report& report) {
    const Histogram& weights = report.weights;
    if (weights.counts.empty()) {
        return figure("<p class=\"empty\">No links were found.</p>", "Similarity of the links", "");
    }
    const CutRange cut = cuts_of(report);
    const std::string scale = fmt::format("weight ({})", report.mapping);
    std::string caption = fmt::format("{} links found, before the cut and the link mode; {} in the result.",
                                      data_text("links-found", report.links_found), count_text(report.links));
    if (report.options.quantile_scope == QuantileScope::group && report.options.similarity_min_q > 0.0) {
        caption += fmt::format(" Each group has a cut of its own, from {} to {}.", number_text(cut.low),
                               number_text(cut.high));
    }
    return figure(chart_of_weights({"weights", "Similarity of the links",
                                    fmt::format("Histogram of {} weights with the cut at {}.",
                                                count_text(report.links_found), number_text(report.cut)),
                                    scale, "links"},
                                   weights, cut),
                  "Similarity of the links", caption);
}

double mean_of(const Report& report) {
    const auto rows = static_cast<double>(report.row_status[0]);
    return rows > 0.0 ? static_cast<double>(report.links) / rows : 0.0;
}

/// How many rows have no links, where a bin tells.
std::string none_text(const Histogram& degrees) {
    if (degrees.edges[1] != 1.0 || degrees.counts[0] == 0) return {};
    return fmt::format(" {} without any.", plural(degrees.counts[0], "row"));
}

std::string degree_figures(const Report& report) {
    if (report.links_from.counts.empty()) return {};
    const bool directed = report.options.links == LinkMode::directed;
    const std::string x = directed ? "links from a row" : "links of a row";
    const std::vector<Bar> from = bars_of_degrees(report.links_from);
    const std::string caption =
        fmt::format("{:.1f} links a row on average.{}", mean_of(report), none_text(report.links_from));
    std::string out = figure(chart_of_bars({"links-from", "Links of each row",
                                            "Histogram of rows by their number of links.", x, "rows"},
                                           from),
                             directed ? "Links from each row" : "Links of each row", caption);
    if (!directed || report.links_to.counts.empty()) return out;
    const std::vector<Bar> to = bars_of_degrees(report.links_to);
    const std::vector<double>& edges = report.links_to.edges;
    const std::string hubs =
        fmt::format("Most of all to one row: {}.{}", count_text(static_cast<std::int64_t>(edges.back()) - 1),
                    none_text(report.links_to));
    return out + figure(chart_of_bars({"links-to", "Links to each row",
                                       "Histogram of rows by the number of links that lead to them.",
                                       "links to a row", "rows"},
                                      to),
                        "Links to each row", hubs);
}

/// The approximate groups, by the lower end of their recall.
std::vector<const GroupReport*> approximate_groups(const Report& report) {
    std::vector<const GroupReport*> groups;
    for (const GroupReport& group : report.groups) {
        if (group.search) groups.push_back(&group);
    }
    std::stable_sort(groups.begin(), groups.end(), [](const GroupReport* a, const GroupReport* b) {
        return a->search->recall.low < b->search->recall.low;
    });
    return groups;
}

std::string recall_part(const Report& report) {
    const std::vector<const GroupReport*> groups = approximate_groups(report);
    const auto exact = static_cast<std::int64_t>(report.groups.size() - groups.size());
    if (groups.empty()) {
        return "<h3>Recall</h3><p>Every group was searched exactly: recall 1, all nearest rows "
               "are found.</p>\n";
    }
    std::vector<Interval> intervals;
    std::string rows;
    for (const GroupReport* group : groups) {
        const RecallEstimate& recall = group->search->recall;
        const std::string_view key = key_text(group->key, report.groups.size());
        if (intervals.size() < most_intervals) {
            intervals.push_back({std::string(key), recall.recall, recall.low, recall.high});
        }
        if (static_cast<std::size_t>(std::count(rows.begin(), rows.end(), '\n')) == most_recalls) continue;
        fmt::format_to(std::back_inserter(rows),
                       "<tr><th scope=\"row\"><bdi>{}</bdi></th><td class=\"num\">{:.4f}</td>"
                       "<td class=\"num\">{:.4f} to {:.4f}</td><td class=\"num\">{}</td>"
                       "<td>{}</td><td>{}</td></tr>\n",
                       escaped(key, 40), recall.recall, recall.low, recall.high, count_text(recall.rows),
                       name(group->index), knobs_text(group->index, *group->search));
    }
    const auto approximate = static_cast<std::int64_t>(groups.size());
    std::string about = fmt::format("{} searched approximately, {}.", plural(approximate, "group"),
                                    exact == 0 ? "none exactly" : count_text(exact) + " exactly");
    if (groups.size() > most_intervals) {
        about += fmt::format(" The {} with the lowest recall are drawn.", most_intervals);
    }
    if (groups.size() > most_recalls) about += fmt::format(" The table lists the first {}.", most_recalls);
    const std::string chart = chart_of_intervals(
        {"recalls", "Recall of the approximate groups",
         "Share of the exact links that were found in a sample of rows, with its 95 % interval.",
         "share of the exact links found", ""},
        intervals, report.options.recall_target);
    return fmt::format(
        "<h3>Recall</h3><p>{} Rows of a sample were searched exactly as well; lines are 95 % "
        "confidence intervals.</p>\n<div class=\"beside\"><figure>{}</figure>"
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Recall by "
        "group\"><table><thead><tr>"
        "<th scope=\"col\">group</th><th scope=\"col\" class=\"num\">recall</th>"
        "<th scope=\"col\" class=\"num\">interval</th><th scope=\"col\" class=\"num\">sampled rows</th>"
        "<th scope=\"col\">index</th><th scope=\"col\">effort</th></tr></thead>"
        "<tbody>\n{}</tbody></table></div></div>\n",
        about, chart, rows);
}

std::string status_part(const Report& report) {
    std::string rows;
    const double all = std::max(1.0, static_cast<double>(report.rows));
    for (std::size_t s = 0; s < report.row_status.size(); ++s) {
        const auto status = static_cast<RowStatus>(s);
        const std::int64_t count = report.row_status[s];
        if (count == 0 && status != RowStatus::ok) continue;
        const double share = static_cast<double>(count) / all;
        fmt::format_to(std::back_inserter(rows),
                       "<tr><th scope=\"row\"><code>{}</code></th><td class=\"num\">{}</td>"
                       "<td class=\"meter\"><span style=\"width:{:.2f}%\"></span></td>"
                       "<td class=\"num\">{}</td><td>{}</td></tr>\n",
                       name(status), data_text(fmt::format("status-{}", name(status)), count), share * 100,
                       percent_text(share), meaning(status));
    }
    const std::string equal = report.duplicate_rows == 0 ? "No row is equal"
                              : report.duplicate_rows == 1
                                  ? "1 row is equal"
                                  : count_text(report.duplicate_rows) + " rows are equal";
    return fmt::format(
        "<h3>Rows</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Row "
        "status\">"
        "<table><thead><tr><th scope=\"col\">status</th>"
        "<th scope=\"col\" class=\"num\">rows</th><th scope=\"col\" class=\"meter\"><span "
        "class=\"hidden\">bar"
        "</span></th><th scope=\"col\" class=\"num\">share</th><th scope=\"col\">meaning</th></tr></thead>"
        "<tbody>\n{}</tbody></table></div>\n<p>{} to an earlier row of the same group.</p>\n",
        rows, equal);
}

}  // namespace

std::string quality_section(const Report& report) {
    const bool exact = std::none_of(report.groups.begin(), report.groups.end(),
                                    [](const GroupReport& group) { return group.search.has_value(); });
    // What is but a sentence stands beside the rows.
    return fmt::format(
        "<section id=\"quality\"><h2>Quality</h2>\n<div class=\"charts\">\n{}{}</div>\n<div "
        "class=\"{}\"><div>{}</div>"
        "<div>{}</div></div></section>\n",
        weights_figure(report), degree_figures(report), exact ? "pair" : "", recall_part(report),
        status_part(report));
}

}  // namespace grouplink::page
