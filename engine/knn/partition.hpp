#pragma once

#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>

#include "knn/calibration.hpp"
#include "knn/candidates.hpp"
#include "knn/flat.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/neighbor_graph.hpp"
#include "knn/pair_scorer.hpp"
#include "knn/rank.hpp"
#include "knn/seed.hpp"
#include "parallel/blocks.hpp"
#include "parallel/workers.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace grouplink::knn {

/// The approximate search of one group by overlapping cells.
///
/// Each row goes to the cells of its nearest among random leaders; cells are cut again in the same way
/// until they are leaves; all pairs of a leaf are scored in tiles, and each row keeps the best it met.
/// Then each row tries the neighbors of its neighbors, and of those that have it as a neighbor. The
/// recipe is that of PiPNN (arXiv:2602.21247), the refinement that of NN-descent (Dong, Moses, Li 2011).
/// Candidates go through the canonical scoring; the few rows that met too few are compared with all.
///
/// Unless passes are given, effort follows the recall of a sample, whose exact neighbors are known: before
/// each refinement the sample tries it, and it goes no further than it must; where it cannot go far enough
/// another one follows, then another pass. What all of that costs too much for is searched exactly, as
/// FlatSearch does.
///
/// Leaders come from the seed, lists keep the best of a set and a refinement reads what the one before
/// left: nothing depends on the threads.
class PartitionSearch {
public:
    /// `scratch` has one entry a worker; `plan` is the group's.
    PartitionSearch(GroupJob job, std::span<Scratch> scratch, const GroupPlan& plan);
    PartitionSearch(const PartitionSearch&) = delete;
    PartitionSearch& operator=(const PartitionSearch&) = delete;

    /// The search as stages for the scheduler; they refer to this object.
    std::vector<parallel::Stage> stages();

private:
    /// Rows drawn to lead cells.
    using Leaders = PairScorer::Copies;

    std::int64_t begin_measure(Scratch&);
    void measure(std::int64_t block, Scratch& scratch);
    std::int64_t begin_gather(Scratch& scratch);
    void gather(std::int64_t block, Scratch& scratch);
    std::int64_t begin_sample(Scratch&);
    void search_sample(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_foresee(Scratch&);
    void foresee(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_assign(Scratch&);
    void assign(std::int64_t block, Scratch& scratch);
    std::int64_t begin_cells(Scratch&);
    void search_cell(std::int64_t cell, Scratch& scratch);
    std::int64_t begin_freeze(Scratch&);
    void freeze(std::int64_t block, Scratch& scratch);
    std::int64_t begin_trial(Scratch&);
    void try_sample(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_refine(Scratch&);
    void refine(std::int64_t block, Scratch& scratch);
    std::int64_t begin_exhaust(Scratch&);
    std::int64_t begin_rank(Scratch&);
    void rank(std::int64_t block, Scratch& scratch);
    std::int64_t begin_complete(Scratch&);
    void complete(std::int64_t batch, Scratch& scratch);

    void add_pass(std::vector<parallel::Stage>& stages, double share);
    void add_refinement(std::vector<parallel::Stage>& stages, double share);
    bool effort_is_free() const { return options_.passes == 0; }
    void choose_fanout();
    void choose_steps();
    /// Passes, each with its refinement, that the recall target still takes when the share `missed` of the
    /// neighbors is missing now and each leaves the share `left` of what it met.
    double rounds_left(double missed, double left) const;
    void draw_leaders();
    void nearest_leaders(const PairScorer::Rows& rows, std::size_t count, const Leaders& leaders,
                         std::size_t fanout, std::uint32_t* nearest, Scratch& scratch) const;
    void split(std::vector<std::uint32_t> rows, std::size_t depth, std::uint64_t salt, Scratch& scratch);
    void join(std::span<const std::uint32_t> rows, Scratch& scratch);
    void join_at_once(std::span<const std::uint32_t> rows, const PairScorer::Copies& copies,
                      Scratch& scratch);
    void join_tiles(std::span<const std::uint32_t> rows, const PairScorer::Copies& copies, Scratch& scratch);
    /// Offers what row meets in `step` to list i of `lists`.
    void meet(Acquaintances& acquaintances, std::size_t step, std::uint32_t row, CandidateLists& lists,
              std::size_t i, Scratch& scratch) const;
    std::size_t most_steps() const { return 2 * graph_.degree(); }
    static std::int64_t lock_of(std::uint32_t row);

    GroupJob job_;
    std::span<Scratch> scratch_;
    PartitionOptions options_;
    bool fanout_is_free_;
    double recall_target_;
    double exhaustive_cost_;  ///< in passes, each with its refinement
    FlatSearch all_pairs_;    ///< where an exhaustive search is cheaper, of the same rows and index
    GroupRows& rows_;
    const RowRanker& ranker_;
    FlatIndex& index_;
    PairScorer scorer_;
    CandidateLists lists_;
    std::unique_ptr<parallel::BlockLocks> locks_;
    Calibration calibration_;

    bool reached_ = false;     ///< the recall target, or out of reach: no more effort
    bool exhaustive_ = false;  ///< all pairs are scored instead
    std::uint64_t pass_ = 0;
    std::int64_t refinement_ = 0;
    std::vector<std::uint32_t> foreseen_;  ///< the sample and its neighbors, ascending
    Leaders leaders_;
    std::size_t fanout_ = 0;
    std::vector<std::uint32_t> cells_;     ///< fanout_ cells of each row, the nearest first
    std::vector<std::size_t> cell_first_;  ///< of each cell, and the total: place of its first row
    std::vector<std::uint32_t> cell_members_;

    NeighborGraph graph_;
    std::vector<std::uint32_t> order_;  ///< in which rows are refined and ranked: by cell
    std::size_t steps_ = 0;             ///< that a refinement follows
    /// Of each step of a refinement, 0 being none of it: neighbors that each row of the sample then has.
    std::vector<std::vector<std::int64_t>> tried_;
    double missed_ = 1.0;  ///< share of the neighbors, before the refinement

    std::vector<std::vector<std::uint32_t>> short_;  ///< of each block: rows with too few candidates
    std::vector<std::uint32_t> again_;
};

}  // namespace grouplink::knn
