#include "page/charts.hpp"
#include "page/label.hpp"
#include "page/layout.hpp"
#include "page/sections.hpp"
#include "page/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

namespace grouplink::page {
namespace {

using Link = LinkSample::Link;
using Neighborhood = LinkSample::Neighborhood;

constexpr std::size_t most_text = 160;
constexpr std::size_t most_id = 48;
constexpr std::size_t most_label = 18;

std::string end_of_link(const Subject& subject, std::int64_t row) {
    const std::string id = escaped(id_text(subject, row), most_id);
    const std::string text = escaped(text_of(subject, row), most_text);
    if (text.empty()) return fmt::format("<span class=\"id\"><bdi>{}</bdi></span>", id);
    return fmt::format("<bdi>{}</bdi><br><span class=\"id\"><bdi>{}</bdi></span>", text, id);
}

std::string links_table(const Subject& subject, const std::vector<Link>& links, const char* title) {
    std::string rows;
    for (const Link& link : links) {
        fmt::format_to(std::back_inserter(rows),
                       "<tr><td class=\"num strong\">{:.4f}</td><td>{}</td><td>{}</td>"
                       "<td class=\"id\"><bdi>{}</bdi></td></tr>\n",
                       static_cast<double>(link.weight), end_of_link(subject, link.source),
                       end_of_link(subject, link.target), escaped(group_of(subject, link.source), most_id));
    }
    return fmt::format(
        "<div><h3>{0}</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\">"
        "<table class=\"texts\"><thead><tr><th scope=\"col\" class=\"num\">weight</th><th "
        "scope=\"col\">from</th>"
        "<th scope=\"col\">to</th><th "
        "scope=\"col\">group</th></tr></thead><tbody>\n{1}</tbody></table></div></div>\n",
        title, rows);
}

// Of a drawing, in the units that the texts in it are sized in.
constexpr double width = 400;
constexpr double height = 300;
constexpr double margin_x = 44;
constexpr double margin_y = 20;
constexpr double glyph = 6.2;  // a generous mean of the widths of letters
constexpr double label_height = 12;
constexpr double node_radius = 4.5;

struct Box {
    double x = 0.0;
    double y = 0.0;
    double w = 0.0;
    double h = 0.0;

    bool meets(const Box& other) const {
        return x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h;
    }
};

std::string label_of(const Subject& subject, std::int64_t row) {
    const std::string_view text = text_of(subject, row);
    return text.empty() ? id_text(subject, row) : std::string(text);
}

/// Draws names beside their points where they hide neither each other nor a point.
void draw_labels(std::string& out, const Subject& subject, const Neighborhood& area,
                 const std::vector<Point>& points) {
    std::vector<Box> taken;
    for (const Point& p : points) {
        taken.push_back({p.x - node_radius, p.y - node_radius, 2 * node_radius, 2 * node_radius});
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
        const std::string label = label_of(subject, area.rows[i]);
        const double w = glyph * static_cast<double>(width_of(label, most_label));
        const Point p = points[i];
        const double off = node_radius + 3;
        const std::pair<Box, const char*> places[] = {
            {{p.x + off, p.y - label_height / 2, w, label_height}, ""},
            {{p.x - off - w, p.y - label_height / 2, w, label_height}, " end"},
            {{p.x - w / 2, p.y - off - label_height, w, label_height}, " mid"},
            {{p.x - w / 2, p.y + off, w, label_height}, " mid"},
        };
        for (const auto& [box, anchor] : places) {
            const bool inside =
                box.x >= 2 && box.x + box.w <= width - 2 && box.y >= 2 && box.y + box.h <= height - 2;
            const auto hits = [&box = box](const Box& other) { return box.meets(other); };
            if (!inside || std::any_of(taken.begin(), taken.end(), hits)) continue;
            taken.push_back(box);
            const double x = anchor[0] == '\0' ? box.x : anchor[1] == 'e' ? box.x + box.w : box.x + box.w / 2;
            fmt::format_to(
                std::back_inserter(out), R"(<text class="label{}{}" x="{:.1f}" y="{:.1f}">{}</text>)", anchor,
                i == 0 ? " middle" : "", x, box.y + label_height - 2.5, escaped(label, most_label));
            break;
        }
    }
}

std::string drawing(const Subject& subject, const Neighborhood& area, std::size_t number) {
    const auto place = [&](std::int64_t row) {
        return static_cast<std::size_t>(std::find(area.rows.begin(), area.rows.end(), row) -
                                        area.rows.begin());
    };
    float least = std::numeric_limits<float>::infinity();
    float most = -least;
    for (const Link& link : area.links) {
        least = std::min(least, link.weight);
        most = std::max(most, link.weight);
    }
    const double range = std::max(1e-12, static_cast<double>(most) - static_cast<double>(least));
    const auto strength = [&](const Link& link) {
        return (static_cast<double>(link.weight) - static_cast<double>(least)) / range;
    };
    std::vector<Edge> edges;
    for (const Link& link : area.links) {
        edges.push_back({place(link.source), place(link.target), 1.6 - strength(link)});
    }
    std::vector<Point> points =
        lay_out(area.rows.size(), edges, width - 2 * margin_x, height - 2 * margin_y, 24);
    for (Point& p : points) p = {p.x + margin_x, p.y + margin_y};

    const std::string_view key = group_of(subject, area.rows.front());
    const std::string middle = label_of(subject, area.rows.front());
    std::string out =
        open_svg({fmt::format("neighborhood-{}", number), fmt::format("Links around {}", middle),
                  fmt::format("{} of the group {} and {} among them.",
                              plural(static_cast<std::int64_t>(area.rows.size()), "row"), key,
                              plural(static_cast<std::int64_t>(area.links.size()), "link")),
                  "", ""},
                 width, height, "graph");
    std::vector<std::size_t> order(area.links.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    // The strongest are drawn last, over the others.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return area.links[a].weight < area.links[b].weight;
    });
    for (const std::size_t i : order) {
        const Point a = points[edges[i].a];
        const Point b = points[edges[i].b];
        const double s = strength(area.links[i]);
        fmt::format_to(
            std::back_inserter(out),
            R"(<line class="link" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke-width="{:.1f}" stroke-opacity="{:.2f}"><title>{:.4f}</title></line>)",
            a.x, a.y, b.x, b.y, 0.8 + 1.9 * s * s, 0.3 + 0.6 * s * s,
            static_cast<double>(area.links[i].weight));
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
        const std::string id = escaped(id_text(subject, area.rows[i]), most_id);
        const std::string text = escaped(text_of(subject, area.rows[i]), most_text);
        fmt::format_to(
            std::back_inserter(out),
            R"(<circle class="node{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}{}{}</title></circle>)",
            i == 0 ? " middle" : "", points[i].x, points[i].y, i == 0 ? node_radius + 1.5 : node_radius, text,
            text.empty() ? "" : " \xC2\xB7 ", id);
    }
    draw_labels(out, subject, area, points);
    return fmt::format(
        "<figure><h3><bdi>{}</bdi></h3>{}</svg><figcaption>{} rows, weights {} to {}</figcaption></figure>\n",
        escaped(key, most_id), out, area.rows.size(), number_text(static_cast<double>(least)),
        number_text(static_cast<double>(most)));
}

}  // namespace

std::string examples_section(const Subject& subject) {
    std::string out = "<section id=\"examples\"><h2>Examples</h2>\n";
    if (subject.sample.strongest.empty())
        return out + "<p class=\"empty\">There are no links to show.</p></section>\n";
    return out + "<p>At most one link a row and three of one weight.</p>\n" +
           links_table(subject, subject.sample.strongest, "Strongest links") +
           links_table(subject, subject.sample.weakest, "Weakest links") + "</section>\n";
}

std::string neighborhoods_section(const Subject& subject) {
    const std::vector<Neighborhood>& areas = subject.sample.neighborhoods;
    std::string out = "<section id=\"graph\"><h2>Graph</h2>\n";
    if (areas.empty()) return out + "<p class=\"empty\">There are no links to draw.</p></section>\n";
    out +=
        "<p>Some rows around one drawn at random, in the groups with the most links, and all links among "
        "them. Stronger links are bolder; point at a row or a link to read it.</p>\n<div class=\"charts\">\n";
    for (std::size_t i = 0; i < areas.size(); ++i) out += drawing(subject, areas[i], i + 1);
    return out + "</div></section>\n";
}

}  // namespace grouplink::page
