#include "knn/self_join.hpp"

#include "knn/exhaustive.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace grouplink::knn {
namespace {

constexpr std::size_t maxima_groups = 32;  // on either side of the diagonal

/// Of the places of a block with itself, twice its pairs, no more than one in so many are worth finding one
/// by one.
constexpr std::size_t most_own_share = 8;

}  // namespace

SelfJoin::SelfJoin(const GroupJob& job, const GroupRows& rows, const FlatIndex& index, std::size_t keep)
    : job_(&job), rows_(&rows), index_(&index), keep_(keep) {
    if (!index.codes().in_use()) return;
    filter_ = NarrowFilter(index.codes(), index.offsets(), rows.blocks(), job.dim, job.scorer.kernel());
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
    if (filter_.in_use()) {
        const bool own = blocks->a == blocks->b;
        if (own ? join_own(blocks->a, scratch) : join_codes(*blocks, scratch)) return;
    }
    join_all(*blocks, scratch);
}

void SelfJoin::join_all(const parallel::BlockPair& blocks, Scratch& scratch) {
    const auto [block_a, block_b, shift] = blocks;
    const std::size_t a = rows_->block_first(block_a);
    const std::size_t b = rows_->block_first(block_b);
    const std::size_t na = rows_->block_size(block_a);
    const std::size_t nb = rows_->block_size(block_b);
    const kernels::Table& kernel = job_->scorer.kernel();
    index_->score_tile(a, na, b, nb, scratch);

    const auto guard = locks_->hold(block_a, block_b);
    if (a == b && maxima_say_much(na)) raise_thresholds(a, na, index_->offsets() + a, scratch);
    for (std::size_t i = 0; i < na; ++i) {
        const std::size_t skip = a == b ? i + 1 : 0;  // a block with itself: the pairs above the diagonal
        offer_pairs(lists_, a + i, b + skip, nb - skip, scratch.scores.data() + i * nb + skip,
                    index_->offsets(), kernel, scratch);
    }
}

bool SelfJoin::maxima_say_much(std::size_t n) const {
    const std::size_t few = job_->scorer.kernel().few_keys;
    return 2 * maxima_groups <= few && keep_ <= maxima_groups && n >= 4 * maxima_groups;
}

/// Has the empty lists of a block turn away at once what the block itself, whose scores before `offsets` are
/// in scratch.scores, shows to be too little. The pairs of a row fall into groups; if `keep` groups have a
/// largest score of at least t, then so many pairs have, and none below t is wanted.
void SelfJoin::raise_thresholds(std::size_t a, std::size_t n, const float* offsets, Scratch& scratch) {
    constexpr std::size_t groups = maxima_groups;
    const kernels::Table& kernel = job_->scorer.kernel();
    make_room(scratch.found, 2 * n * groups);
    float* of_rows = scratch.found.data();
    float* of_columns = of_rows + n * groups;
    kernel.group_maxima(scratch.scores.data(), offsets, n, groups, of_rows, of_columns);
    float largest[2 * groups];
    std::uint32_t order[2 * groups];
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t g = 0; g < groups; ++g) {
            largest[g] = -of_rows[i * groups + g];
            largest[groups + g] = -of_columns[g * n + i];
        }
        kernel.rank_floats(largest, 2 * groups, keep_, order);
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
    make_room(scratch.thresholds, 2 * rows_->block_rows());
    float* thresholds = scratch.thresholds.data();
    {
        const auto guard = locks_->hold(block_a, block_b);
        if (!filter_.worth(block_a, block_b, shift)) return false;
        std::copy_n(lists_.thresholds(a), na, thresholds);
        std::copy_n(lists_.thresholds(b), nb, thresholds + na);
    }
    const auto [pairs, share] = filter_.find(a, na, b, nb, thresholds, scratch.packed_codes, scratch.pairs);
    if (share < 1.0) {
        const auto guard = locks_->hold(block_a, block_b);
        filter_.wait(block_a, block_b, shift, share);
        return false;
    }
    offer_found(blocks, pairs, scratch);
    return true;
}

/// Joins a block with itself by the first bytes alone, whose scores, less and plus their errors, give the
/// thresholds and then the pairs that may reach them. Returns false where that does not pay, and no pair is
/// offered.
bool SelfJoin::join_own(std::int64_t block, Scratch& scratch) {
    const std::size_t a = rows_->block_first(block);
    const std::size_t n = rows_->block_size(block);
    if (!maxima_say_much(n)) return false;
    const kernels::Table& kernel = job_->scorer.kernel();
    const kernels::NarrowRows rows = index_->codes().from(a);
    make_room(scratch.scores, n * n);
    make_room(scratch.packed_codes, kernels::narrow_packed_words(n, job_->dim));
    kernel.s8_tile(rows, n, rows, n, job_->dim, true, scratch.packed_codes.data(), scratch.scores.data());

    // An error is one term of each row when all rows count as the longest. What is rounded off here is far
    // below 2^-19 of the squares of that.
    const auto longest = static_cast<double>(*std::max_element(rows.norms, rows.norms + n));
    constexpr float infinity = std::numeric_limits<float>::infinity();
    make_room(scratch.gathered, 2 * n);
    float* of_least = scratch.gathered.data();
    float* of_most = of_least + n;
    for (std::size_t i = 0; i < n; ++i) {
        const auto offset = static_cast<double>(index_->offsets()[a + i]);
        const double error = static_cast<double>(rows.errors[i]) * longest + 0x1p-19 * longest * longest;
        of_least[i] = std::nextafter(static_cast<float>(offset + error), infinity);
        of_most[i] = std::nextafter(static_cast<float>(offset - error), -infinity);
    }
    make_room(scratch.thresholds, 2 * rows_->block_rows());
    float* thresholds = scratch.thresholds.data();
    {
        const auto guard = locks_->hold(block, block);
        raise_thresholds(a, n, of_least, scratch);
        std::copy_n(lists_.thresholds(a), n, thresholds);
        std::copy_n(thresholds, n, thresholds + n);
    }
    make_room(scratch.columns, n);
    make_room(scratch.found, n);
    scratch.pairs.clear();
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t first = i + 1;
        const std::size_t hits =
            kernel.collect(scratch.scores.data() + i * n + first, of_most[i], of_most + first, thresholds[i],
                           thresholds + first, n - first, scratch.columns.data(), scratch.found.data());
        for (std::size_t h = 0; h < hits; ++h) {
            scratch.pairs.push_back(static_cast<std::uint32_t>(i << 16 | (first + scratch.columns[h])));
        }
    }
    if (scratch.pairs.size() > n * n / most_own_share) return false;
    offer_found({block, block, 0}, scratch.pairs, scratch);
    return true;
}

/// Offers pairs of two blocks to the lists of both rows, but what is below the thresholds of before in
/// scratch.thresholds. Overwrites `pairs`.
void SelfJoin::offer_found(const parallel::BlockPair& blocks, std::span<std::uint32_t> pairs,
                           Scratch& scratch) {
    const auto [block_a, block_b, shift] = blocks;
    const std::size_t a = rows_->block_first(block_a);
    const std::size_t b = rows_->block_first(block_b);
    const float* thresholds_a = scratch.thresholds.data();
    const float* thresholds_b = thresholds_a + rows_->block_size(block_a);
    make_room(scratch.found, pairs.size());
    index_->score_pairs(a, b, pairs, scratch.found.data());
    const float* offsets = index_->offsets();
    std::size_t kept = 0;
    for (std::size_t h = 0; h < pairs.size(); ++h) {
        const std::uint32_t pair = pairs[h];
        const std::size_t i = pair >> 16;
        const std::size_t j = pair & 0xffff;
        const float score = scratch.found[h] - offsets[a + i] - offsets[b + j];
        pairs[kept] = pair;
        scratch.found[kept] = score;
        kept += score >= std::min(thresholds_a[i], thresholds_b[j]);
    }
    const auto guard = locks_->hold(block_a, block_b);
    for (std::size_t h = 0; h < kept; ++h) {
        const std::size_t row = a + (pairs[h] >> 16);
        const std::size_t other = b + (pairs[h] & 0xffff);
        const float score = scratch.found[h];
        if (score >= lists_.threshold(row)) lists_.push(row, score, static_cast<std::uint32_t>(other));
        if (score >= lists_.threshold(other)) lists_.push(other, score, static_cast<std::uint32_t>(row));
    }
}

}  // namespace grouplink::knn
