#include "links/cut.hpp"

#include "links/similarity.hpp"
#include "ordered_bits.hpp"
#include "parallel/workers.hpp"
#include "rows/each_row.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace grouplink {
namespace {

/// Calls visit(weight) for every neighbor of the group's rows.
template <typename Visit>
void for_each_weight(const Neighbors& neighbors, std::span<const std::int64_t> rows,
                     const WeightOf& weight_of, const JobControl& control, Visit visit) {
    constexpr std::int64_t links_a_look = 1 << 20;
    std::int64_t unlooked = 0;
    parallel::check_stop(control);
    for (const std::int64_t row : rows) {
        const auto first = static_cast<std::size_t>(neighbors.offsets[static_cast<std::size_t>(row)]);
        const auto last = static_cast<std::size_t>(neighbors.offsets[static_cast<std::size_t>(row) + 1]);
        for (std::size_t i = first; i < last; ++i) visit(weight_of(neighbors.distances[i]));
        unlooked += static_cast<std::int64_t>(last - first);
        if (unlooked < links_a_look) continue;
        unlooked = 0;
        parallel::check_stop(control);
    }
}

/// Order statistics without a copy of the weights: for_each visits them all, twice a rank.
template <typename ForEach>
float weight_of_rank(const ForEach& for_each, std::int64_t rank) {
    constexpr std::size_t buckets = std::size_t{1} << 16;
    std::vector<std::int64_t> counts(buckets, 0);
    const auto find_bucket = [&] {
        std::uint32_t bucket = 0;
        while (rank >= counts[bucket]) rank -= counts[bucket++];
        return bucket;
    };
    for_each([&](float weight) { ++counts[ordered_bits(weight) >> 16]; });
    const std::uint32_t high = find_bucket();
    std::fill(counts.begin(), counts.end(), 0);
    for_each([&](float weight) {
        const std::uint32_t bits = ordered_bits(weight);
        if (bits >> 16 == high) ++counts[bits & 0xffff];
    });
    return from_ordered_bits(high << 16 | find_bucket());
}

/// The same of few weights, by way of a copy.
template <typename ForEach>
float weight_of_rank_among_few(const ForEach& for_each, std::int64_t rank, std::vector<float>& weights) {
    weights.clear();
    for_each([&](float weight) { weights.push_back(weight); });
    const auto place = weights.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(weights.begin(), place, weights.end());
    return *place;
}

/// numpy.quantile(weights, q), method "linear", of `count` >= 1 weights.
template <typename ForEach>
double quantile(const ForEach& for_each, std::int64_t count, double q) {
    constexpr std::int64_t few = 1 << 20;
    std::vector<float> copy;
    const auto of_rank = [&](std::int64_t wanted) {
        return static_cast<double>(count <= few ? weight_of_rank_among_few(for_each, wanted, copy)
                                                : weight_of_rank(for_each, wanted));
    };
    const double place = q * static_cast<double>(count - 1);
    const double below = std::floor(place);
    const double share = place - below;
    const auto rank = static_cast<std::int64_t>(below);
    const double low = of_rank(rank);
    if (share == 0.0) return low;
    const double high = of_rank(rank + 1);
    // Towards the nearer end, as numpy does, so that equal ends give that very number.
    return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1.0 - share);
}

std::int64_t neighbors_of(const Neighbors& neighbors, std::span<const std::int64_t> rows) {
    std::int64_t count = 0;
    for (const std::int64_t row : rows) {
        count += neighbors.offsets[static_cast<std::size_t>(row) + 1] -
                 neighbors.offsets[static_cast<std::size_t>(row)];
    }
    return count;
}

}  // namespace

Cut find_cut(const Neighbors& neighbors, const RowsByGroup& grouped, std::span<const std::int64_t> group_dim,
             const LinkOptions& options, const JobControl& control) {
    const std::size_t groups = group_dim.size();
    Cut cut{.of_group = std::vector<double>(groups, options.similarity_min),
            .lowest = options.similarity_min};
    const auto links = static_cast<std::int64_t>(neighbors.targets.size());
    // The quantile 0 is the least weight there is: it turns nothing away.
    if (links == 0 || options.similarity_min_q == 0.0) return cut;

    const auto group_weights = [&](std::size_t g, auto visit) {
        const WeightOf weight_of(options, static_cast<double>(group_dim[g]));
        for_each_weight(neighbors, grouped.group(static_cast<std::int32_t>(g)), weight_of, control, visit);
    };
    if (options.quantile_scope == QuantileScope::all) {
        const auto all_weights = [&](auto visit) {
            for (std::size_t g = 0; g < groups; ++g) group_weights(g, visit);
        };
        cut.lowest = std::max(options.similarity_min, quantile(all_weights, links, options.similarity_min_q));
        std::fill(cut.of_group.begin(), cut.of_group.end(), cut.lowest);
        return cut;
    }
    cut.lowest = std::numeric_limits<double>::infinity();
    for (std::size_t g = 0; g < groups; ++g) {
        const std::int64_t count = neighbors_of(neighbors, grouped.group(static_cast<std::int32_t>(g)));
        if (count == 0) continue;
        const double found =
            quantile([&](auto visit) { group_weights(g, visit); }, count, options.similarity_min_q);
        cut.of_group[g] = std::max(options.similarity_min, found);
        cut.lowest = std::min(cut.lowest, cut.of_group[g]);
    }
    return cut;
}

std::vector<std::int64_t> kept_neighbors(const Neighbors& neighbors, const RowsByGroup& grouped,
                                         std::span<const std::int64_t> group_dim, const Cut& cut,
                                         const LinkOptions& options, int threads, const JobControl& control) {
    std::vector<std::int64_t> kept(neighbors.offsets.size() - 1, 0);
    for_each_row(grouped, threads, control, "threshold", [&](std::size_t row, std::size_t g, int) {
        const WeightOf weight_of(options, static_cast<double>(group_dim[g]));
        const float* begin = neighbors.distances.data() + neighbors.offsets[row];
        const float* end = neighbors.distances.data() + neighbors.offsets[row + 1];
        const auto reaches = [&](float distance) {
            return static_cast<double>(weight_of(distance)) >= cut.of_group[g];
        };
        // Mostly all do, and the last shows it.
        kept[row] = begin == end || reaches(end[-1]) ? end - begin
                                                     : std::partition_point(begin, end, reaches) - begin;
    });
    return kept;
}

}  // namespace grouplink
