#include "links/histogram.hpp"

#include "links/similarity.hpp"
#include "ordered_bits.hpp"
#include "rows/each_row.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <utility>

namespace grouplink {
namespace {

constexpr std::int64_t most_degree_bins = 40;

/// Calls visit(group, distances of the row, worker) for the rows that have some, in parallel.
template <typename Visit>
void for_each_found(const Neighbors& neighbors, const RowsByGroup& grouped, int threads,
                    const JobControl& control, Visit visit) {
    for_each_row(grouped, threads, control, "histogram", [&](std::size_t row, std::size_t g, int worker) {
        const auto begin = static_cast<std::size_t>(neighbors.offsets[row]);
        const auto end = static_cast<std::size_t>(neighbors.offsets[row + 1]);
        if (begin == end) return;
        visit(g, std::span(neighbors.distances).subspan(begin, end - begin),
              static_cast<std::size_t>(worker));
    });
}

/// Where the links of some groups lie; the least above the most where there are none.
struct Range {
    float nearest = std::numeric_limits<float>::infinity();
    float farthest = -std::numeric_limits<float>::infinity();
    float least_weight = std::numeric_limits<float>::infinity();
    float most_weight = -std::numeric_limits<float>::infinity();

    void widen(const Range& other) {
        nearest = std::min(nearest, other.nearest);
        farthest = std::max(farthest, other.farthest);
        least_weight = std::min(least_weight, other.least_weight);
        most_weight = std::max(most_weight, other.most_weight);
    }
};

/// The bin of a link's weight, found by its distance: as weights never grow with the distance, a bin is an
/// interval of distances.
class BinOf {
public:
    BinOf(const WeightOf& weight_of, const std::vector<double>& edges, const Range& range)
        : nearest_(std::max(static_cast<double>(range.nearest), -largest)),
          cells_a_unit_(static_cast<double>(cells) /
                        std::max(std::min(static_cast<double>(range.farthest), largest) - nearest_,
                                 static_cast<double>(std::numeric_limits<float>::min()))),
          farthest_{std::numeric_limits<float>::infinity()} {
        for (std::size_t bin = 1; bin + 1 < edges.size(); ++bin)
            farthest_.push_back(farthest_above(edges[bin], weight_of, range));
        // The bin of the nearest distance that can fall into a cell, rounding included.
        std::size_t bin = farthest_.size() - 1;
        for (std::size_t cell = 0; cell < bins_.size(); ++cell) {
            const double distance = nearest_ + (static_cast<double>(cell) - 0.5) / cells_a_unit_;
            while (distance > static_cast<double>(farthest_[bin])) --bin;
            bins_[cell] = static_cast<std::uint32_t>(bin);
        }
    }

    std::size_t operator()(float distance) const {
        const double cell = (static_cast<double>(distance) - nearest_) * cells_a_unit_;
        std::size_t bin = bins_[static_cast<std::size_t>(std::clamp(cell, 0.0, double{cells}))];
        while (distance > farthest_[bin]) --bin;
        return bin;
    }

private:
    static constexpr int cells = 4096;
    static constexpr auto largest = static_cast<double>(std::numeric_limits<float>::max());

    /// The farthest distance of the range at which a link weighs `edge` or more; minus infinity where none
    /// does.
    static float farthest_above(double edge, const WeightOf& weight_of, const Range& range) {
        const auto reaches = [&](std::uint32_t bits) {
            return static_cast<double>(weight_of(from_ordered_bits(bits))) >= edge;
        };
        std::uint32_t low = ordered_bits(range.nearest);
        std::uint32_t high = ordered_bits(range.farthest);
        if (!reaches(low)) return -std::numeric_limits<float>::infinity();
        while (low < high) {
            const std::uint32_t middle = high - (high - low) / 2;
            if (reaches(middle)) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return from_ordered_bits(low);
    }

    double nearest_;
    double cells_a_unit_;
    std::vector<float> farthest_;  ///< of each bin, none before it has: any at all in the first
    std::array<std::uint32_t, cells + 1> bins_{};  ///< of each cell, the distances being cut into equal ones
};

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
    const auto weight_of = [&](std::size_t g) {
        return WeightOf(options, static_cast<double>(group_dim[g]));
    };
    std::vector<Range> ranges(static_cast<std::size_t>(threads));
    for_each_found(
        neighbors, grouped, threads, control,
        [&](std::size_t g, std::span<const float> distances, std::size_t worker) {
            const float nearest = distances.front();
            const float farthest = distances.back();
            ranges[worker].widen({nearest, farthest, weight_of(g)(farthest), weight_of(g)(nearest)});
        });
    for (const Range& range : ranges) ranges[0].widen(range);
    const Range& range = ranges[0];
    if (range.nearest > range.farthest) return {};
    // A product of large components may have left float32's range.
    constexpr float largest = std::numeric_limits<float>::max();
    Histogram histogram{round_edges(static_cast<double>(std::clamp(range.least_weight, -largest, largest)),
                                    static_cast<double>(std::clamp(range.most_weight, -largest, largest))),
                        {}};
    const std::size_t bins = histogram.edges.size() - 1;

    // The dimension matters where weights depend on it.
    std::map<std::int64_t, BinOf> of_dim;
    std::vector<const BinOf*> of_group(group_dim.size());
    for (std::size_t g = 0; g < of_group.size(); ++g) {
        const std::int64_t dim = options.metric == Metric::hamming ? group_dim[g] : 0;
        auto found = of_dim.find(dim);
        if (found == of_dim.end())
            found = of_dim.emplace(dim, BinOf(weight_of(g), histogram.edges, range)).first;
        of_group[g] = &found->second;
    }
    // Neighbors of a row often fall into one bin: each count is kept in several places, for none to wait for
    // the one before it.
    constexpr std::size_t places = 4;
    std::vector<std::vector<std::int64_t>> counts(static_cast<std::size_t>(threads),
                                                  std::vector<std::int64_t>(bins * places, 0));
    for_each_found(neighbors, grouped, threads, control,
                   [&](std::size_t g, std::span<const float> distances, std::size_t worker) {
                       std::int64_t* const count = counts[worker].data();
                       const BinOf& bin_of = *of_group[g];
                       for (std::size_t m = 0; m < distances.size(); ++m)
                           ++count[bin_of(distances[m]) * places + m % places];
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
