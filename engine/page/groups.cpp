#include "page/charts.hpp"
#include "page/label.hpp"
#include "page/sections.hpp"
#include "page/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>

namespace grouplink::page {
namespace {

constexpr std::size_t most_listed = 25;

/// Bars of groups by their rows, in steps of 1, 2, 5, 10, 20, ...
std::vector<Bar> bars_of_sizes(const Report& report) {
    std::vector<Bar> bars;
    std::vector<std::int64_t> sizes;
    std::int64_t largest = 0;
    for (const GroupReport& group : report.groups) {
        sizes.push_back(group.rows);
        largest = std::max(largest, group.rows);
    }
    std::sort(sizes.begin(), sizes.end());
    auto at = sizes.begin();
    std::int64_t low = 1;
    for (std::int64_t step = 1; low <= largest; ++step) {
        const std::int64_t high = step % 3 == 2 ? low / 2 * 5 : low * 2;  // 1, 2, 5, 10, ...
        const auto end = std::lower_bound(at, sizes.end(), high);
        const auto rows = std::accumulate(at, end, std::int64_t{0});
        const auto groups = end - at;
        if (groups > 0 || !bars.empty()) {
            const std::string range =
                high - low == 1 ? plural(low, "row")
                                : fmt::format("{} to {} rows", count_text(low), count_text(high - 1));
            bars.push_back(
                {.name = short_count(static_cast<double>(low)),
                 .range = range,
                 .value = static_cast<double>(groups),
                 .amount = fmt::format("{} with {} in all", plural(groups, "group"), plural(rows, "row"))});
        }
        at = end;
        low = high;
    }
    return bars;
}

/// The largest groups first.
std::vector<const GroupReport*> by_size(const Report& report, std::size_t most) {
    std::vector<const GroupReport*> groups;
    for (const GroupReport& group : report.groups) groups.push_back(&group);
    const std::size_t count = std::min(most, groups.size());
    std::partial_sort(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(count), groups.end(),
                      [](const GroupReport* a, const GroupReport* b) {
                          return a->rows != b->rows ? a->rows > b->rows : a < b;
                      });
    groups.resize(count);
    return groups;
}

std::string per_row(std::int64_t links, std::int64_t rows) {
    return rows == 0 ? "0" : fmt::format("{:.1f}", static_cast<double>(links) / static_cast<double>(rows));
}

/// A column that stands in the table where it tells groups apart.
struct Column {
    std::string_view title;
    bool shown = true;
};

std::string group_table(const Report& report) {
    const std::vector<const GroupReport*> groups = by_size(report, most_listed);
    const double largest = groups.empty() ? 1.0 : std::max(1.0, static_cast<double>(groups.front()->rows));
    GroupReport rest;
    for (const GroupReport& group : report.groups) {
        rest.rows += group.rows;
        rest.valid_rows += group.valid_rows;
        rest.links += group.links;
    }
    const auto differs = [&](auto member) {
        return std::any_of(report.groups.begin(), report.groups.end(), [&](const GroupReport& group) {
            return group.*member != report.groups.front().*member;
        });
    };
    const Column left_out{"left out", rest.rows != rest.valid_rows};
    const Column cut{"cut", differs(&GroupReport::cut)};
    const Column dim{"dim", differs(&GroupReport::dim)};
    const Column index{"index", differs(&GroupReport::index)};
    const auto cell = [](const Column& column, const std::string& text) {
        return column.shown ? fmt::format("<td class=\"num\">{}</td>", text) : std::string();
    };
    const auto title = [](const Column& column) {
        return column.shown ? fmt::format("<th scope=\"col\" class=\"num\">{}</th>", column.title)
                            : std::string();
    };
    std::string rows;
    for (const GroupReport* group : groups) {
        rest.rows -= group->rows;
        rest.valid_rows -= group->valid_rows;
        rest.links -= group->links;
        fmt::format_to(std::back_inserter(rows),
                       "<tr><th scope=\"row\"><bdi>{}</bdi></th><td class=\"num\">{}</td>"
                       "<td class=\"meter\"><span style=\"width:{:.2f}%\"></span></td>{}"
                       "<td class=\"num\">{}</td><td class=\"num\">{}</td>{}{}{}</tr>\n",
                       escaped(key_text(group->key, report.groups.size()), 48), count_text(group->rows),
                       static_cast<double>(group->rows) / largest * 100,
                       cell(left_out, count_text(group->rows - group->valid_rows)), count_text(group->links),
                       per_row(group->links, group->valid_rows), cell(cut, number_text(group->cut)),
                       cell(dim, count_text(group->dim)), cell(index, std::string(name(group->index))));
    }
    if (report.groups.size() > groups.size()) {
        fmt::format_to(
            std::back_inserter(rows),
            "<tr class=\"rest\"><th scope=\"row\">{} smaller</th><td class=\"num\">{}</td>"
            "<td class=\"meter\"></td>{}<td class=\"num\">{}</td><td class=\"num\">{}</td>{}{}{}</tr>\n",
            count_text(static_cast<std::int64_t>(report.groups.size() - groups.size())),
            count_text(rest.rows), cell(left_out, count_text(rest.rows - rest.valid_rows)),
            count_text(rest.links), per_row(rest.links, rest.valid_rows), cell(cut, ""), cell(dim, ""),
            cell(index, ""));
    }
    return fmt::format(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Largest "
        "groups\"><table><thead><tr>"
        "<th scope=\"col\">group</th><th scope=\"col\" class=\"num\">rows</th>"
        "<th scope=\"col\" class=\"meter\"><span class=\"hidden\">bar</span></th>{}"
        "<th scope=\"col\" class=\"num\">links</th><th scope=\"col\" class=\"num\">a "
        "row</th>{}{}{}</tr></thead>"
        "<tbody>\n{}</tbody></table></div>\n",
        title(left_out), title(cut), title(dim), title(index), rows);
}

/// What the groups of one index come to.
struct IndexTotal {
    std::int64_t groups = 0;
    std::int64_t rows = 0;
    double cost = 0.0;
    std::int64_t memory = 0;  ///< of the group that takes most
};

std::string_view meaning(IndexKind index) {
    switch (index) {
        case IndexKind::flat: return "every pair scored: exact";
        case IndexKind::ivf: return "k-means lists, of which each row searches some";
        case IndexKind::hnsw: return "a navigable graph, searched from each row";
        case IndexKind::partition:
            return "overlapping cells, all pairs in each, then neighbours of neighbours";
        case IndexKind::automatic: break;
    }
    return "";
}

/// Of the sizes, ascending.
std::string sizes_text(const std::vector<std::int64_t>& sizes) {
    if (sizes.front() == sizes.back()) return plural(sizes.front(), "row") + " each.";
    return fmt::format("{} to {}, {} in the middle one.", count_text(sizes.front()),
                       plural(sizes.back(), "row"), count_text(sizes[sizes.size() / 2]));
}

}  // namespace

std::string groups_section(const Report& report) {
    std::string out = "<section id=\"groups\"><h2>Groups</h2>\n";
    if (report.groups.empty()) return out + "<p class=\"empty\">There are no groups.</p></section>\n";
    if (report.groups.size() > 1) {
        std::vector<std::int64_t> sizes;
        for (const GroupReport& group : report.groups) sizes.push_back(group.rows);
        std::sort(sizes.begin(), sizes.end());
        out +=
            "<div class=\"beside\"><figure><h3>Sizes of the groups</h3>" +
            chart_of_bars({"sizes", "Sizes of the groups", "Histogram of the groups by their number of rows.",
                           "rows of a group, from", "groups"},
                          bars_of_sizes(report)) +
            "<figcaption>" + sizes_text(sizes) + "</figcaption></figure>\n";
        out += "<div><h3>Largest groups</h3>" + group_table(report) + "</div></div>\n";
    } else {
        out += group_table(report);
    }
    return out + "</section>\n";
}

std::string plan_section(const Report& report) {
    std::map<IndexKind, IndexTotal> totals;
    double cost = 0.0;
    for (const GroupReport& group : report.groups) {
        IndexTotal& total = totals[group.index];
        ++total.groups;
        total.rows += group.valid_rows;
        total.cost += group.planned_cost;
        total.memory = std::max(total.memory, group.planned_memory_bytes);
        cost += group.planned_cost;
    }
    std::string rows;
    for (const auto& [index, total] : totals) {
        const double share = cost > 0.0 ? total.cost / cost : 0.0;
        fmt::format_to(
            std::back_inserter(rows),
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td>"
            "<td class=\"num\">{}</td><td class=\"meter\"><span style=\"width:{:.2f}%\"></span></td>"
            "<td class=\"num\">{}</td><td class=\"what\">{}</td></tr>\n",
            name(index), count_text(total.groups), count_text(total.rows), percent_text(share), share * 100,
            bytes_text(total.memory), meaning(index));
    }
    return fmt::format(
        "<section id=\"plan\"><h2>Plan</h2>\n<p>Each group has an index of its own, chosen by its size, "
        "dimension, metric and the recall target: <code>--index {}</code>{}.</p>\n"
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Plan\"><table><thead><tr>"
        "<th scope=\"col\">index</th><th scope=\"col\" class=\"num\">groups</th>"
        "<th scope=\"col\" class=\"num\">rows</th><th scope=\"col\" class=\"num\">planned work</th>"
        "<th scope=\"col\" class=\"meter\"><span class=\"hidden\">bar</span></th>"
        "<th scope=\"col\" class=\"num\">memory, largest group</th><th scope=\"col\" class=\"what\">what it "
        "does</th></tr>"
        "</thead><tbody>\n{}</tbody></table></div>\n</section>\n",
        name(report.options.index),
        report.options.index == IndexKind::flat
            ? std::string()
            : fmt::format(", <code>--recall-target {}</code>", report.options.recall_target),
        rows);
}

}  // namespace grouplink::page
