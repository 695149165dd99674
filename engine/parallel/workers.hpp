#pragma once

#include <grouplink/link.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

namespace grouplink::parallel {

/// Part of a piece of work: `begin(worker)` runs once, while nothing else of the same work does, and
/// says how many units there are; then `run(unit, worker)` runs for each unit in [0, units), in no
/// order and in parallel. `worker` is in [0, threads).
struct Stage {
    std::function<std::int64_t(int worker)> begin;
    std::function<void(std::int64_t unit, int worker)> run;
    double share = 1.0;  ///< of the work's cost, for progress
};

/// Stages that run one after another. Different works run side by side.
struct Work {
    std::vector<Stage> stages;
    double cost = 1.0;  ///< for progress, in any unit that the works of one call share
    std::int64_t most_units = std::numeric_limits<std::int64_t>::max();  ///< that can run at once
};

/// The number of threads that `threads` (an option, 0 = automatic) stands for: what the CPU mask
/// and the container's quota let run at once.
int resolve_threads(int threads);

/// Runs works on `threads` workers, of which the caller is one, and returns how busy each was. Threads that
/// could have no unit are not started: to wake one may take longer than a small job.
/// Works start in the given order: put the costliest first. A worker takes units of the
/// works already begun before it begins another, so few are in memory at once and the last large one
/// is shared by all. BLAS runs single-threaded inside; for OpenMP see openmp.hpp.
///
/// `cost_before` is the cost of works that need not be done any more, for progress.
///
/// The first exception stops all workers and is rethrown; a requested stop gives Error(cancelled).
std::vector<WorkerReport> run_all(std::vector<Work> works, int threads, const JobControl& control,
                                  std::string_view stage_name, double cost_before = 0.0);

/// Calls body(first, last, worker) on consecutive ranges of [0, count), at most `block` long each.
using BlockBody = std::function<void(std::int64_t first, std::int64_t last, int worker)>;
Stage block_stage(std::int64_t count, std::int64_t block, BlockBody body, double share = 1.0);

/// The same as all there is to do.
void for_blocks(std::int64_t count, std::int64_t block, int threads, const JobControl& control,
                std::string_view stage_name, const BlockBody& body);

/// The same control; progress that is not counted yet is counted in rows, `rows` a stage.
JobControl count_rows(const JobControl& control, std::int64_t rows);

/// Throws Error(cancelled) when a stop is requested.
void check_stop(const JobControl& control);

}  // namespace grouplink::parallel
