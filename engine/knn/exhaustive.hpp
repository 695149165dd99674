#pragma once

#include "knn/candidates.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/narrow.hpp"
#include "knn/rank.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace grouplink::knn {

/// Candidates that an approximate index keeps beyond those wanted: float32 scores of about the same
/// size may stand in another order than the canonical ones.
inline constexpr std::size_t approximate_spare = 4;

/// How many candidates such an index keeps for each row of a group of `rows` classes.
std::size_t approximate_keep(std::size_t k, std::size_t rows);

/// No row of a group.
inline constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();

/// Offers scores[0, n), less `offset` and `offsets`, to one list; candidate_of(j) names the candidate of
/// score j. The candidate `self` is left out.
template <typename CandidateOf>
void offer_scores(CandidateLists& lists, std::size_t list, const float* scores, float offset,
                  const float* offsets, std::size_t n, const kernels::Table& kernel, Scratch& scratch,
                  CandidateOf candidate_of, std::uint32_t self = nobody) {
    make_room(scratch.columns, n);
    make_room(scratch.found, n);
    make_room(scratch.unreachable, n, std::numeric_limits<float>::infinity());
    const std::size_t hits =
        kernel.collect(scores, offset, offsets, lists.threshold(list), scratch.unreachable.data(), n,
                       scratch.columns.data(), scratch.found.data());
    for (std::size_t h = 0; h < hits; ++h) {
        if (scratch.found[h] < lists.threshold(list)) continue;
        const std::uint32_t candidate = candidate_of(scratch.columns[h]);
        if (candidate != self) lists.push(list, scratch.found[h], candidate);
    }
}

/// Calls use(i, row, score) for all selected rows i and rows of [b, b + n) whose score is not below
/// thresholds[i], where the first bytes of codes tell most pairs apart. Returns false where they do not or
/// there are none, and nothing is done.
template <typename Use>
bool for_each_close(const FlatIndex& index, const FlatIndex::Selection& selected, std::size_t b,
                    std::size_t n, const float* thresholds, const kernels::Table& kernel, Scratch& scratch,
                    Use use) {
    if (!index.codes().in_use()) return false;
    make_room(scratch.unreachable, n, std::numeric_limits<float>::infinity());
    // The kernel lays out the second rows anew: those are the fewer ones.
    const auto [pairs, share] =
        find_close_pairs(kernel, index.codes().from(b), n, {index.offsets() + b, scratch.unreachable.data()},
                         selected.codes.from(0), selected.count, {selected.offsets.data(), thresholds},
                         index.dim(), scratch.packed_codes, scratch.pairs);
    if (share < 1.0) return false;
    make_room(scratch.found, pairs.size());
    index.score_pairs(b, selected, pairs, scratch.found.data());
    for (std::size_t h = 0; h < pairs.size(); ++h) {
        const std::size_t row = b + (pairs[h] >> 16);
        const std::size_t i = pairs[h] & 0xffff;
        const float score = scratch.found[h] - selected.offsets[i] - index.offsets()[row];
        if (score >= thresholds[i]) use(i, row, score);
    }
    return true;
}

/// Offers the pairs of row a and the rows [b, b + n) to the lists of both. scores[0, n) are before
/// `offsets`, which all rows have.
void offer_pairs(CandidateLists& lists, std::size_t a, std::size_t b, std::size_t n, const float* scores,
                 const float* offsets, const kernels::Table& kernel, Scratch& scratch);

/// Offers all rows of an index but the row itself to list i of each row selected[i].
void offer_index(std::span<const std::uint32_t> selected, const GroupRows& rows, const FlatIndex& index,
                 CandidateLists& lists, const kernels::Table& kernel, Scratch& scratch);

/// Searches rows that an approximate index found too few neighbors for: against all others.
void search_all(std::span<const std::uint32_t> selected, const GroupJob& job, const GroupRows& rows,
                const FlatIndex& index, const RowRanker& ranker, Scratch& scratch);

}  // namespace grouplink::knn
