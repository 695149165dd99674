#include "links/histogram.hpp"

#include "links/similarity.hpp"
#include "rows/each_row.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace grouplink {
namespace {

constexpr std::int64_t most_degree_bins = 40;

/// Calls visit(weight_of, distances of the row, worker) for the rows that have some, in parallel.
template <typename Visit>
void for_each_found(const Neighbors& neighbors, const RowsByGroup& grouped,
                    std::span<const std::int64_t> group_dim, const LinkOptions& options, int threads,
                    const JobControl& control, Visit visit) {
    for_each_row(grouped, threads, control, "histogram", [&](std::size_t row, std::size_t g, int worker) {
        const auto begin = static_cast<std::size_t>(neighbors.offsets[row]);
        const auto end = static_cast<std::size_t>(neighbors.offsets[row + 1]);
        if (begin == end) return;
        visit(WeightOf(options, static_cast<double>(group_dim[g])),
              std::span(neighbors.distances).subspan(begin, end - begin), static_cast<std::size_t>(worker));
    });
}

/// The least and the most weight; the first above the second where there is none.
std::pair<float, float> range_of(const Neighbors& neighbors, const RowsByGroup& grouped,
                                 std::span<const std::int64_t> group_dim, const LinkOptions& options,
                                 int threads, const JobControl& control) {
    constexpr float infinite = std::numeric_limits<float>::infinity();
    std::vector<std::pair<float, float>> ranges(static_cast<std::size_t>(threads), {infinite, -infinite});
    for_each_found(neighbors, grouped, group_dim, options, threads, control,
                   [&](const WeightOf& weight_of, std::span<const float> distances, std::size_t worker) {
                       // Weights never increase along a row.
                       auto& [least, most] = ranges[worker];
                       least = std::min(least, weight_of(distances.back()));
                       most = std::max(most, weight_of(distances.front()));
                   });
    for (const auto& [least, most] : ranges) {
        ranges[0] = {std::min(ranges[0].first, least), std::max(ranges[0].second, most)};
    }
    return ranges[0];
}

/// Of rows by the exact number of their links: a bin a number, or a few of them; the last one takes the
/// thousandth of the rows that has the most, so that a few hubs do not blur the others.
Histogram histogram_of_degrees(const std::vector<std::int64_t>& rows_of_degree) {
    Histogram histogram;
    std::int64_t rows = 0;
    for (const std::int64_t count : rows_of_degree) rows += count;
    if (rows == 0) return histogram;
    const auto degrees = static_cast<std::int64_t>(rows_of_degree.size());
    std::int64_t usual = degrees;
    for (std::int64_t above = 0; usual > 1; --usual) {
        above += rows_of_degree[static_cast<std::size_t>(usual) - 1];
        if (above * 1000 > rows) break;
    }
    std::int64_t width = 1;
    for (std::int64_t step = 1; usual > width * (most_degree_bins - 1); ++step) {
        width = step % 3 == 1 ? width * 2 : step % 3 == 2 ? width / 2 * 5 : width * 2;  // 1, 2, 5, 10, ...
    }
    histogram.edges.push_back(0.0);
    for (std::int64_t first = 0; first < degrees;) {
        const bool tail = first >= usual;
        const std::int64_t last = tail ? degrees : std::min(first + width, degrees);
        std::int64_t count = 0;
        for (std::int64_t d = first; d < last; ++d) {
            count += rows_of_degree[static_cast<std::size_t>(d)];
        }
        histogram.edges.push_back(static_cast<double>(last));
        histogram.counts.push_back(count);
        first = last;
    }
    return histogram;
}

template <typename Degree>
Histogram histogram_by(std::span<const RowStatus> status, Degree degree_of) {
    std::vector<std::int64_t> rows_of_degree;
    for (std::size_t row = 0; row < status.size(); ++row) {
        if (status[row] != RowStatus::ok) continue;
        const auto degree = static_cast<std::size_t>(degree_of(row));
        if (degree >= rows_of_degree.size()) rows_of_degree.resize(degree + 1, 0);
        ++rows_of_degree[degree];
    }
    return histogram_of_degrees(rows_of_degree);
}

}  // namespace

std::vector<double> round_edges(double least, double most) {
    constexpr double most_bins = 100.0;
    // Below this, relative to the values, float32 has few numbers left to tell apart.
    const double span = std::max(most - least, std::max(std::abs(least), std::abs(most)) * 1e-5);
    const double wanted = span > 0.0 ? span / most_bins : 1.0;
    int power = static_cast<int>(std::floor(std::log10(wanted)));
    int digit = 10;
    for (const int step : {1, 2, 5}) {
        if (step * std::pow(10.0, power) >= wanted) {
            digit = step;
            break;
        }
    }
    // One division or product of whole numbers: the double nearest to the decimal number.
    const double scale = std::pow(10.0, std::abs(power));
    const auto edge = [&](double i) { return power < 0 ? i * digit / scale : i * digit * scale; };
    double first = std::floor(least / edge(1.0));
    while (edge(first) > least) --first;
    std::vector<double> edges{edge(first)};
    while (edges.size() < 2 || edges.back() < most)
        edges.push_back(edge(first + static_cast<double>(edges.size())));
    return edges;
}

Histogram histogram_of_weights(const Neighbors& neighbors, const RowsByGroup& grouped,
                               std::span<const std::int64_t> group_dim, const LinkOptions& options,
                               int threads, const JobControl& control) {
    const auto [least, most] = range_of(neighbors, grouped, group_dim, options, threads, control);
    if (least > most) return {};
    // A product of large components may have left float32's range.
    constexpr float largest = std::numeric_limits<float>::max();
    Histogram histogram{round_edges(static_cast<double>(std::clamp(least, -largest, largest)),
                                    static_cast<double>(std::clamp(most, -largest, largest))),
                        {}};
    const std::vector<double>& edges = histogram.edges;
    const std::size_t bins = edges.size() - 1;
    const double low = edges.front();
    const double bins_a_unit = static_cast<double>(bins) / (edges.back() - low);
    // Neighbors of a row often fall into one bin: each count is kept in several places, for none to wait for
    // the one before it.
    constexpr std::size_t places = 4;
    std::vector<std::vector<std::int64_t>> counts(static_cast<std::size_t>(threads),
                                                  std::vector<std::int64_t>(bins * places, 0));
    const auto bin_of = [&](float weight) {
        const double value = std::clamp(static_cast<double>(weight), low, edges.back());
        auto bin = std::min(static_cast<std::size_t>((value - low) * bins_a_unit), bins - 1);
        // The product is rounded; the edges decide.
        if (value < edges[bin]) --bin;
        if (value >= edges[bin + 1] && bin + 1 < bins) ++bin;
        return bin;
    };
    for_each_found(neighbors, grouped, group_dim, options, threads, control,
                   [&](const WeightOf& weight_of, std::span<const float> distances, std::size_t worker) {
                       std::int64_t* const count = counts[worker].data();
                       for (std::size_t m = 0; m < distances.size(); ++m)
                           ++count[bin_of(weight_of(distances[m])) * places + m % places];
                   });
    histogram.counts.assign(bins, 0);
    for (const std::vector<std::int64_t>& own : counts) {
        for (std::size_t i = 0; i < own.size(); ++i) histogram.counts[i / places] += own[i];
    }
    return histogram;
}

Histogram histogram_of_links_from(const CsrGraph& graph, std::span<const RowStatus> status) {
    return histogram_by(status, [&](std::size_t row) { return graph.offsets[row + 1] - graph.offsets[row]; });
}

Histogram histogram_of_links_to(const CsrGraph& graph, std::span<const RowStatus> status) {
    std::vector<std::uint32_t> links_to(status.size(), 0);  // at most one from each row of the group
    for (const std::int64_t target : graph.targets) ++links_to[static_cast<std::size_t>(target)];
    return histogram_by(status, [&](std::size_t row) { return links_to[row]; });
}

}  // namespace grouplink
