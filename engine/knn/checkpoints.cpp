#include "knn/checkpoints.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace grouplink::knn {
namespace {

/// Neighbors handed over at once: about half a megabyte.
constexpr std::size_t most_neighbors = std::size_t{1} << 16;

std::int64_t neighbors_of(std::int64_t rows, std::int64_t n_nearest) {
    return std::max<std::int64_t>(0, std::min(n_nearest, rows - 1));
}

std::span<const std::int64_t> rows_of(const RowsByGroup& grouped, const PartRange& range) {
    return grouped.group(range.group)
        .subspan(static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.count));
}

/// Judges what comes back, and puts it where it belongs.
class Restorer {
public:
    Restorer(const RowsByGroup& grouped, const Plan& plan, std::int64_t n_nearest, KnnResult& result)
        : grouped_(grouped),
          plan_(plan),
          n_nearest_(n_nearest),
          result_(result),
          group_of_row_(result.neighbors.offsets.size() - 1, -1),
          seen_(group_of_row_.size(), 0) {
        const auto groups = static_cast<std::int32_t>(grouped.offsets.size() - 1);
        for (std::int32_t group = 0; group < groups; ++group) {
            for (const std::int64_t row : grouped.group(group)) {
                group_of_row_[static_cast<std::size_t>(row)] = group;
            }
        }
        for (std::size_t i = 0; i < plan.groups.size(); ++i) {
            const GroupPlan& group = plan.groups[i];
            if (group.tiles > 0) entries_.push_back({group.group, group.first_query, group.first_query, i});
        }
        std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
            return std::pair(a.group, a.first) < std::pair(b.group, b.first);
        });
    }

    bool take(const Checkpoint& checkpoint) {
        if (!makes_sense(checkpoint)) return false;
        std::size_t from = 0;
        for (const FoundRange& found : checkpoint.ranges) {
            const auto count = static_cast<std::size_t>(found.range.count) * width_of(found.range);
            place(found, checkpoint, from);
            from += count;
        }
        return true;
    }

    Restored finish() const {
        Restored restored{.finished = std::vector<bool>(plan_.groups.size(), false)};
        for (const Entry& entry : entries_) {
            if (!entry.finished) continue;
            restored.finished[entry.position] = true;
            restored.cost += plan_.groups[entry.position].cost;
        }
        return restored;
    }

private:
    /// A group of the plan with something to be searched.
    struct Entry {
        std::int32_t group = 0;
        std::int64_t first = 0;
        std::int64_t covered = 0;  ///< the query up to which neighbors have come
        std::size_t position = 0;
        bool finished = false;
    };

    std::size_t width_of(const PartRange& range) const {
        return static_cast<std::size_t>(neighbors_of(std::ssize(grouped_.group(range.group)), n_nearest_));
    }

    bool makes_sense(const Checkpoint& checkpoint) {
        if (checkpoint.targets.size() != checkpoint.distances.size()) return false;
        std::size_t at = 0;
        for (const FoundRange& found : checkpoint.ranges) {
            const PartRange& range = found.range;
            if (range.group < 0 || static_cast<std::size_t>(range.group) + 1 >= grouped_.offsets.size()) {
                return false;
            }
            const std::int64_t rows = std::ssize(grouped_.group(range.group));
            if (range.first < 0 || range.first > rows || range.count < 0 ||
                range.count > rows - range.first) {
                return false;
            }
            const std::size_t width = width_of(range);
            const auto count = static_cast<std::size_t>(range.count);
            if (found.neighbors != static_cast<std::int64_t>(width)) return false;
            if (width > 0 && count > (checkpoint.targets.size() - at) / width) return false;
            for (const std::int64_t row : rows_of(grouped_, range)) {
                if (!makes_sense(checkpoint, row, range.group, at, width)) return false;
                at += width;
            }
        }
        return at == checkpoint.targets.size();
    }

    bool makes_sense(const Checkpoint& checkpoint, std::int64_t row, std::int32_t group, std::size_t at,
                     std::size_t width) {
        ++rows_judged_;
        for (std::size_t n = 0; n < width; ++n) {
            const std::int64_t target = checkpoint.targets[at + n];
            const float distance = checkpoint.distances[at + n];
            if (target < 0 || target >= std::ssize(group_of_row_) || target == row) return false;
            if (group_of_row_[static_cast<std::size_t>(target)] != group || !std::isfinite(distance))
                return false;
            // No row is twice among the neighbors of another.
            if (std::exchange(seen_[static_cast<std::size_t>(target)], rows_judged_) == rows_judged_)
                return false;
            if (n > 0 && !(std::pair(checkpoint.distances[at + n - 1], checkpoint.targets[at + n - 1]) <
                           std::pair(distance, target))) {
                return false;
            }
        }
        return true;
    }

    /// The one that has all of these rows, or null.
    Entry* entry_of(const PartRange& range) {
        const auto after = std::upper_bound(
            entries_.begin(), entries_.end(), range, [](const PartRange& wanted, const Entry& entry) {
                return std::pair(wanted.group, wanted.first) < std::pair(entry.group, entry.first);
            });
        if (after == entries_.begin()) return nullptr;
        Entry& entry = *(after - 1);
        const GroupPlan& group = plan_.groups[entry.position];
        const bool inside =
            entry.group == range.group && range.first + range.count <= group.first_query + group.queries;
        return inside ? &entry : nullptr;
    }

    void place(const FoundRange& found, const Checkpoint& checkpoint, std::size_t from) {
        Entry* const entry = entry_of(found.range);
        if (!entry || entry->finished) return;
        // A group that was begun twice begins again with its first piece.
        if (found.range.first == entry->first) entry->covered = entry->first;
        if (found.range.first != entry->covered) return;
        const std::size_t width = width_of(found.range);
        for (const std::int64_t row : rows_of(grouped_, found.range)) {
            const auto to = result_.neighbors.offsets[static_cast<std::size_t>(row)];
            std::copy_n(checkpoint.targets.begin() + static_cast<std::ptrdiff_t>(from), width,
                        result_.neighbors.targets.begin() + to);
            std::copy_n(checkpoint.distances.begin() + static_cast<std::ptrdiff_t>(from), width,
                        result_.neighbors.distances.begin() + to);
            from += width;
        }
        entry->covered += found.range.count;
        const GroupPlan& group = plan_.groups[entry->position];
        if (entry->covered < group.first_query + group.queries) return;
        if (found.search.has_value() != (group.index != IndexKind::flat)) return;
        entry->finished = true;
        result_.searches[entry->position] = found.search;
        result_.counters += found.counts;
        ++result_.resumed->groups;
        result_.resumed->rows += group.queries;
        result_.resumed->scored_pairs += found.counts.scored_pairs;
    }

    const RowsByGroup& grouped_;
    const Plan& plan_;
    std::int64_t n_nearest_;
    KnnResult& result_;
    std::vector<std::int32_t> group_of_row_;  ///< -1: takes no part
    std::vector<std::int64_t> seen_;          ///< of each row, the last one judged that it was a neighbor of
    std::int64_t rows_judged_ = 0;
    std::vector<Entry> entries_;  ///< by group and row
};

}  // namespace

Restored restore(const Checkpoints& checkpoints, const RowsByGroup& grouped, const Plan& plan,
                 std::int64_t n_nearest, KnnResult& result) {
    if (!checkpoints.restore) return {};
    result.resumed.emplace();
    Restorer restorer(grouped, plan, n_nearest, result);
    checkpoints.restore([&](const Checkpoint& checkpoint) { return restorer.take(checkpoint); });
    return restorer.finish();
}

Keeper::Keeper(const Checkpoints* checkpoints, const RowsByGroup& grouped, const Plan& plan,
               std::int64_t n_nearest, const KnnResult& result)
    : checkpoints_(checkpoints && checkpoints->keep ? checkpoints : nullptr),
      grouped_(grouped),
      plan_(plan),
      n_nearest_(n_nearest),
      result_(result),
      counts_(checkpoints_ ? plan.groups.size() : 0) {}

void Keeper::add(std::size_t position, const SearchCounts& before, const SearchCounts& after) {
    if (!checkpoints_) return;
    const std::lock_guard lock(mutex_);
    SearchCounts& counts = counts_[position];
    counts.duplicate_rows += after.duplicate_rows - before.duplicate_rows;
    counts.scored_pairs += after.scored_pairs - before.scored_pairs;
    counts.researched_rows += after.researched_rows - before.researched_rows;
}

void Keeper::finish(std::span<const std::size_t> positions) {
    if (!checkpoints_) return;
    {
        const std::lock_guard lock(mutex_);
        pending_.insert(pending_.end(), positions.begin(), positions.end());
    }
    hand_over();
}

void Keeper::follow(parallel::Work& work, std::size_t position, std::span<Scratch> scratch) {
    if (!checkpoints_) return;
    for (parallel::Stage& stage : work.stages) {
        stage.begin = [this, position, scratch, begin = std::move(stage.begin)](int worker) {
            return counted(position, scratch[static_cast<std::size_t>(worker)],
                           [&] { return begin(worker); });
        };
        if (!stage.run) continue;
        stage.run = [this, position, scratch, run = std::move(stage.run)](std::int64_t unit, int worker) {
            counted(position, scratch[static_cast<std::size_t>(worker)], [&] { run(unit, worker); });
            hand_over();  // what ended before it was wanted, while a long search goes on
        };
    }
    work.stages.push_back({.begin =
                               [this, position](int) {
                                   return finish({&position, 1}), std::int64_t{0};
                               },
                           .run = {},
                           .share = 0.0});
}

void Keeper::hand_over() {
    if (checkpoints_->wanted && !checkpoints_->wanted()) return;
    std::vector<std::size_t> positions;
    {
        const std::lock_guard lock(mutex_);
        positions.swap(pending_);
    }
    Checkpoint checkpoint;
    const auto pass_on = [&] {
        checkpoints_->keep(checkpoint);
        checkpoint.ranges.clear();
        checkpoint.targets.clear();
        checkpoint.distances.clear();
    };
    for (const std::size_t position : positions) {
        const GroupPlan& group = plan_.groups[position];
        const auto width = static_cast<std::size_t>(neighbors_of(group.rows, n_nearest_));
        const std::int64_t last = group.first_query + group.queries;
        for (std::int64_t first = group.first_query; first < last;) {
            if (checkpoint.targets.size() >= most_neighbors) pass_on();
            const auto room = static_cast<std::int64_t>((most_neighbors - checkpoint.targets.size()) / width);
            const PartRange range{group.group, first, std::clamp<std::int64_t>(room, 1, last - first)};
            std::size_t to = checkpoint.targets.size();
            checkpoint.targets.resize(to + static_cast<std::size_t>(range.count) * width);
            checkpoint.distances.resize(checkpoint.targets.size());
            for (const std::int64_t row : rows_of(grouped_, range)) {
                const auto from = result_.neighbors.offsets[static_cast<std::size_t>(row)];
                std::copy_n(result_.neighbors.targets.begin() + from, width, checkpoint.targets.data() + to);
                std::copy_n(result_.neighbors.distances.begin() + from, width,
                            checkpoint.distances.data() + to);
                to += width;
            }
            first += range.count;
            FoundRange& found = checkpoint.ranges.emplace_back(
                FoundRange{.range = range, .neighbors = static_cast<std::int64_t>(width)});
            if (first < last) continue;
            found.counts = counts_[position];
            found.search = result_.searches[position];
        }
    }
    if (!checkpoint.ranges.empty()) pass_on();
}

}  // namespace grouplink::knn
