#pragma once

#include "knn/candidates.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/rank.hpp"
#include "knn/recall.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace grouplink::knn {

/// A sample of a group's rows and their exact neighbors, which tells the recall of lists of candidates.
///
/// Rows here are classes of UniqueRows, drawn as their members are: a class of many duplicates is more
/// often in the sample, and perhaps more than once.
class Calibration {
public:
    /// All must outlive the calibration.
    Calibration(const GroupJob& job, const GroupRows& rows, const RowRanker& ranker)
        : job_(job), rows_(rows), ranker_(ranker) {}

    /// Draws the sample; the group's classes must be known. Returns the units of search().
    std::int64_t begin();

    /// Offers all rows of the group but the row itself to list i of each row selected[i].
    using OfferAll = std::function<void(std::span<const std::uint32_t> selected, CandidateLists& lists)>;
    /// Finds the exact neighbors of a unit's rows.
    void search(std::int64_t unit, const OfferAll& offer, Scratch& scratch);

    /// The sampled rows, each once, ascending.
    std::span<const std::uint32_t> rows() const { return sampled_; }

    /// The parts of rows() that are worth a unit of work.
    std::int64_t units() const;
    std::pair<std::size_t, std::size_t> range_of(std::int64_t unit) const;

    /// The classes that hold the exact neighbors of rows()[s], the nearest first, ties for the last place
    /// included. Perhaps the row itself, for its duplicates.
    std::span<const std::uint32_t> neighbors(std::size_t s) const { return neighbors_[s]; }

    /// How many of the k neighbors of rows()[s] those candidates hold for which has(candidate) is true. The
    /// row's duplicates are always found.
    template <typename Has>
    std::int64_t count_found(std::size_t s, Has has) const {
        std::size_t found = 0;
        for (const std::uint32_t candidate : neighbors_[s]) {
            if (candidate == sampled_[s] || has(candidate))
                found += ranker_.neighbors_from(sampled_[s], candidate);
        }
        return static_cast<std::int64_t>(std::min(found, job_.k));
    }
    std::int64_t count_found(std::size_t s, std::span<const Key> candidates) const;

    /// The recall when `found[s]` neighbors of rows()[s] were found.
    RecallEstimate estimate(std::span<const std::int64_t> found) const;

private:
    const GroupJob& job_;
    const GroupRows& rows_;
    const RowRanker& ranker_;
    std::vector<std::uint32_t> sampled_;
    std::vector<std::uint32_t> weights_;  ///< how often each was drawn
    std::vector<std::vector<std::uint32_t>> neighbors_;
};

}  // namespace grouplink::knn
