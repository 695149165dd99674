#pragma once

#include <grouplink/checkpoint.hpp>
#include <grouplink/plan.hpp>

#include "knn/group.hpp"
#include "knn/knn.hpp"
#include "parallel/workers.hpp"
#include "rows/groups.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace grouplink::knn {

/// Which groups of a plan need not be searched any more.
struct Restored {
    std::vector<bool> finished;  ///< one a group of the plan; empty: none is
    double cost = 0.0;           ///< of those that are
};

/// Places what earlier runs found among the neighbors, reports and counts of `result`, whose offsets stand.
/// Of it only what fits this plan is used: each group wholly or not at all.
Restored restore(const Checkpoints& checkpoints, const RowsByGroup& grouped, const Plan& plan,
                 std::int64_t n_nearest, KnnResult& result);

/// Hands over groups as their search ends. Groups go by their position in `plan`. Without checkpoints it does
/// nothing. All must outlive it.
class Keeper {
public:
    Keeper(const Checkpoints* checkpoints, const RowsByGroup& grouped, const Plan& plan,
           std::int64_t n_nearest, const KnnResult& result);

    /// Calls `search`, which searches the group with this memory, perhaps as one of several calls.
    template <typename Search>
    auto counted(std::size_t position, Scratch& scratch, Search search);

    /// The search of these is over.
    void finish(std::span<const std::size_t> positions);

    /// Finishes the group once the work is done.
    void follow(parallel::Work& work, std::size_t position, std::span<Scratch> scratch);

private:
    void add(std::size_t position, const SearchCounts& before, const SearchCounts& after);
    void hand_over();

    const Checkpoints* checkpoints_;
    const RowsByGroup& grouped_;
    const Plan& plan_;
    std::int64_t n_nearest_;
    const KnnResult& result_;
    std::mutex mutex_;
    std::vector<SearchCounts> counts_;  ///< of each group of the plan
    std::vector<std::size_t> pending_;  ///< finished, but not handed over
};

template <typename Search>
auto Keeper::counted(std::size_t position, Scratch& scratch, Search search) {
    struct Adding {
        Keeper& keeper;
        std::size_t position;
        const Scratch& scratch;
        SearchCounts before = scratch.counters;
        ~Adding() { keeper.add(position, before, scratch.counters); }
    };
    const Adding adding{*this, position, scratch};
    return search();
}

}  // namespace grouplink::knn
