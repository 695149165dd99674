#pragma once

#include <grouplink/part.hpp>
#include <grouplink/report.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace grouplink {

/// What a search counts of its work, as in Report.
struct SearchCounts {
    std::int64_t duplicate_rows = 0;
    std::int64_t scored_pairs = 0;
    std::int64_t researched_rows = 0;

    SearchCounts& operator+=(const SearchCounts& other) {
        duplicate_rows += other.duplicate_rows;
        scored_pairs += other.scored_pairs;
        researched_rows += other.researched_rows;
        return *this;
    }
};

/// Rows of one group, whose search is over: all that a job searches of it, or one piece of many.
struct FoundRange {
    PartRange range{};
    std::int64_t neighbors = 0;            ///< of each of its rows
    SearchCounts counts{};                 ///< of the whole search; with its last piece
    std::optional<SearchReport> search{};  ///< of an approximate group, likewise
};

/// What a job found, in portions of about a megabyte at most. The pieces of a group come in the order of its
/// rows, perhaps with others between them; a group whose last piece is missing is searched again.
struct Checkpoint {
    std::vector<FoundRange> ranges;
    /// Of the rows of the ranges, one behind another: the nearest rows of each, as in LinkPart.
    std::vector<std::int64_t> targets;
    std::vector<float> distances;
};

/// Where a job keeps what it found, so that another run of the same job (vectors, groups, options and share)
/// need not find it again: the result is the same. What is kept of approximate groups is good for the same
/// instruction set alone. Journal in journal.hpp keeps it in a file.
struct Checkpoints {
    /// Takes one; false: it makes no sense, and nothing of it was used.
    using Take = std::function<bool(const Checkpoint&)>;

    /// Called once, before any search: is to pass on what earlier runs kept. Empty: there is nothing.
    std::function<void(const Take& take)> restore{};
    /// Whether to keep now what is finished; what is finished before is kept later, as long as the search
    /// goes on. Called often, from any thread of the job. Empty: always.
    std::function<bool()> wanted{};
    /// Called when groups are finished, from any thread of the job and perhaps by several at once. What it
    /// throws stops the job.
    std::function<void(const Checkpoint&)> keep{};
};

}  // namespace grouplink
