#include "plan/plan.hpp"

#include "plan/cost.hpp"

#include <grouplink/error.hpp>

#include "kernels/kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace grouplink {
namespace {

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

std::int64_t bytes_of(std::int64_t rows, std::int64_t bytes_a_row) {
    return to_bytes(static_cast<double>(rows) * static_cast<double>(bytes_a_row));
}

/// A row as it is searched: float32 or, where it may be, codes.
std::int64_t row_bytes(std::int64_t dim, bool codes) {
    return std::max(dim * 4, codes ? code_bytes(1, dim) : 0);
}

/// What a row has room for while it is searched: the candidates wanted, some to spare, and half as many
/// again.
std::int64_t candidate_bytes(const GroupSize& size, std::int64_t spare, std::int64_t rows) {
    const std::int64_t kept = size.links + spare;
    return std::min(kept + kept / 2, rows) * 8;
}

/// A batch of small groups should take about a millisecond.
constexpr double batch_cost = 7e8;

/// Past this a group's rows and the scores of all its pairs fall out of a core's cache on the direct path.
constexpr std::int64_t largest_direct = 512;
/// The same where rough scores come first, and rows are not held as doubles.
constexpr std::int64_t largest_screened = 1024;

FlatPath path_of(const GroupSize& size, Metric metric) {
    if (size.rows < 2) return FlatPath::none;
    // Tiles pay off where a row has several times more pairs than candidates to rescore.
    const std::int64_t most = wants_screening(metric, size.rows, size.links)
                                  ? largest_screened
                                  : std::min(largest_direct, 112 + 8 * std::min(size.links, largest_direct));
    return size.rows <= most ? FlatPath::direct : FlatPath::tiles;
}

/// Flat where nothing approximate can be had, or would be of no use.
bool stays_flat(std::int64_t rows, const LinkOptions& options) {
    if (options.index == IndexKind::flat) return true;
    if (options.metric == Metric::manhattan || options.metric == Metric::hamming) return true;
    return rows < least_approximate || rows / least_rows_a_link < options.n_nearest;
}

void plan_flat(GroupPlan& plan, const GroupSize& size, const LinkOptions& options) {
    plan.path = path_of(size, options.metric);
    switch (plan.path) {
        case FlatPath::none: break;
        case FlatPath::direct:
            plan.tiles = 1;
            plan.cost = direct_cost(size, wants_screening(options.metric, size.rows, size.links));
            plan.memory_bytes = plan.rows * (plan.dim + plan.rows) * 8;
            break;
        case FlatPath::tiles: {
            const std::int64_t blocks = blocks_of(plan.rows).count;
            plan.tiles = blocks * (blocks + 1) / 2;
            plan.cost = flat_cost(size);
            // The rows, what is kept of each, and its candidates.
            const bool codes = wants_codes(options.metric, plan.rows, plan.dim, options.n_nearest);
            plan.memory_bytes =
                bytes_of(plan.rows, row_bytes(plan.dim, codes) + 32 + candidate_bytes(size, 8, plan.rows));
            break;
        }
    }
}

void plan_ivf(GroupPlan& plan, const GroupSize& size, const LinkOptions& options) {
    const IvfOptions likely = expected(options.ivf, plan.rows, options.recall_target);
    plan.ivf = {.nlist = likely.nlist, .nprobe = std::min(options.ivf.nprobe, likely.nlist)};
    plan.cost = ivf_cost(size, likely);
    const std::int64_t sample = std::min(plan.rows, training_rows_a_list * likely.nlist);
    // The sample goes before the rows come; with the centroids, then lists to probe, forth and back, and
    // candidates.
    plan.memory_bytes = to_bytes(
        static_cast<double>(std::max(sample, plan.rows) + likely.nlist) * static_cast<double>(plan.dim * 4) +
        static_cast<double>(plan.rows) * static_cast<double>(44 + 8 * likely.nprobe + 16 * (size.links + 8)));
}

void plan_hnsw(GroupPlan& plan, const GroupSize& size, const LinkOptions& options) {
    plan.hnsw = options.hnsw;
    plan.cost = hnsw_cost(size, expected(options.hnsw, size.links, options.recall_target));
    // The float32 rows, then the links of the lowest level and what the higher ones add.
    plan.memory_bytes = bytes_of(plan.rows, plan.dim * 4 + 64 + (2 * options.hnsw.M + 2) * 4);
}

void plan_partition(GroupPlan& plan, const GroupSize& size, const LinkOptions& options) {
    plan.partition = options.partition;
    plan.fanout_is_free = options.partition.fanout == 0 && options.partition.passes == 0;
    plan.partition.fanout = fanout_of(options.partition, options.recall_target);
    plan.cost = partition_cost(size, expected(options.partition, options.recall_target));
    // The rows, their candidates, their cells forth and back, the links that refinements
    // follow.
    plan.memory_bytes =
        bytes_of(plan.rows, row_bytes(plan.dim, true) + 40 + candidate_bytes(size, 4, plan.rows) +
                                8 * plan.partition.fanout + 12 * std::min<std::int64_t>(16, size.links));
}

/// The cheapest index, flat where that costs little more: it leaves nothing out.
IndexKind cheapest(const GroupSize& size, const LinkOptions& options) {
    constexpr double affordable = 1.25;
    const double recall = options.recall_target;
    const std::pair<double, IndexKind> costs[] = {
        {flat_cost(size) / affordable, IndexKind::flat},
        {partition_cost(size, expected(options.partition, recall)), IndexKind::partition},
        {ivf_cost(size, expected(options.ivf, size.rows, recall)), IndexKind::ivf},
        {hnsw_cost(size, expected(options.hnsw, size.links, recall)), IndexKind::hnsw}};
    return std::min_element(std::begin(costs), std::end(costs),
                            [](const auto& a, const auto& b) { return a.first < b.first; })
        ->second;
}

GroupPlan plan_group(std::int32_t group, const GroupShape& shape, const LinkOptions& options) {
    GroupPlan plan{.group = group, .rows = shape.rows, .dim = shape.dim, .queries = shape.rows};
    const GroupSize size = size_of(plan, options);
    plan.index = stays_flat(shape.rows, options) ? IndexKind::flat : options.index;
    if (plan.index == IndexKind::automatic) plan.index = cheapest(size, options);
    if (plan.index == IndexKind::flat) {
        plan_flat(plan, size, options);
        return plan;
    }
    plan.recall_target = options.recall_target;
    plan.tiles = blocks_of(plan.rows).count;
    switch (plan.index) {
        case IndexKind::ivf: plan_ivf(plan, size, options); break;
        case IndexKind::hnsw: plan_hnsw(plan, size, options); break;
        default: plan_partition(plan, size, options); break;
    }
    return plan;
}

}  // namespace

std::int64_t to_bytes(double bytes) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    return bytes < static_cast<double>(most) ? static_cast<std::int64_t>(bytes) : most;
}

double result_bytes_of(const GroupPlan& group, const LinkOptions& options) {
    return static_cast<double>(group.queries) * static_cast<double>(size_of(group, options).links) *
           static_cast<double>(sizeof(std::int64_t) + sizeof(float));
}

GroupSize size_of(const GroupPlan& group, const LinkOptions& options) {
    return {group.rows, group.dim, std::max<std::int64_t>(0, std::min(options.n_nearest, group.rows - 1))};
}

void sort_groups(Plan& plan) {
    std::sort(plan.groups.begin(), plan.groups.end(), [](const GroupPlan& a, const GroupPlan& b) {
        if (a.cost != b.cost) return a.cost > b.cost;
        return std::pair(a.group, a.first_query) < std::pair(b.group, b.first_query);
    });
}

Blocks blocks_of(std::int64_t rows) {
    constexpr std::int64_t step = 16;  // whole vector registers of scores
    Blocks blocks;
    blocks.count = (rows + largest_block - 1) / largest_block;
    if (blocks.count == 0) return blocks;
    blocks.block_rows = ((rows + blocks.count - 1) / blocks.count + step - 1) / step * step;
    blocks.count = (rows + blocks.block_rows - 1) / blocks.block_rows;
    return blocks;
}

bool wants_codes(Metric metric, std::int64_t rows, std::int64_t dim, std::int64_t k) {
    constexpr std::int64_t least_dim = 32;  // below, float32 tiles are as fast
    constexpr std::int64_t many_blocks = 4;
    // In few blocks, the share of pairs that enter some list has to be small.
    constexpr std::int64_t least_rows = 400;
    constexpr std::int64_t rows_a_link = 32;
    if (metric == Metric::manhattan || metric == Metric::hamming) return false;
    if (dim < least_dim || dim > static_cast<std::int64_t>(kernels::most_narrow_dim)) return false;
    return blocks_of(rows).count >= many_blocks || (rows >= least_rows && rows / rows_a_link >= k);
}

bool wants_screening(Metric metric, std::int64_t rows, std::int64_t k) {
    return metric == Metric::angular && rows >= 84 && (rows - 84) / 4 >= k;
}

std::int64_t copied_bytes(std::int64_t rows, std::int64_t dim, std::int64_t element_bytes) {
    constexpr std::int64_t most = std::int64_t{1} << 24;  // what stays in a cache of all cores
    return rows > most / std::max<std::int64_t>(1, dim * element_bytes) ? 0 : rows * dim * element_bytes;
}

bool is_memory_short(std::int64_t rows, std::int64_t dim) {
    constexpr double most = 1 << 24;  // components; past that, gathering is little beside the tiles
    return static_cast<double>(rows) * static_cast<double>(dim) > most;
}

std::int64_t code_bytes(std::int64_t rows, std::int64_t dim) {
    constexpr std::int64_t numbers = 6 * 4;  // scale, norm, and a sum and an error for each byte
    return rows *
           (2 * static_cast<std::int64_t>(kernels::narrow_padded(static_cast<std::size_t>(dim))) + numbers);
}

Plan make_plan(std::span<const GroupShape> shapes, const LinkOptions& options) {
    Plan plan;
    double result_bytes = 0.0;  // exact up to 2^53
    plan.groups.reserve(shapes.size());
    for (std::size_t g = 0; g < shapes.size(); ++g) {
        plan.groups.push_back(plan_group(static_cast<std::int32_t>(g), shapes[g], options));
        check_size(plan.groups.back());
        plan.cost += plan.groups.back().cost;
        result_bytes += result_bytes_of(plan.groups.back(), options);
    }
    plan.result_bytes = to_bytes(result_bytes);
    sort_groups(plan);
    return plan;
}

std::vector<Batch> make_batches(const Plan& plan, const std::vector<bool>& finished) {
    std::vector<Batch> batches;
    bool open = false;  // whether the last batch takes more groups
    for (std::size_t i = 0; i < plan.groups.size(); ++i) {
        const GroupPlan& group = plan.groups[i];
        if (group.tiles == 0 || (!finished.empty() && finished[i])) continue;
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
