#include <grouplink/report_page.hpp>

#include "knn/seed.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

namespace grouplink {
namespace {

using Link = LinkSample::Link;
using Neighborhood = LinkSample::Neighborhood;

constexpr std::size_t most_examples = 10;
constexpr std::size_t most_of_a_weight = 3;
constexpr std::size_t most_neighborhoods = 6;
constexpr std::size_t most_rows_drawn = 20;
// New rows that the middle, and any other row, bring in.
constexpr std::size_t middle_reach = 7;
constexpr std::size_t row_reach = 3;

bool same_pair(const Link& a, const Link& b) {
    return std::minmax(a.source, a.target) == std::minmax(b.source, b.target);
}

/// The first links by `Before` of their weights, a pair once.
template <typename Before>
class Examples {
public:
    void add(const Link& link) {
        if (links_.size() == most_examples && !Before()(link.weight, std::prev(links_.end())->first)) {
            if (links_.find(link.weight) == links_.end()) return;
        }
        std::vector<Link>& equal = links_[link.weight];
        if (equal.size() == most_of_a_weight) return;
        if (std::any_of(equal.begin(), equal.end(), [&](const Link& l) { return same_pair(l, link); }))
            return;
        equal.push_back(link);
        if (links_.size() > most_examples) links_.erase(std::prev(links_.end()));
    }
    std::vector<Link> finish() const {
        std::vector<Link> all;
        for (const auto& [weight, equal] : links_) all.insert(all.end(), equal.begin(), equal.end());
        if (all.size() > most_examples) all.resize(most_examples);
        return all;
    }

private:
    std::map<float, std::vector<Link>, Before> links_;
};

std::size_t first_link(const CsrGraph& graph, std::int64_t row) {
    return static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row)]);
}

Neighborhood around(const CsrGraph& graph, std::int64_t middle) {
    Neighborhood area{{middle}, {}};
    std::vector<std::int64_t>& rows = area.rows;
    for (std::size_t at = 0; at < rows.size() && rows.size() < most_rows_drawn; ++at) {
        std::size_t reach = at == 0 ? middle_reach : row_reach;
        for (std::size_t i = first_link(graph, rows[at]); i < first_link(graph, rows[at] + 1); ++i) {
            if (reach == 0 || rows.size() == most_rows_drawn) break;
            if (std::find(rows.begin(), rows.end(), graph.targets[i]) != rows.end()) continue;
            rows.push_back(graph.targets[i]);
            --reach;
        }
    }
    for (const std::int64_t row : rows) {
        for (std::size_t i = first_link(graph, row); i < first_link(graph, row + 1); ++i) {
            const std::int64_t target = graph.targets[i];
            if (std::find(rows.begin(), rows.end(), target) == rows.end()) continue;
            const Link link{std::min(row, target), std::max(row, target), graph.weights[i]};
            const auto same = [&](const Link& other) { return same_pair(link, other); };
            if (std::none_of(area.links.begin(), area.links.end(), same)) area.links.push_back(link);
        }
    }
    return area;
}

/// The row of the group that the lot falls on, among those with links that are not `taken`; -1 for none.
std::int64_t draw_row(const CsrGraph& graph, const GroupColumn& groups, std::int32_t group,
                      std::uint64_t salt, const std::vector<std::int64_t>& taken) {
    std::pair<std::uint64_t, std::int64_t> least{~std::uint64_t{0}, -1};
    for (std::size_t row = 0; row < groups.codes.size(); ++row) {
        if (groups.codes[row] != group || graph.offsets[row] == graph.offsets[row + 1]) continue;
        const std::pair lot{knn::mix(salt ^ knn::mix(row)), static_cast<std::int64_t>(row)};
        if (lot < least && std::find(taken.begin(), taken.end(), lot.second) == taken.end()) least = lot;
    }
    return least.second;
}

std::vector<Neighborhood> draw_neighborhoods(const CsrGraph& graph, const GroupColumn& groups,
                                             std::uint64_t seed) {
    std::vector<std::int64_t> links(groups.keys.size(), 0);
    for (std::size_t row = 0; row < groups.codes.size(); ++row) {
        if (groups.codes[row] < 0) continue;
        links[static_cast<std::size_t>(groups.codes[row])] += graph.offsets[row + 1] - graph.offsets[row];
    }
    std::vector<std::int32_t> order(links.size());
    std::iota(order.begin(), order.end(), 0);
    const std::size_t shown = std::min(order.size(), most_neighborhoods);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                      [&](std::int32_t a, std::int32_t b) {
                          const std::int64_t of_a = links[static_cast<std::size_t>(a)];
                          const std::int64_t of_b = links[static_cast<std::size_t>(b)];
                          return of_a != of_b ? of_a > of_b : a < b;
                      });
    std::vector<Neighborhood> areas;
    std::vector<std::int64_t> taken;
    bool more = shown > 0;
    while (more) {
        more = false;
        for (std::size_t i = 0; i < shown && areas.size() < most_neighborhoods; ++i) {
            if (links[static_cast<std::size_t>(order[i])] == 0) continue;
            const std::string& key = groups.keys[static_cast<std::size_t>(order[i])];
            const std::int64_t row = draw_row(graph, groups, order[i], knn::group_seed(seed, key), taken);
            if (row < 0) continue;
            areas.push_back(around(graph, row));
            taken.insert(taken.end(), areas.back().rows.begin(), areas.back().rows.end());
            more = true;
        }
    }
    return areas;
}

}  // namespace

LinkSample sample_links(const CsrGraph& graph, const GroupColumn& groups, std::uint64_t seed) {
    Examples<std::greater<>> strongest;
    Examples<std::less<>> weakest;
    for (std::int64_t row = 0; row < graph.rows(); ++row) {
        const std::size_t first = first_link(graph, row);
        const std::size_t last = first_link(graph, row + 1);
        if (first == last) continue;
        strongest.add({row, graph.targets[first], graph.weights[first]});
        weakest.add({row, graph.targets[last - 1], graph.weights[last - 1]});
    }
    LinkSample sample{strongest.finish(), weakest.finish(), draw_neighborhoods(graph, groups, seed), {}};
    for (const auto* links : {&sample.strongest, &sample.weakest}) {
        for (const Link& link : *links) sample.rows.insert(sample.rows.end(), {link.source, link.target});
    }
    for (const Neighborhood& area : sample.neighborhoods) {
        sample.rows.insert(sample.rows.end(), area.rows.begin(), area.rows.end());
    }
    std::sort(sample.rows.begin(), sample.rows.end());
    sample.rows.erase(std::unique(sample.rows.begin(), sample.rows.end()), sample.rows.end());
    return sample;
}

}  // namespace grouplink
