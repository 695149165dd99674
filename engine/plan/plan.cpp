#include "plan/plan.hpp"

#include <grouplink/error.hpp>

#include "kernels/kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace grouplink {
namespace {

// Costs are in floating-point operations of the tile path, the unit that all else is converted to.
// The factors are ratios of measured times on one AVX-512 core, dim 384: a float32 tile scores a pair
// at 100 GFLOP/s in 4 ns (symmetric), the canonical scoring of a pair takes 25 ns once both rows are
// loaded, and loading, finding and ranking a candidate 60 ns. They only rank and batch groups, so a
// machine on which they are some way off gets the same result a little later.
constexpr double direct_pair_factor = 3.0;
constexpr double candidate_factor = 16.0;

/// Rows of a group are counted in 32 bits, of which one number stands for none; FAISS's graph takes 31.
constexpr std::int64_t most_rows = (std::int64_t{1} << 32) - 1;
constexpr std::int64_t most_hnsw_rows = (std::int64_t{1} << 31) - 1;

void check_size(const GroupPlan& plan) {
    const std::int64_t most = plan.index == IndexKind::hnsw ? most_hnsw_rows : most_rows;
    if (plan.rows <= most) return;
    throw Error(
        ErrorCode::bad_input,
        fmt::format("group number {} has {} rows, and an index of kind {} takes at most {}; group by a "
                    "finer column",
                    plan.group, plan.rows, name(plan.index), most));
}

/// Bytes, or the most that can be said of them.
std::int64_t to_bytes(double bytes) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    return bytes < static_cast<double>(most) ? static_cast<std::int64_t>(bytes) : most;
}

/// A batch of small groups should take about a millisecond.
constexpr double batch_cost = 1e8;

/// Past this a group's rows, as doubles, fall out of a core's cache on the direct path.
constexpr std::int64_t largest_direct = 512;

FlatPath path_of(std::int64_t rows, std::int64_t n_nearest) {
    if (rows < 2) return FlatPath::none;
    // Tiles pay off where a row has several times more pairs than candidates to rescore.
    const std::int64_t links = std::min(n_nearest, largest_direct);
    return rows <= std::min(largest_direct, 64 + 3 * links) ? FlatPath::direct : FlatPath::tiles;
}

/// An hnsw distance, one pair at a time and from memory, against one of a tile.
constexpr double hnsw_pair_factor = 6.0;
/// Distances that the search of a row takes for each candidate it keeps, on real embeddings.
constexpr double hnsw_visits = 12.0;

bool stays_flat(std::int64_t rows, const LinkOptions& options) {
    if (options.index == IndexKind::automatic || options.index == IndexKind::flat) return true;
    return rows < least_approximate || rows / least_rows_a_link < options.n_nearest;
}

/// The numbers in force: about sqrt(n) lists balance the search for a row's lists with that of the lists.
IvfOptions resolve(const IvfOptions& options, std::int64_t rows) {
    const auto root = [](std::int64_t x) {
        return static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(x))));
    };
    const std::int64_t nlist = std::min(rows, options.nlist > 0 ? options.nlist : root(rows));
    const std::int64_t nprobe =
        options.nprobe > 0 ? options.nprobe : std::max<std::int64_t>(8, 2 * root(nlist));
    return {.nlist = nlist, .nprobe = std::min(nlist, nprobe)};
}

void plan_ivf(GroupPlan& plan, const LinkOptions& options) {
    plan.index = IndexKind::ivf;
    plan.ivf = resolve(options.ivf, plan.rows);
    plan.tiles = blocks_of(plan.rows).count;
    const auto rows = static_cast<double>(plan.rows);
    const auto nlist = static_cast<double>(plan.ivf.nlist);
    const auto nprobe = static_cast<double>(plan.ivf.nprobe);
    const auto sample = std::min(rows, static_cast<double>(training_rows_a_list) * nlist);
    const double pairs = rows * nlist + rows * nprobe * rows / nlist + sample * nlist * training_rounds;
    plan.cost = (2.0 * pairs + candidate_factor * rows * static_cast<double>(options.n_nearest)) *
                static_cast<double>(plan.dim);
    const std::int64_t sample_bytes = static_cast<std::int64_t>(sample) * plan.dim * 4;
    // The sample goes before the rows come; then lists to probe, forth and back, and candidates.
    const std::int64_t fixed =
        std::max(sample_bytes, plan.rows * plan.dim * 4) + plan.ivf.nlist * plan.dim * 4;
    const std::int64_t a_row = 40 + 8 * plan.ivf.nprobe + 2 * (options.n_nearest + 8) * 8;
    plan.memory_bytes = to_bytes(static_cast<double>(fixed) + rows * static_cast<double>(a_row));
}

void plan_hnsw(GroupPlan& plan, const LinkOptions& options) {
    plan.index = IndexKind::hnsw;
    plan.tiles = blocks_of(plan.rows).count;
    const auto kept = static_cast<double>(options.hnsw.ef_construction +
                                          std::max(options.hnsw.ef_search, options.n_nearest + 8));
    plan.cost = (2.0 * hnsw_pair_factor * hnsw_visits * std::min(kept, static_cast<double>(plan.rows)) +
                 candidate_factor * static_cast<double>(options.n_nearest)) *
                static_cast<double>(plan.rows) * static_cast<double>(plan.dim);
    // The float32 rows, then the links of the lowest level and what the higher ones add.
    plan.memory_bytes = plan.rows * (plan.dim * 4 + 64 + (2 * options.hnsw.M + 2) * 4);
}

/// Rows of a leaf of a partition on average, and rows that one meets in a refinement.
constexpr double leaf_rows = 650.0;
constexpr double met_rows = 170.0;
/// A row goes to so many leaves for each cell of the first level.
constexpr double leaves_a_cell = 1.3;

void plan_partition(GroupPlan& plan, const LinkOptions& options) {
    plan.index = IndexKind::partition;
    plan.tiles = blocks_of(plan.rows).count;
    const auto rows = static_cast<double>(plan.rows);
    const auto fanout = static_cast<double>(options.partition.fanout);
    const auto passes = static_cast<double>(options.partition.passes);
    const double leaders = std::clamp(rows / 150.0, fanout, 1000.0);
    const double pass = 2.0 * leaders + leaves_a_cell * fanout * std::min(leaf_rows, rows);
    const double refinement = 2.0 * hnsw_pair_factor * met_rows;
    plan.cost = (passes * pass + static_cast<double>(options.partition.refinements) * refinement +
                 candidate_factor * static_cast<double>(options.n_nearest)) *
                rows * static_cast<double>(plan.dim);
    // The float32 rows, their candidates, their cells forth and back, the links that refinements follow.
    const std::int64_t a_row = plan.dim * 4 + 32 + 2 * (options.n_nearest + 8) * 8 +
                               8 * options.partition.fanout +
                               12 * std::min<std::int64_t>(16, options.n_nearest);
    plan.memory_bytes = to_bytes(rows * static_cast<double>(a_row));
}

GroupPlan plan_group(std::int32_t group, const GroupShape& shape, const LinkOptions& options) {
    GroupPlan plan{.group = group, .rows = shape.rows, .dim = shape.dim};
    if (!stays_flat(shape.rows, options)) {
        switch (options.index) {
            case IndexKind::ivf: plan_ivf(plan, options); break;
            case IndexKind::hnsw: plan_hnsw(plan, options); break;
            default: plan_partition(plan, options); break;
        }
        return plan;
    }
    plan.path = path_of(shape.rows, options.n_nearest);
    const auto rows = static_cast<double>(shape.rows);
    const auto dim = static_cast<double>(shape.dim);
    const std::int64_t links =
        std::clamp<std::int64_t>(options.n_nearest, 0, std::max<std::int64_t>(1, shape.rows) - 1);
    switch (plan.path) {
        case FlatPath::none: break;
        case FlatPath::direct:
            plan.tiles = 1;
            plan.cost = direct_pair_factor * rows * rows * dim;
            plan.memory_bytes = shape.rows * (shape.dim + shape.rows) * 8;
            break;
        case FlatPath::tiles: {
            const std::int64_t blocks = blocks_of(shape.rows).count;
            plan.tiles = blocks * (blocks + 1) / 2;
            plan.cost = rows * rows * dim + candidate_factor * rows * static_cast<double>(links) * dim;
            // The float32 rows, perhaps their codes, what is kept of each, and up to two places for each
            // candidate.
            const auto places = static_cast<double>(std::min(2 * (links + 8), shape.rows));
            const bool codes = wants_codes(options.metric, shape.rows, shape.dim);
            const double codes_of_row = codes ? static_cast<double>(code_bytes(1, shape.dim)) : 0.0;
            plan.memory_bytes = to_bytes(rows * (dim * 4 + codes_of_row + 32 + places * 8));
            break;
        }
    }
    return plan;
}

}  // namespace

Blocks blocks_of(std::int64_t rows) {
    constexpr std::int64_t step = 16;  // whole vector registers of scores
    Blocks blocks;
    blocks.count = (rows + largest_block - 1) / largest_block;
    if (blocks.count == 0) return blocks;
    blocks.block_rows = ((rows + blocks.count - 1) / blocks.count + step - 1) / step * step;
    blocks.count = (rows + blocks.block_rows - 1) / blocks.block_rows;
    return blocks;
}

bool wants_codes(Metric metric, std::int64_t rows, std::int64_t dim) {
    constexpr std::int64_t least_dim = 32;    // below, float32 tiles are as fast
    constexpr std::int64_t least_blocks = 4;  // fewer, and the codes have no tile that is worth them
    if (metric == Metric::manhattan || metric == Metric::hamming) return false;
    return dim >= least_dim && dim <= static_cast<std::int64_t>(kernels::most_narrow_dim) &&
           blocks_of(rows).count >= least_blocks;
}

std::int64_t code_bytes(std::int64_t rows, std::int64_t dim) {
    constexpr std::int64_t numbers = 5 * 4;  // scale, sum, error, norm, offset
    return rows *
           (static_cast<std::int64_t>(kernels::narrow_padded(static_cast<std::size_t>(dim))) + numbers);
}

Plan make_plan(std::span<const GroupShape> shapes, const LinkOptions& options) {
    Plan plan;
    double result_bytes = 0.0;  // exact up to 2^53
    plan.groups.reserve(shapes.size());
    for (std::size_t g = 0; g < shapes.size(); ++g) {
        plan.groups.push_back(plan_group(static_cast<std::int32_t>(g), shapes[g], options));
        check_size(plan.groups.back());
        const std::int64_t rows = shapes[g].rows;
        const std::int64_t links = std::max<std::int64_t>(0, std::min(options.n_nearest, rows - 1));
        plan.cost += plan.groups.back().cost;
        result_bytes += static_cast<double>(rows) * static_cast<double>(links) *
                        static_cast<double>(sizeof(std::int64_t) + sizeof(float));
    }
    plan.result_bytes = to_bytes(result_bytes);
    std::sort(plan.groups.begin(), plan.groups.end(), [](const GroupPlan& a, const GroupPlan& b) {
        return a.cost != b.cost ? a.cost > b.cost : a.group < b.group;
    });
    return plan;
}

std::vector<Batch> make_batches(const Plan& plan) {
    std::vector<Batch> batches;
    bool open = false;  // whether the last batch takes more groups
    for (std::size_t i = 0; i < plan.groups.size(); ++i) {
        const GroupPlan& group = plan.groups[i];
        if (group.tiles == 0) continue;
        const bool alone = group.tiles > 1;
        if (!open || alone) batches.push_back({.first = i});
        Batch& batch = batches.back();
        batch.count = i + 1 - batch.first;
        batch.cost += group.cost;
        open = !alone && batch.cost < batch_cost;
    }
    return batches;
}

}  // namespace grouplink
