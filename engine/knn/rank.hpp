#pragma once

#include "knn/group.hpp"
#include "knn/key.hpp"
#include "knn/unique.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace grouplink::knn {

/// Turns candidates of a row into its neighbors, by the canonical scoring, and writes them where they
/// belong. Rows here are classes of UniqueRows; a candidate stands for all its members. For one row at a
/// time: start(), score() each candidate, sort scratch.keys, write().
class RowRanker {
public:
    /// Both must outlive the ranker; `unique` may be filled later.
    RowRanker(const GroupJob& job, const UniqueRows& unique) : job_(job), unique_(unique) {}

    /// Loads the row and puts its own duplicates, if any, among scratch.keys, which it empties first.
    void start(std::uint32_t row, Scratch& scratch) const;

    /// Adds a candidate to scratch.keys and returns its distance.
    float score(std::uint32_t candidate, Scratch& scratch) const;
    void prefetch(std::uint32_t candidate) const { job_.scorer.prefetch(input_row(candidate)); }

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

    std::int64_t input_row(std::uint32_t row) const { return job_.rows[unique_.first[row]]; }

private:
    const GroupJob& job_;
    const UniqueRows& unique_;
};

}  // namespace grouplink::knn
