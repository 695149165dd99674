#include "knn/self_join.hpp"

#include "knn/exhaustive.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace grouplink::knn {

SelfJoin::SelfJoin(const GroupJob& job, const GroupRows& rows, const FlatIndex& index, std::size_t keep)
    : job_(&job), rows_(&rows), index_(&index), keep_(keep) {
    const kernels::Table& kernel = job.scorer.kernel();
    const auto count = static_cast<std::int64_t>(rows.size());
    if (kernel.s8_collect && wants_codes(job.scorer.metric(), count, static_cast<std::int64_t>(job.dim))) {
        filter_ = NarrowFilter(rows.size(), rows.blocks(), job.dim, kernel);
    }
}

void SelfJoin::take(std::int64_t block) {
    if (!filter_.in_use()) return;
    const std::size_t first = rows_->block_first(block);
    for (std::size_t i = first; i < first + rows_->block_size(block); ++i) {
        filter_.set(i, index_->rows() + i * job_->dim, index_->offsets()[i]);
    }
}

std::int64_t SelfJoin::begin() {
    locks_ = std::make_unique<parallel::BlockLocks>(rows_->blocks());
    const std::size_t others = std::max<std::size_t>(1, rows_->size() - 1);
    lists_ = CandidateLists(rows_->size(), std::min(keep_, others), job_->scorer.kernel(), others);
    pairs_ = parallel::BlockPairs(rows_->blocks());
    if (!rows_->all_wanted()) {
        std::vector<std::int64_t> blocks;
        for (std::int64_t block = 0; block < rows_->blocks(); ++block) {
            if (rows_->block_wanted(block)) blocks.push_back(block);
        }
        pairs_ = parallel::BlockPairs(rows_->blocks(), std::move(blocks));
        for (std::size_t row = 0; row < rows_->size(); ++row) {
            if (!rows_->wanted(row)) lists_.raise_threshold(row, std::numeric_limits<float>::infinity());
        }
    }
    return pairs_.count();
}

CandidateLists SelfJoin::finish() {
    CandidateLists lists = std::move(lists_);
    *this = {};
    return lists;
}

void SelfJoin::run(std::int64_t pair, Scratch& scratch) {
    const auto blocks = pairs_.at(pair);
    if (!blocks) return;
    if (filter_.in_use() && join_codes(*blocks, scratch)) return;
    join_floats(*blocks, scratch);
}

void SelfJoin::join_floats(const parallel::BlockPair& blocks, Scratch& scratch) {
    const auto [block_a, block_b, shift] = blocks;
    const std::size_t a = rows_->block_first(block_a);
    const std::size_t b = rows_->block_first(block_b);
    const std::size_t na = rows_->block_size(block_a);
    const std::size_t nb = rows_->block_size(block_b);
    const kernels::Table& kernel = job_->scorer.kernel();
    scratch.scores.resize(rows_->block_rows() * rows_->block_rows());
    index_->score_tile(a, na, b, nb, kernel, scratch.packed, scratch.scores.data());

    const auto guard = locks_->hold(block_a, block_b);
    if (a == b) raise_thresholds(a, na, scratch);
    for (std::size_t i = 0; i < na; ++i) {
        const std::size_t skip = a == b ? i + 1 : 0;  // a block with itself: the pairs above the diagonal
        offer_pairs(lists_, a + i, b + skip, nb - skip, scratch.scores.data() + i * nb + skip,
                    index_->offsets(), kernel, scratch);
    }
}

/// Has the empty lists of a block turn away at once what the block itself, whose scores are in
/// scratch.scores, shows to be too little. The pairs of a row fall into groups; if `keep` groups have a
/// largest score of at least t, then so many pairs have, and none below t is wanted.
void SelfJoin::raise_thresholds(std::size_t a, std::size_t n, Scratch& scratch) {
    constexpr std::size_t groups = 32;  // on either side of the diagonal
    const kernels::Table& kernel = job_->scorer.kernel();
    if (2 * groups > kernel.few_keys || 2 * keep_ > 2 * groups || n < 4 * groups) return;
    scratch.found.resize(std::max(scratch.found.size(), 2 * n * groups));
    float* of_rows = scratch.found.data();
    float* of_columns = of_rows + n * groups;
    kernel.group_maxima(scratch.scores.data(), index_->offsets() + a, n, groups, of_rows, of_columns);
    float largest[2 * groups];
    std::uint32_t order[2 * groups];
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t g = 0; g < groups; ++g) {
            largest[g] = -of_rows[i * groups + g];
            largest[groups + g] = -of_columns[g * n + i];
        }
        kernel.rank_floats(largest, 2 * groups, order);
        lists_.raise_threshold(a + i, -largest[order[keep_ - 1]]);
    }
}

/// Joins two blocks by the scores of those pairs alone that pass the filter. Returns false where that does
/// not pay, and nothing is done.
bool SelfJoin::join_codes(const parallel::BlockPair& blocks, Scratch& scratch) {
    const auto [block_a, block_b, shift] = blocks;
    const std::size_t a = rows_->block_first(block_a);
    const std::size_t b = rows_->block_first(block_b);
    const std::size_t na = rows_->block_size(block_a);
    const std::size_t nb = rows_->block_size(block_b);
    // Thresholds only rise: those of now may let pass too much, never too little.
    scratch.thresholds.resize(2 * rows_->block_rows());
    float* thresholds = scratch.thresholds.data();
    {
        const auto guard = locks_->hold(block_a, block_b);
        if (!filter_.worth(block_a, block_b, shift)) return false;
        std::copy_n(lists_.thresholds(a), na, thresholds);
        std::copy_n(lists_.thresholds(b), nb, thresholds + na);
    }
    const double share = filter_.find(a, na, b, nb, thresholds, scratch.packed_codes, scratch.pairs);
    if (share < 1.0) {
        const auto guard = locks_->hold(block_a, block_b);
        filter_.wait(block_a, block_b, shift, share);
        return false;
    }
    scratch.found.resize(std::max(scratch.found.size(), scratch.pairs.size()));
    job_->scorer.kernel().dots_of_pairs(index_->rows() + a * job_->dim, index_->rows() + b * job_->dim,
                                        scratch.pairs.data(), scratch.pairs.size(), job_->dim,
                                        scratch.found.data());
    const float* offsets = index_->offsets();
    std::size_t kept = 0;
    for (std::size_t h = 0; h < scratch.pairs.size(); ++h) {
        const std::uint32_t pair = scratch.pairs[h];
        const std::size_t i = pair >> 16;
        const std::size_t j = pair & 0xffff;
        const float score = scratch.found[h] - offsets[a + i] - offsets[b + j];
        scratch.pairs[kept] = pair;
        scratch.found[kept] = score;
        kept += score >= std::min(thresholds[i], thresholds[na + j]);
    }
    const auto guard = locks_->hold(block_a, block_b);
    for (std::size_t h = 0; h < kept; ++h) {
        const std::size_t row = a + (scratch.pairs[h] >> 16);
        const std::size_t other = b + (scratch.pairs[h] & 0xffff);
        const float score = scratch.found[h];
        if (score >= lists_.threshold(row)) lists_.push(row, score, static_cast<std::uint32_t>(other));
        if (score >= lists_.threshold(other)) lists_.push(other, score, static_cast<std::uint32_t>(row));
    }
    return true;
}

}  // namespace grouplink::knn
