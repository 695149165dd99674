#include "plan/cost.hpp"

#include "plan/plan.hpp"

#include <algorithm>
#include <cmath>

namespace grouplink {
namespace {

// The factors are ratios of measured times, dim 384, on a core with AVX-512: `grouplink explain --measure`
// takes them again on any machine. They choose and order groups, so a machine on which they are some way
// off gets a result of the same quality a little later.

/// The canonical scoring of a pair, both rows loaded, against a pair of a tile.
constexpr double direct_pair_factor = 3.0;
/// Loading, scoring and ranking a candidate, against a pair of a tile.
constexpr double candidate_factor = 16.0;
/// A pair of a leaf of a partition against one of a flat tile: rows are gathered first, and lists are young.
constexpr double leaf_factor = 2.0;
/// A float32 distance of two rows from anywhere in memory, against a pair of a tile.
constexpr double scattered_factor = 8.0;
/// Distances that an hnsw search takes for each candidate it keeps, on real embeddings.
constexpr double hnsw_visits = 12.0;

/// Rows of a leaf of a partition on average, and rows that one meets in a refinement.
constexpr double leaf_rows = 650.0;
constexpr double met_rows = 170.0;
/// A row goes to so many leaves for each cell of the first level.
constexpr double leaves_a_cell = 1.3;

double links_cost(const GroupSize& group) {
    return candidate_factor * static_cast<double>(group.rows) * static_cast<double>(group.links);
}

double pass_pairs(const GroupSize& group, std::int64_t fanout) {
    const auto rows = static_cast<double>(group.rows);
    const double leaders = std::clamp(rows / 150.0, static_cast<double>(fanout), 1000.0);
    const double met = leaves_a_cell * static_cast<double>(fanout) * std::min(leaf_rows, rows) / 2.0;
    return rows * (leaders + leaf_factor * met);
}

double refinement_pairs(const GroupSize& group) {
    return scattered_factor * met_rows * static_cast<double>(group.rows);
}

/// An operation of a tile is half a multiply-add of one component.
double cost_of_pairs(double pairs, const GroupSize& group) {
    return 2.0 * pairs * static_cast<double>(group.dim);
}

}  // namespace

double direct_cost(const GroupSize& group) {
    const auto rows = static_cast<double>(group.rows);
    return cost_of_pairs(direct_pair_factor * rows * rows / 2.0, group);
}

double flat_cost(const GroupSize& group) {
    const auto rows = static_cast<double>(group.rows);
    return cost_of_pairs((rows * rows + links_cost(group)) / 2.0, group);
}

double ivf_cost(const GroupSize& group, const IvfOptions& options) {
    const auto rows = static_cast<double>(group.rows);
    const auto nlist = static_cast<double>(options.nlist);
    const auto nprobe = static_cast<double>(options.nprobe);
    const double sample = std::min(rows, static_cast<double>(training_rows_a_list) * nlist);
    return cost_of_pairs(2.0 * rows * nlist + rows * nprobe * rows / nlist +
                             sample * nlist * training_rounds + static_cast<double>(calibration_rows) * rows +
                             links_cost(group) / 2.0,
                         group);
}

double hnsw_cost(const GroupSize& group, const HnswOptions& options) {
    const auto rows = static_cast<double>(group.rows);
    const auto kept = static_cast<double>(options.ef_construction + options.ef_search);
    return cost_of_pairs(scattered_factor * hnsw_visits * std::min(kept, rows) * rows +
                             static_cast<double>(calibration_rows) * rows + links_cost(group) / 2.0,
                         group);
}

double partition_cost(const GroupSize& group, const PartitionOptions& options) {
    const auto rows = static_cast<double>(group.rows);
    return cost_of_pairs(static_cast<double>(options.passes) * pass_pairs(group, options.fanout) +
                             static_cast<double>(options.refinements) * refinement_pairs(group) +
                             static_cast<double>(calibration_rows) * rows + links_cost(group) / 2.0,
                         group);
}

std::int64_t lists_of(const IvfOptions& options, std::int64_t rows) {
    // About sqrt(n) lists balance the search for a row's lists with that of the lists.
    const auto root = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(rows))));
    return std::min(rows, options.nlist > 0 ? options.nlist : root);
}

std::int64_t fanout_of(const PartitionOptions& options, double recall) {
    if (options.fanout > 0) return options.fanout;
    return recall <= 0.9 ? 4 : recall <= 0.96 ? 6 : 8;
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
    result.ef_search = std::max(result.ef_search, links + 9);
    return result;
}

PartitionOptions expected(const PartitionOptions& options, double recall) {
    PartitionOptions result = options;
    result.fanout = fanout_of(options, recall);
    if (result.passes == 0) {
        result.passes = recall <= 0.99 ? 1 : 2;
        result.refinements = recall <= 0.98 ? 1 : 2;
    }
    return result;
}

double rounds_a_flat_search(const GroupSize& group, std::int64_t fanout) {
    return flat_cost(group) / cost_of_pairs(pass_pairs(group, fanout) + refinement_pairs(group), group);
}

}  // namespace grouplink
