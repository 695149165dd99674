#pragma once

#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/key.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace grouplink::knn {

/// Turns candidates of a row into its neighbors, by the canonical scoring, and writes them where they
/// belong. Rows here are classes of GroupRows; a candidate stands for all its members. For one row at a
/// time: start(), score() candidates, sort scratch.keys, write().
class RowRanker {
public:
    /// Both must outlive the ranker; `rows` may be filled later.
    RowRanker(const GroupJob& job, const GroupRows& rows) : job_(job), rows_(rows), unique_(rows.unique()) {}

    /// Loads the row and puts its own duplicates, if any, among scratch.keys, which it empties first.
    void start(std::uint32_t row, Scratch& scratch) const;

    /// Adds candidates to scratch.keys and returns the distance of the farthest.
    float score(std::span<const Key> candidates, Scratch& scratch) const;
    void prefetch(std::uint32_t candidate) const { rows_.scorer().prefetch(rows_.stored(candidate)); }

    /// Scores all candidates and sorts scratch.keys. Returns whether they hold k neighbors of the row.
    bool sort_candidates(std::uint32_t row, std::span<const Key> candidates, Scratch& scratch) const;

    /// All of that for a row whose neighbors are the best of `candidates`, and writes them. Returns false,
    /// and writes nothing, when these are too few.
    bool rank(std::uint32_t row, std::span<const Key> candidates, Scratch& scratch) const;

    /// How many neighbors of `row` a candidate, perhaps itself, stands for.
    std::size_t neighbors_from(std::uint32_t row, std::uint32_t candidate) const;

    /// The distance of the k-th neighbor among the sorted keys; the largest float when there are fewer.
    float worst_neighbor(std::uint32_t row, Scratch& scratch) const;

    /// Writes the k nearest of the sorted keys as the neighbors of the row and of each of its duplicates,
    /// as far as these are wanted.
    void write(std::uint32_t row, Scratch& scratch) const;

private:
    const GroupJob& job_;
    const GroupRows& rows_;
    const UniqueRows& unique_;
};

}  // namespace grouplink::knn
