#include "budget.hpp"

#include "machine.hpp"
#include "parallel/workers.hpp"
#include "rows/pages.hpp"
#include "wording.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace grouplink {

std::int64_t memory_budget(const LinkOptions& options) {
    return options.memory_bytes > 0 ? options.memory_bytes : default_memory_budget();
}

MatrixView read_once(MatrixView vectors, const LinkOptions& options) {
    constexpr std::int64_t little = 8;
    if (value_bytes(vectors) <= memory_budget(options) / little) vectors.file_backed = false;
    return vectors;
}

Waves waves_of(const Plan& plan, const MatrixView& vectors, const LinkOptions& options) {
    const std::int64_t budget = memory_budget(options);
    const std::int64_t file_bytes = vectors.file_backed ? value_bytes(vectors) : 0;
    // All of it is in memory now, or else next to nothing.
    const bool stayed = !read_once(vectors, options).file_backed;
    const std::int64_t can_go = stayed ? std::min(file_bytes, resident_file_memory()) : 0;
    const JobMemory job{.held_bytes = resident_memory() - can_go,
                        .file_bytes = file_bytes,
                        .rows = vectors.rows,
                        .element_bytes = static_cast<std::int64_t>(element_size(vectors.type)),
                        .threads = parallel::resolve_threads(options.threads)};
    return plan_waves(plan, job, options, budget);
}

MemoryReport memory_report(const Waves& waves, const LinkOptions& options) {
    return {.budget_bytes = memory_budget(options),
            .planned_bytes = waves.peak_bytes,
            .least_bytes = waves.least_bytes,
            .waves = std::ssize(waves.ends)};
}

Waves waves_that_fit(const Plan& plan, const MatrixView& vectors, const GroupColumn& groups,
                     const LinkOptions& options) {
    const std::int64_t budget = memory_budget(options);
    Waves waves = waves_of(plan, vectors, options);
    if (waves.peak_bytes <= budget) return waves;
    std::string most;
    if (!plan.groups.empty()) {
        const GroupPlan& group = plan.groups[waves.costliest];
        most = fmt::format(": {} of it for the group \"{}\" of {}, index {}", bytes_text(group.memory_bytes),
                           groups.keys[static_cast<std::size_t>(group.group)], plural(group.rows, "row"),
                           name(group.index));
    }
    throw Error(
        ErrorCode::over_budget,
        fmt::format("linking takes {} of memory, and the budget is {}{}; allow more: --memory {}MiB",
                    bytes_text(waves.least_bytes), bytes_text(budget), most, waves.least_bytes >> 20));
}

}  // namespace grouplink
