#include "plan/cost.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

namespace grouplink {
namespace {

/// What a group costs when the neighbors of so many of its rows are searched.
double cost_of(const GroupPlan& group, std::int64_t queries, const LinkOptions& options) {
    const GroupSize size = size_of(group, options);
    if (group.index == IndexKind::flat) return flat_cost(size, queries);
    return ivf_cost(size, expected(group.ivf, group.rows, group.recall_target), queries);
}

/// Rows of each of `pieces` pieces of a group, the last perhaps of fewer: whole blocks, so that no block is
/// searched twice.
std::int64_t rows_a_piece(const GroupPlan& group, std::int64_t pieces) {
    const Blocks blocks = blocks_of(group.rows);
    return (blocks.count + pieces - 1) / pieces * blocks.block_rows;
}

/// The fewest pieces, `most` at most, of which each costs `affordable` at most, if that can be.
std::int64_t pieces_of(const GroupPlan& group, double affordable, std::int64_t most,
                       const LinkOptions& options) {
    if (group.cost <= affordable || !can_be_cut(group)) return 1;
    std::int64_t too_few = 1;
    std::int64_t enough = std::min(most, blocks_of(group.rows).count);
    while (enough - too_few > 1) {
        const std::int64_t middle = too_few + (enough - too_few) / 2;
        const double cost = cost_of(group, rows_a_piece(group, middle), options);
        (cost <= affordable ? enough : too_few) = middle;
    }
    return enough;
}

void cut_group(const GroupPlan& group, std::int64_t pieces, const LinkOptions& options,
               std::vector<GroupPlan>& out) {
    if (pieces == 1) return out.push_back(group);
    const std::int64_t rows = rows_a_piece(group, pieces);
    const std::int64_t blocks = blocks_of(group.rows).count;
    for (std::int64_t first = 0; first < group.rows; first += rows) {
        GroupPlan piece = group;
        piece.first_query = first;
        piece.queries = std::min(rows, group.rows - first);
        piece.cost = cost_of(group, piece.queries, options);
        if (group.index == IndexKind::flat) {
            const std::int64_t wanted = blocks_of(piece.queries).count;
            piece.tiles = std::max<std::int64_t>(2, wanted * blocks - wanted * (wanted - 1) / 2);
        }
        out.push_back(piece);
    }
}

/// Cuts what costs more than a share, or so many times less. Cut groups cost more than whole ones, so that
/// shares grow, and fewer groups are too large for one: this ends where no share grows.
std::vector<GroupPlan> cut_groups(const Plan& plan, const LinkOptions& options, std::int64_t count,
                                  double times_less) {
    constexpr int most_rounds = 50;
    double share = plan.cost / static_cast<double>(count);
    std::vector<GroupPlan> pieces;
    for (int round = 0; round < most_rounds; ++round) {
        pieces.clear();
        double total = 0.0;
        for (const GroupPlan& group : plan.groups) {
            const std::size_t first = pieces.size();
            const auto most = static_cast<std::int64_t>(times_less * static_cast<double>(count));
            cut_group(group, pieces_of(group, share / times_less, most, options), options, pieces);
            for (std::size_t i = first; i < pieces.size(); ++i) total += pieces[i].cost;
        }
        const double grown = total / static_cast<double>(count);
        if (grown <= share) break;
        share = grown;
    }
    return pieces;
}

/// The costliest piece first, each to the share that has least: Graham's rule (1969), at most a third worse
/// than the best there is.
std::vector<Plan> deal(std::vector<GroupPlan> pieces, std::int64_t count) {
    Plan all;
    all.groups = std::move(pieces);
    sort_groups(all);
    std::vector<Plan> shares(static_cast<std::size_t>(count));
    using Load = std::pair<double, std::size_t>;
    std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
    for (std::size_t s = 0; s < shares.size(); ++s) loads.emplace(0.0, s);
    for (const GroupPlan& piece : all.groups) {
        const std::size_t s = loads.top().second;
        loads.pop();
        shares[s].groups.push_back(piece);
        shares[s].cost += piece.cost;
        loads.emplace(shares[s].cost, s);
    }
    return shares;
}

double largest_cost(const std::vector<Plan>& shares) {
    double largest = 0.0;
    for (const Plan& share : shares) largest = std::max(largest, share.cost);
    return largest;
}

}  // namespace

bool can_be_cut(const GroupPlan& group) {
    return group.index == IndexKind::ivf || (group.path == FlatPath::tiles && group.tiles > 1);
}

std::vector<Plan> cut_plan(const Plan& plan, const LinkOptions& options, std::int64_t count) {
    validate(Shard{.index = 1, .count = count});
    // Smaller pieces balance better and cost more: they must be worth it.
    constexpr double worth = 0.95;
    std::vector<Plan> shares;
    for (const double times_less : {1.0, 2.0, 3.0}) {
        std::vector<Plan> other = deal(cut_groups(plan, options, count, times_less), count);
        if (shares.empty() || largest_cost(other) < worth * largest_cost(shares)) shares = std::move(other);
    }
    for (Plan& share : shares) {
        double result_bytes = 0.0;
        for (const GroupPlan& piece : share.groups) result_bytes += result_bytes_of(piece, options);
        share.result_bytes = to_bytes(result_bytes);
        share.row_status = plan.row_status;
    }
    return shares;
}

}  // namespace grouplink
