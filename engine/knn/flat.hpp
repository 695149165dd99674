#pragma once

#include "knn/candidates.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/rank.hpp"
#include "knn/unique.hpp"
#include "parallel/blocks.hpp"
#include "parallel/workers.hpp"
#include "plan/plan.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace grouplink::knn {

/// The exact self-join of one group over its flat index.
///
/// Every pair of distinct rows gets a float32 score once, in tiles; each row keeps its best
/// candidates, a few more than wanted; these go through the canonical scoring. When the worst
/// neighbor so found beats, by more than the error bound of the scores, all that was let go, the row is
/// certified. A row that is not is searched again: scores within the bound of the worst neighbor all
/// go through the canonical scoring. So the result is that of the canonical scoring alone.
class FlatSearch {
public:
    /// `scratch` has one entry a worker.
    FlatSearch(GroupJob job, std::span<Scratch> scratch);
    FlatSearch(const FlatSearch&) = delete;
    FlatSearch& operator=(const FlatSearch&) = delete;

    /// The search as stages for the scheduler; they refer to this object.
    std::vector<parallel::Stage> stages();

private:
    /// A row that could not be certified: a class, and a distance within which its neighbors are.
    struct Uncertain {
        std::uint32_t row;
        float limit;
    };

    std::int64_t begin_measure(Scratch&);
    void measure(std::int64_t block, Scratch& scratch);
    std::int64_t begin_gather(Scratch& scratch);
    void gather(std::int64_t block, Scratch& scratch);
    std::int64_t begin_join(Scratch&);
    void join(std::int64_t pair, Scratch& scratch);
    std::int64_t begin_rank(Scratch&);
    void rank(std::int64_t block, Scratch& scratch);
    std::int64_t begin_research(Scratch&);
    void research(std::int64_t batch, Scratch& scratch);

    void offer(std::size_t a, std::size_t b, std::size_t nb, const float* scores, Scratch& scratch);
    bool rank_row(std::uint32_t row, float& limit, Scratch& scratch);
    std::size_t block_first(std::int64_t block) const {
        return static_cast<std::size_t>(block * blocks_.block_rows);
    }
    std::size_t block_size(std::int64_t block) const {
        const auto size = static_cast<std::size_t>(blocks_.block_rows);
        return std::min(size, unique_.size() - block_first(block));
    }

    GroupJob job_;
    std::span<Scratch> scratch_;
    std::size_t loaded_size_;  ///< doubles of a loaded row

    std::vector<std::uint64_t> hashes_;
    std::vector<Extremes> extremes_;  ///< of each block
    UniqueRows unique_;               ///< the rows that the index holds
    RowRanker ranker_;
    Blocks blocks_;  ///< of all rows while measured, then of the unique ones
    FlatIndex index_;
    std::unique_ptr<parallel::BlockLocks> locks_;
    CandidateLists lists_;
    std::vector<std::vector<Uncertain>> uncertain_;  ///< of each block
    std::vector<Uncertain> again_;
};

}  // namespace grouplink::knn
