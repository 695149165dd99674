#pragma once

#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>

#include "plan/cost.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace grouplink {

struct GroupShape {
    std::int64_t rows = 0;  ///< that take part
    std::int64_t dim = 0;
};

/// A group of fewer rows stays flat under an approximate index: exact costs no more there. So does one
/// of fewer than `least_rows_a_link` rows for each link of a row.
inline constexpr std::int64_t least_approximate = 1000;
inline constexpr std::int64_t least_rows_a_link = 8;

/// Rows of the training sample of an ivf group for each of its lists, and rounds of k-means over them.
inline constexpr std::int64_t training_rows_a_list = 64;
inline constexpr int training_rounds = 8;

/// Of a partition group: rows for each leader of the first level, leaders at most, rows of a leaf at most.
inline constexpr std::int64_t rows_a_leader = 100;
inline constexpr std::int64_t most_leaders = 4000;
inline constexpr std::int64_t most_leaf_rows = 2000;

/// Rows of an approximate group whose exact neighbors tell its recall.
inline constexpr std::int64_t calibration_rows = 512;

/// Rows of a tile's side: at most this many, all tiles of a group about alike.
inline constexpr std::int64_t largest_block = 512;

/// The blocks that a group of `rows` rows is cut into; all but the last have block_rows rows.
struct Blocks {
    std::int64_t count = 0;
    std::int64_t block_rows = 0;
};
Blocks blocks_of(std::int64_t rows);

/// Whether the exact search of a group for k neighbors a row may hold its rows as codes of two bytes, and
/// what these take: where tiles are inner products of more than a few components, and most pairs are of no
/// use to either row. They take the place of float32 rows where the CPU has kernels for them; a plan, the
/// same everywhere, counts what takes more.
bool wants_codes(Metric metric, std::int64_t rows, std::int64_t dim, std::int64_t k);
std::int64_t code_bytes(std::int64_t rows, std::int64_t dim);

/// Whether a group that is searched directly is cheaper to search by rough scores first, so that only the
/// closest pairs go through the canonical scoring: where a row has several times more pairs than neighbors.
bool wants_screening(Metric metric, std::int64_t rows, std::int64_t k);

/// What a copy takes of rows that lie scattered over the input, as a search of more than a handful of rows
/// makes it; 0 where that is too much, and they are read where they lie.
std::int64_t copied_bytes(std::int64_t rows, std::int64_t dim, std::int64_t element_bytes);

/// Whether an exact group is so large that its rows, as they are searched, go before its results come, to be
/// made again if any row has to be searched once more.
bool is_memory_short(std::int64_t rows, std::int64_t dim);

/// The index, path, cost and memory of each group, costliest first. Pure: it depends on nothing but
/// its arguments. `shapes` has one entry a group. Throws Error(bad_input) where a group has more rows
/// than its index can count.
Plan make_plan(std::span<const GroupShape> shapes, const LinkOptions& options);

/// What a group's links take, before thresholds; exact up to 2^53.
double result_bytes_of(const GroupPlan& group, const LinkOptions& options);
/// Bytes, or the most that can be said of them.
std::int64_t to_bytes(double bytes);

GroupSize size_of(const GroupPlan& group, const LinkOptions& options);

/// Puts the groups of a plan in its order.
void sort_groups(Plan& plan);

/// Consecutive groups of a plan that are searched as one unit of work.
struct Batch {
    std::size_t first = 0;  ///< position in Plan::groups
    std::size_t count = 0;
    double cost = 0.0;
};

/// Cuts a plan into units of work: a group of several tiles alone, groups of one tile or fewer
/// together until they are worth a worker's while. Groups with nothing to search are left out, and those that
/// are `finished` (one a group of the plan; empty: none is), though these may stand in the midst of a batch.
std::vector<Batch> make_batches(const Plan& plan, const std::vector<bool>& finished = {});

}  // namespace grouplink
