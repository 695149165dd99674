#pragma once

#include "knn/candidates.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/leader_order.hpp"
#include "knn/rank.hpp"
#include "knn/self_join.hpp"
#include "parallel/workers.hpp"
#include "plan/plan.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// The exact self-join of one group over its flat index.
///
/// Every pair of distinct rows gets a score once, in tiles, or a bound of it that no list could take; each
/// row keeps its best candidates, a few more than wanted; these go through the canonical scoring.
/// When the worst neighbor so found beats, by more than the error bound of the scores, all that was let go,
/// the row is certified. A row that is not is searched again: all that may be as near as its worst neighbor
/// goes through the canonical scoring. So the result is that of the canonical scoring alone.
class FlatSearch {
public:
    /// `scratch` has one entry a worker.
    FlatSearch(GroupJob job, std::span<Scratch> scratch);
    FlatSearch(const FlatSearch&) = delete;
    FlatSearch& operator=(const FlatSearch&) = delete;

    /// The search as stages for the scheduler; they refer to this object.
    std::vector<parallel::Stage> stages();

    /// The search as another one's last resort, of the rows that the other has measured in rows() and,
    /// perhaps, gathered in index(). With `wanted`, which must outlive them, the stages do nothing unless it
    /// is true by then.
    std::vector<parallel::Stage> stages_if(const bool& wanted);
    GroupRows& rows() { return rows_; }
    FlatIndex& index() { return index_; }
    /// Makes room in index() for rows().
    void make_index();
    const RowRanker& ranker() const { return ranker_; }

private:
    /// A row that could not be certified: a class, and a distance within which its neighbors are.
    struct Uncertain {
        std::uint32_t row;
        float limit;
    };

    std::int64_t begin_measure(Scratch&);
    void measure(std::int64_t block, Scratch& scratch);
    std::int64_t begin_order(Scratch& scratch);
    void order(std::int64_t block, Scratch& scratch);
    std::int64_t begin_gather(Scratch& scratch);
    void gather(std::int64_t block, Scratch& scratch);
    std::int64_t begin_join(Scratch&);
    void join(std::int64_t pair, Scratch& scratch);
    std::int64_t begin_rank(Scratch&);
    void rank(std::int64_t block, Scratch& scratch);
    std::int64_t begin_regather(Scratch&);
    std::int64_t begin_research(Scratch&);
    void research(std::int64_t batch, Scratch& scratch);

    bool memory_is_short() const {
        return is_memory_short(static_cast<std::int64_t>(rows_.size()), static_cast<std::int64_t>(job_.dim));
    }
    std::uint32_t lowest_member(std::uint32_t c) const { return rows_.unique().first[c]; }
    bool rank_row(std::uint32_t row, std::span<const Key> candidates, float& limit, Scratch& scratch);
    float least_score(float distance) const;
    void mark_within(const float* thresholds, std::span<const std::uint32_t> rows,
                     const FlatIndex::Selection& selection, std::size_t b, std::span<std::uint64_t> wanted,
                     Scratch& scratch) const;
    void score_wanted(std::span<const std::uint64_t> wanted, std::size_t b, CandidateLists& nearest,
                      Scratch& scratch) const;

    GroupJob job_;
    std::span<Scratch> scratch_;
    GroupRows rows_;  ///< those that the index holds
    RowRanker ranker_;
    LeaderOrder order_;
    FlatIndex index_;
    SelfJoin join_;
    CandidateLists lists_;
    std::vector<std::vector<Uncertain>> uncertain_;  ///< of each block
    std::vector<Uncertain> again_;
    std::vector<std::uint32_t> class_of_;  ///< of each class's lowest member, where rows are searched again
    std::size_t again_at_once_ = 0;
};

}  // namespace grouplink::knn
