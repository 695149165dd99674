#include "knn/waves.hpp"

#include "parallel/busy.hpp"
#include "rows/gathered.hpp"
#include "rows/pages.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace grouplink {
namespace {

/// What the allocator keeps of a wave would lie beside what the next one takes.
void give_back_heap() noexcept {
#if defined(__GLIBC__)
    ::malloc_trim(0);
#endif
}

/// The groups of a wave, numbered by themselves, and so are its rows where they are gathered.
struct Wave {
    Plan plan;
    std::vector<std::string> keys;
    RowsByGroup grouped;
    std::vector<std::int64_t> rows;  ///< of the input, where these are gathered: those of `grouped`, in order
};

Wave wave_of(std::span<const GroupPlan> groups, const RowsByGroup& grouped, std::span<const std::string> keys,
             bool gathers) {
    Wave wave;
    wave.grouped.offsets.push_back(0);
    for (const GroupPlan& group : groups) {
        const auto rows = grouped.group(group.group);
        wave.plan.groups.push_back(group);
        wave.plan.groups.back().group = static_cast<std::int32_t>(wave.keys.size());
        wave.keys.push_back(keys[static_cast<std::size_t>(group.group)]);
        std::vector<std::int64_t>& to = gathers ? wave.rows : wave.grouped.rows;
        to.insert(to.end(), rows.begin(), rows.end());
        wave.grouped.offsets.push_back(std::ssize(to));
    }
    for (std::int64_t row = 0; row < std::ssize(wave.rows); ++row) wave.grouped.rows.push_back(row);
    return wave;
}

/// Copies what a wave found to where it belongs.
void place(const Neighbors& from, const Wave& wave, Neighbors& to) {
    for (const GroupPlan& group : wave.plan.groups) {
        const auto first = static_cast<std::size_t>(
            wave.grouped.offsets[static_cast<std::size_t>(group.group)] + group.first_query);
        for (std::size_t i = first; i < first + static_cast<std::size_t>(group.queries); ++i) {
            const auto local = static_cast<std::size_t>(wave.grouped.rows[i]);
            const auto row =
                static_cast<std::size_t>(wave.rows.empty() ? wave.grouped.rows[i] : wave.rows[i]);
            const auto begin = static_cast<std::size_t>(from.offsets[local]);
            const auto count = static_cast<std::size_t>(from.offsets[local + 1]) - begin;
            const auto at = static_cast<std::size_t>(to.offsets[row]);
            for (std::size_t n = 0; n < count; ++n) {
                const std::int64_t target = from.targets[begin + n];
                to.targets[at + n] = wave.rows.empty() ? target : wave.rows[static_cast<std::size_t>(target)];
                to.distances[at + n] = from.distances[begin + n];
            }
        }
    }
}

/// The same control, for a part of a stage that ends where the next begins.
JobControl part_of(const JobControl& control, double begin, double share) {
    if (!control.on_progress) return control;
    const auto report = [report_part = control.on_progress, begin, share](Progress progress) {
        progress.done = std::min(1.0, begin + share * progress.done);
        report_part(progress);
    };
    return {report, control.stop};
}

}  // namespace

KnnResult find_neighbors(const MatrixView& vectors, const RowsByGroup& grouped,
                         std::span<const std::string> keys, const Plan& plan, const Waves& waves,
                         const LinkOptions& options, int threads, const JobControl& control) {
    if (waves.ends.size() == 1 && !waves.gathers) {
        return find_neighbors(vectors, grouped, keys, plan, options, threads, control);
    }
    if (waves.gathers) give_back(vectors, 0, vectors.rows);
    using Clock = std::chrono::steady_clock;
    KnnResult result;
    result.neighbors = room_for_neighbors(grouped, plan, vectors.rows, options.n_nearest);
    result.searches.resize(plan.groups.size());
    std::vector<parallel::TimedWorkers> workers;
    double begun = 0.0;
    std::size_t first = 0;
    for (const std::size_t end : waves.ends) {
        const auto start = Clock::now();
        const auto groups = std::span(plan.groups).subspan(first, end - first);
        double cost = 0.0;
        for (const GroupPlan& group : groups) cost += group.cost;
        const JobControl part = part_of(control, plan.cost > 0.0 ? begun / plan.cost : 0.0,
                                        plan.cost > 0.0 ? cost / plan.cost : 0.0);
        begun += cost;

        const Wave wave = wave_of(groups, grouped, keys, waves.gathers);
        KnnResult found;
        if (waves.gathers) {
            const GatheredRows rows(vectors, wave.rows, threads, {{}, control.stop});
            found = find_neighbors(rows.view(), wave.grouped, wave.keys, wave.plan, options, threads, part);
        } else {
            found = find_neighbors(vectors, wave.grouped, wave.keys, wave.plan, options, threads, part);
        }
        place(found.neighbors, wave, result.neighbors);
        result.counters += found.counters;
        std::move(found.searches.begin(), found.searches.end(),
                  result.searches.begin() + static_cast<std::ptrdiff_t>(first));
        workers.push_back(
            {std::move(found.workers), std::chrono::duration<double>(Clock::now() - start).count()});
        found = {};
        give_back_heap();
        first = end;
    }
    result.workers = parallel::join_workers(workers);
    return result;
}

}  // namespace grouplink
