#include "knn/waves.hpp"

#include "knn/checkpoints.hpp"
#include "parallel/busy.hpp"
#include "rows/gathered.hpp"
#include "rows/pages.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
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
    std::vector<std::size_t> positions;  ///< of its groups, in the whole plan
    std::vector<std::int32_t> numbers;   ///< of its groups, in the input

    /// The row of the input that a row of `grouped` is.
    std::int64_t in_input(std::int64_t row) const {
        return rows.empty() ? row : rows[static_cast<std::size_t>(row)];
    }
};

Wave wave_of(const Plan& plan, std::vector<std::size_t> positions, const RowsByGroup& grouped,
             std::span<const std::string> keys, bool gathers) {
    Wave wave;
    wave.positions = std::move(positions);
    wave.grouped.offsets.push_back(0);
    for (const std::size_t position : wave.positions) {
        const GroupPlan& group = plan.groups[position];
        const auto rows = grouped.group(group.group);
        wave.numbers.push_back(group.group);
        wave.plan.cost += group.cost;
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
            const auto row = static_cast<std::size_t>(wave.in_input(wave.grouped.rows[i]));
            const auto begin = static_cast<std::size_t>(from.offsets[local]);
            const auto count = static_cast<std::size_t>(from.offsets[local + 1]) - begin;
            const auto at = static_cast<std::size_t>(to.offsets[row]);
            for (std::size_t n = 0; n < count; ++n) {
                to.targets[at + n] = wave.in_input(from.targets[begin + n]);
                to.distances[at + n] = from.distances[begin + n];
            }
        }
    }
}

/// What is found in a wave, as the whole job tells of it.
std::shared_ptr<const Checkpoints> checkpoints_of(const Wave& wave,
                                                  const std::shared_ptr<const Checkpoints>& all) {
    if (!all) return nullptr;
    const auto keep = [&wave, all](const Checkpoint& found) {
        Checkpoint kept = found;
        for (FoundRange& range : kept.ranges)
            range.range.group = wave.numbers[static_cast<std::size_t>(range.range.group)];
        for (std::int64_t& target : kept.targets) target = wave.in_input(target);
        all->keep(kept);
    };
    return std::make_shared<const Checkpoints>(
        Checkpoints{.restore = {}, .wanted = all->wanted, .keep = all->keep ? keep : decltype(all->keep){}});
}

/// The same control, for a part of a stage of which the share `begin` is over, and `before` was when it
/// began.
JobControl part_of(const JobControl& control, double begin, double share, double before) {
    JobControl part = control;
    if (!control.on_progress) return part;
    part.on_progress = [whole = control.on_progress, begin, share, before](Progress progress) {
        progress.done = std::min(1.0, begin + share * progress.done);
        progress.before = before;
        whole(progress);
    };
    return part;
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
    result.neighbors = room_for_neighbors(grouped, plan, vectors.rows, options.n_nearest, threads);
    result.searches.resize(plan.groups.size());
    knn::Restored restored;
    if (control.checkpoints)
        restored = knn::restore(*control.checkpoints, grouped, plan, options.n_nearest, result);
    std::vector<parallel::TimedWorkers> workers;
    const double cost = plan.cost > 0.0 ? plan.cost : 1.0;
    double begun = restored.cost;
    std::size_t first = 0;
    for (const std::size_t end : waves.ends) {
        std::vector<std::size_t> positions;
        for (; first < end; ++first) {
            if (restored.finished.empty() || !restored.finished[first]) positions.push_back(first);
        }
        if (positions.empty()) continue;
        const auto start = Clock::now();
        const Wave wave = wave_of(plan, std::move(positions), grouped, keys, waves.gathers);
        JobControl part = part_of(control, begun / cost, wave.plan.cost / cost, restored.cost / cost);
        part.checkpoints = checkpoints_of(wave, control.checkpoints);
        begun += wave.plan.cost;

        KnnResult found;
        if (waves.gathers) {
            JobControl silent;
            silent.stop = control.stop;
            const GatheredRows rows(vectors, wave.rows, threads, silent);
            found = find_neighbors(rows.view(), wave.grouped, wave.keys, wave.plan, options, threads, part);
        } else {
            found = find_neighbors(vectors, wave.grouped, wave.keys, wave.plan, options, threads, part);
        }
        place(found.neighbors, wave, result.neighbors);
        result.counters += found.counters;
        for (std::size_t i = 0; i < wave.positions.size(); ++i)
            result.searches[wave.positions[i]] = found.searches[i];
        workers.push_back(
            {std::move(found.workers), std::chrono::duration<double>(Clock::now() - start).count()});
        found = {};
        give_back_heap();
    }
    result.workers = parallel::join_workers(workers);
    return result;
}

}  // namespace grouplink
