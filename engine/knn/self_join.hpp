#pragma once

#include "knn/candidates.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/narrow.hpp"
#include "parallel/blocks.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace grouplink::knn {

/// The join of a group's rows with themselves: each pair of classes gets its score once, unless a bound from
/// the first bytes of codes shows that neither row has any use for it, and each row keeps the best. The lists
/// are those of all scores, whatever the filter let go. Rows whose neighbors are not wanted keep
/// nothing, and pairs of two such rows are left out as far as they fill blocks.
class SelfJoin {
public:
    SelfJoin() = default;  ///< of no rows
    /// All must outlive the join, and the index's rows be set before begin().
    SelfJoin(const GroupJob& job, const GroupRows& rows, const FlatIndex& index, std::size_t keep);

    /// How many pairs of blocks there are to run.
    std::int64_t begin();
    void run(std::int64_t pair, Scratch& scratch);
    /// The lists, once all has run; leaves nothing behind.
    CandidateLists finish();

private:
    void join_all(const parallel::BlockPair& blocks, Scratch& scratch);
    bool maxima_say_much(std::size_t n) const;
    void raise_thresholds(std::size_t a, std::size_t n, const float* offsets, Scratch& scratch);
    bool join_own(std::int64_t block, Scratch& scratch);
    bool join_codes(const parallel::BlockPair& blocks, Scratch& scratch);
    void offer_found(const parallel::BlockPair& blocks, std::span<std::uint32_t> pairs, Scratch& scratch);

    const GroupJob* job_ = nullptr;
    const GroupRows* rows_ = nullptr;
    const FlatIndex* index_ = nullptr;
    std::size_t keep_ = 0;
    NarrowFilter filter_;
    parallel::BlockPairs pairs_;
    std::unique_ptr<parallel::BlockLocks> locks_;
    CandidateLists lists_;
};

}  // namespace grouplink::knn
