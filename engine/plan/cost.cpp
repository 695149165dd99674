#include "plan/cost.hpp"

#include "plan/plan.hpp"

#include <algorithm>
#include <cmath>

namespace grouplink {
namespace {

// The factors say how many pairs of a flat tile take as long: 1.1 ns each on a core with AVX-512 VNNI, whose
// first bytes leave few for a closer score. They were fitted to the processor time of 5,000 to 117,659
// sentence embeddings of 384 components, k = 15, each index at recall .95 and .99; `grouplink explain
// --measure` takes such times on any machine. A plan must be the same everywhere, so they are constants: they
// choose and order groups, and where they are off a result of the same quality comes a little later.

/// The canonical scoring of a pair of a tiny group, with its share of loading and sorting.
constexpr double direct_pair_factor = 30.0;
/// A pair of such a group, and all that a link takes besides, where rough scores come first.
constexpr double screened_pair_factor = 6.5;
constexpr double screened_link_factor = 145.0;
/// All that a link takes besides tiles, where every pair is looked at: passing the filter, lists, ranking.
constexpr double link_factor = 1000.0;
/// The same where lists are short of candidates from the start: gathering and ranking alone.
constexpr double ranked_link_factor = 430.0;
/// A pair of float32 rows, as a sample's are scored.
constexpr double float_factor = 3.0;
/// A pair of a row and a leader, with the choice of the nearest.
constexpr double leader_factor = 1.5;
/// A pair of a leaf: its rows are gathered, and its lists begin empty.
constexpr double leaf_factor = 5.7;
/// A distance that a refinement takes, looking up and offering included.
constexpr double refined_factor = 30.0;
/// A pair of a row and one of a list it probes.
constexpr double listed_factor = 6.0;
/// A distance that FAISS's graph search takes, one at a time.
constexpr double graph_factor = 320.0;
/// Distances that such a search takes for each candidate it keeps.
constexpr double graph_visits = 12.0;

/// Rows that one meets in a refinement, as far as it is likely to go.
constexpr double met_rows = 170.0;

double links_pairs(const GroupSize& group, double factor) {
    return factor * static_cast<double>(group.rows) * static_cast<double>(group.links);
}

double sample_pairs(const GroupSize& group) {
    return float_factor * static_cast<double>(calibration_rows) * static_cast<double>(group.rows);
}

double pass_pairs(const GroupSize& group, std::int64_t fanout) {
    const auto rows = static_cast<double>(group.rows);
    const auto cells = static_cast<double>(fanout);
    const double leaders =
        std::clamp(rows / static_cast<double>(rows_a_leader), cells, static_cast<double>(most_leaders));
    const double leaf = std::min({rows * cells / leaders, static_cast<double>(most_leaf_rows), rows});
    return rows * (leader_factor * leaders + leaf_factor * cells * leaf / 2.0);
}

double refinement_pairs(const GroupSize& group) {
    return refined_factor * met_rows * static_cast<double>(group.rows);
}

/// An inner product is a multiplication and an addition for each component.
double cost_of_pairs(double pairs, const GroupSize& group) {
    return 2.0 * pairs * static_cast<double>(group.dim);
}

}  // namespace

double direct_cost(const GroupSize& group, bool screened) {
    const auto rows = static_cast<double>(group.rows);
    const double pairs = rows * rows / 2.0;
    if (!screened) return cost_of_pairs(direct_pair_factor * pairs, group);
    return cost_of_pairs(screened_pair_factor * pairs + links_pairs(group, screened_link_factor), group);
}

double flat_cost(const GroupSize& group) { return flat_cost(group, group.rows); }

double flat_cost(const GroupSize& group, std::int64_t queries) {
    const auto rows = static_cast<double>(group.rows);
    const auto wanted = static_cast<double>(queries);
    // Each pair once: of two rows that are both asked for as well.
    const double pairs = wanted * (rows - wanted / 2.0);
    return cost_of_pairs(pairs + links_pairs({queries, group.dim, group.links}, link_factor), group);
}

double ivf_cost(const GroupSize& group, const IvfOptions& options) {
    return ivf_cost(group, options, group.rows);
}

double ivf_cost(const GroupSize& group, const IvfOptions& options, std::int64_t queries) {
    const auto rows = static_cast<double>(group.rows);
    const auto nlist = static_cast<double>(options.nlist);
    const auto nprobe = static_cast<double>(options.nprobe);
    const double trained = std::min(rows, static_cast<double>(training_rows_a_list) * nlist);
    return cost_of_pairs(float_factor * nlist * (2.0 * rows + trained * training_rounds) +
                             listed_factor * static_cast<double>(queries) * nprobe * rows / nlist +
                             sample_pairs(group) +
                             links_pairs({queries, group.dim, group.links}, link_factor),
                         group);
}

double hnsw_cost(const GroupSize& group, const HnswOptions& options) {
    const auto rows = static_cast<double>(group.rows);
    const auto kept = static_cast<double>(options.ef_construction) + static_cast<double>(options.ef_search);
    return cost_of_pairs(graph_factor * graph_visits * std::min(kept, rows) * rows + sample_pairs(group) +
                             links_pairs(group, ranked_link_factor),
                         group);
}

double partition_cost(const GroupSize& group, const PartitionOptions& options) {
    return cost_of_pairs(static_cast<double>(options.passes) * pass_pairs(group, options.fanout) +
                             static_cast<double>(options.refinements) * refinement_pairs(group) +
                             sample_pairs(group) + links_pairs(group, ranked_link_factor),
                         group);
}

std::int64_t lists_of(const IvfOptions& options, std::int64_t rows) {
    // About sqrt(n) lists balance the search for a row's lists with that of the lists.
    const auto root = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(rows))));
    return std::min(rows, options.nlist > 0 ? options.nlist : root);
}

std::int64_t fanout_of(const PartitionOptions& options, double recall) {
    if (options.fanout > 0) return options.fanout;
    return recall <= 0.9 ? 5 : recall <= 0.95 ? 7 : recall <= 0.975 ? 9 : recall <= 0.99 ? 12 : 16;
}

IvfOptions expected(const IvfOptions& options, std::int64_t rows, double recall) {
    IvfOptions result{.nlist = lists_of(options, rows), .nprobe = options.nprobe};
    // Fitted to sentence embeddings: 8 of 343 lists find .86 of the neighbors, 32 find .96.
    if (result.nprobe == 0) result.nprobe = std::llround(std::pow(std::max(1e-4, 1.0 - recall), -1.1));
    result.nprobe = std::clamp<std::int64_t>(result.nprobe, 1, result.nlist);
    return result;
}

HnswOptions expected(const HnswOptions& options, std::int64_t links, double recall) {
    HnswOptions result = options;
    // Fitted likewise: 32 candidates find .989.
    if (result.ef_search == 0) result.ef_search = std::llround(0.35 / std::max(1e-4, 1.0 - recall));
    result.ef_search = std::max(result.ef_search, links + 5);
    return result;
}

PartitionOptions expected(const PartitionOptions& options, double recall) {
    PartitionOptions result = options;
    result.fanout = fanout_of(options, recall);
    if (result.passes == 0) {
        result.passes = recall <= 0.995 ? 1 : 2;
        result.refinements = result.passes;
    }
    return result;
}

double rounds_a_flat_search(const GroupSize& group, std::int64_t fanout) {
    return flat_cost(group) / cost_of_pairs(pass_pairs(group, fanout) + refinement_pairs(group), group);
}

}  // namespace grouplink
