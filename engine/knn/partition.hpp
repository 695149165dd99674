#pragma once

#include <grouplink/options.hpp>

#include "knn/candidates.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
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
/// Leaders come from the seed, lists keep the best of a set and a refinement reads what the one before
/// left: nothing depends on the threads.
class PartitionSearch {
public:
    /// `scratch` has one entry a worker.
    PartitionSearch(GroupJob job, std::span<Scratch> scratch, const PartitionOptions& options);
    PartitionSearch(const PartitionSearch&) = delete;
    PartitionSearch& operator=(const PartitionSearch&) = delete;

    /// The search as stages for the scheduler; they refer to this object.
    std::vector<parallel::Stage> stages();

private:
    /// Rows drawn to lead cells, as they are searched.
    struct Leaders {
        std::vector<float> rows;
        std::vector<float> offsets;
        std::size_t size() const { return offsets.size(); }
    };

    std::int64_t begin_measure(Scratch&);
    void measure(std::int64_t block, Scratch& scratch);
    std::int64_t begin_gather(Scratch& scratch);
    void gather(std::int64_t block, Scratch& scratch);
    std::int64_t begin_assign(Scratch&);
    void assign(std::int64_t block, Scratch& scratch);
    std::int64_t begin_cells(Scratch&);
    void search_cell(std::int64_t cell, Scratch& scratch);
    std::int64_t begin_freeze(Scratch&);
    void freeze(std::int64_t block, Scratch& scratch);
    std::int64_t begin_refine(Scratch&);
    void refine(std::int64_t block, Scratch&);
    std::int64_t begin_rank(Scratch&);
    void rank(std::int64_t block, Scratch& scratch);
    std::int64_t begin_complete(Scratch&);
    void complete(std::int64_t batch, Scratch& scratch);

    Leaders draw(std::span<const std::uint32_t> rows, std::size_t count, std::uint64_t salt) const;
    void nearest_leaders(const float* rows, std::size_t count, const Leaders& leaders, std::size_t fanout,
                         std::uint32_t* nearest, Scratch& scratch) const;
    void split(std::vector<std::uint32_t> rows, std::size_t depth, std::uint64_t salt, Scratch& scratch);
    void join(std::span<const std::uint32_t> rows, Scratch& scratch);
    void copy_rows(std::span<const std::uint32_t> rows, std::vector<float>& floats,
                   std::vector<float>& offsets) const;
    const float* floats(std::size_t row) const { return index_.rows() + row * job_.dim; }
    static std::int64_t lock_of(std::uint32_t row);

    GroupJob job_;
    std::span<Scratch> scratch_;
    PartitionOptions options_;
    GroupRows rows_;
    RowRanker ranker_;
    FlatIndex index_;
    CandidateLists lists_;
    std::unique_ptr<parallel::BlockLocks> locks_;

    std::uint64_t pass_ = 0;
    Leaders leaders_;
    std::size_t fanout_ = 0;
    std::vector<std::uint32_t> cells_;     ///< fanout_ cells of each row
    std::vector<std::size_t> cell_first_;  ///< of each cell, and the total: place of its first row
    std::vector<std::uint32_t> cell_members_;

    std::size_t degree_ = 0;                  ///< neighbors of a row that a refinement follows
    std::vector<std::uint32_t> graph_;        ///< degree_ of each row, best first
    std::vector<std::size_t> reverse_first_;  ///< of each row, and the total
    std::vector<std::uint32_t> reverse_;      ///< rows that have a row as a neighbor, best places first
    std::vector<std::vector<std::uint32_t>> short_;  ///< of each block: rows with too few candidates
    std::vector<std::uint32_t> again_;
};

}  // namespace grouplink::knn
