#pragma once

#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace grouplink {

/// What decides how much memory a job takes, beside its plan.
struct JobMemory {
    std::int64_t held_bytes =
        0;  ///< by the process as it begins to search, less what the input can give back
    /// Of an input in a file, which stays in memory while there is room, and else is read again: its bytes.
    /// 0: the input stays where it is, and counts among `held_bytes`.
    std::int64_t file_bytes = 0;
    std::int64_t rows = 0;           ///< of the input
    std::int64_t element_bytes = 0;  ///< of a component
    int threads = 1;
};

/// The order in which a plan is carried out: waves, one after another, of groups that are searched side by
/// side.
struct Waves {
    /// Wave w is plan.groups[ends[w - 1]] up to, but not with, plan.groups[ends[w]].
    std::vector<std::size_t> ends;
    bool gathers = false;         ///< each wave gathers its rows, and the input does not stay in memory
    std::int64_t peak_bytes = 0;  ///< that the process is expected to hold
    /// A budget that would do: the peak in waves of a group each, in whole MiB, with a margin for what
    /// another run of the same job holds more.
    std::int64_t least_bytes = 0;
    std::size_t costliest = 0;  ///< of plan.groups, the one that takes most memory
};

/// One wave where the budget has room for it, else as few as it has room for; where it has not even room for
/// one group at a time, waves whose `least_bytes` say so. Pure.
Waves plan_waves(const Plan& plan, const JobMemory& job, const LinkOptions& options, std::int64_t budget);

}  // namespace grouplink
