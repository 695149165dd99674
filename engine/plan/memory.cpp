#include "plan/memory.hpp"

#include "plan/plan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>

namespace grouplink {
namespace {

constexpr double mebibyte = 1 << 20;

/// Beyond the groups in work: threads, what the allocator keeps, tables of the plan.
constexpr double slack_bytes = 16 * mebibyte;
/// What each worker keeps from one tile to the next, and of each component of a block's rows.
constexpr double worker_bytes = 4 * mebibyte;
constexpr double worker_bytes_a_component = 512 * 20;
/// Of a group: its report, its search, its place in the schedule.
constexpr double bytes_a_group = 1024;
/// Of a row of a wave that gathers its rows: its number, its place, its offsets.
constexpr double bytes_a_gathered_row = 40;

constexpr double bytes_a_link = sizeof(std::int64_t) + sizeof(float);

/// The sum of the `most` largest of the values that were pushed.
class LargestSum {
public:
    explicit LargestSum(std::size_t most) : most_(most) {}

    void push(double value) {
        sum_ += value;
        values_.push(value);
        if (values_.size() <= most_) return;
        sum_ -= values_.top();
        values_.pop();
    }
    double sum() const { return sum_; }

private:
    std::size_t most_;
    double sum_ = 0.0;
    std::priority_queue<double, std::vector<double>, std::greater<>> values_;
};

/// What a group takes while it is searched, beside its results.
double working_bytes(const GroupPlan& group, const JobMemory& job) {
    const bool reads_often = group.index != IndexKind::flat || group.path == FlatPath::tiles;
    const std::int64_t copied =
        reads_often ? copied_bytes(group.rows, group.dim, job.element_bytes) : std::int64_t{0};
    return static_cast<double>(group.memory_bytes) + static_cast<double>(copied);
}

/// The memory of a wave, group by group.
class WaveMemory {
public:
    WaveMemory(const JobMemory& job, const LinkOptions& options, bool gathers)
        : job_(job), options_(options), gathers_(gathers), working_(static_cast<std::size_t>(job.threads)) {}

    /// Of the wave with one more group.
    double with(const GroupPlan& group) {
        working_.push(working_bytes(group, job_));
        // Neighbors are copied to where they belong once the wave is done.
        held_ += result_bytes_of(group, options_);
        if (gathers_) {
            held_ += static_cast<double>(group.rows) *
                     (static_cast<double>(group.dim * job_.element_bytes) + bytes_a_gathered_row);
        }
        return working_.sum() + held_ + (gathers_ ? 0.0 : 8.0 * static_cast<double>(job_.rows));
    }

private:
    const JobMemory& job_;
    const LinkOptions& options_;
    bool gathers_;
    double held_ = 0.0;
    LargestSum working_;
};

/// What links take at most once they are found: offsets, links, how many of each row are kept, and under some
/// modes a second copy.
double finish_bytes(double rows, double links, LinkMode mode) {
    const double found = 8.0 * rows + bytes_a_link * links;
    const double kept = 8.0 * rows;
    switch (mode) {
        case LinkMode::directed: return found + kept;
        case LinkMode::mutual: return found + kept + links;
        // Every link may have to be listed at its target as well.
        case LinkMode::symmetric: return found + kept + 16.0 * rows + 2.0 * bytes_a_link * links;
    }
    return found;
}

}  // namespace

Waves plan_waves(const Plan& plan, const JobMemory& job, const LinkOptions& options, std::int64_t budget) {
    const auto rows = static_cast<double>(job.rows);
    double links = 0.0;
    double widest = 0.0;
    for (const GroupPlan& group : plan.groups) {
        links += result_bytes_of(group, options) / bytes_a_link;
        widest = std::max(widest, static_cast<double>(group.dim));
    }
    const double base = static_cast<double>(job.held_bytes) + slack_bytes +
                        bytes_a_group * static_cast<double>(plan.groups.size());
    const double searching =
        base + 8.0 * rows + bytes_a_link * links +
        static_cast<double>(job.threads) * (worker_bytes + worker_bytes_a_component * widest);
    const double finishing = base + finish_bytes(rows, links, options.links) +
                             static_cast<double>(options.memory_afterwards_bytes);

    Waves waves;
    LargestSum working(static_cast<std::size_t>(job.threads));
    for (const GroupPlan& group : plan.groups) working.push(working_bytes(group, job));
    const double at_once =
        std::max(searching + static_cast<double>(job.file_bytes) + working.sum(), finishing);
    const bool gathers = job.file_bytes > 0;
    double largest = 0.0;
    for (std::size_t i = 0; i < plan.groups.size(); ++i) {
        const double alone = WaveMemory(job, options, gathers).with(plan.groups[i]);
        if (alone <= largest) continue;
        largest = alone;
        waves.costliest = i;
    }
    const double least = std::min(at_once, std::max(searching + largest, finishing));
    waves.least_bytes = to_bytes(std::ceil((least * 1.03 + 4 * mebibyte) / mebibyte) * mebibyte);
    if (at_once <= static_cast<double>(budget)) {
        waves.ends.push_back(plan.groups.size());
        waves.peak_bytes = to_bytes(at_once);
        return waves;
    }

    waves.gathers = gathers;
    const double room = static_cast<double>(budget) - searching;
    double peak = 0.0;
    for (std::size_t i = 0; i < plan.groups.size();) {
        WaveMemory wave(job, options, gathers);
        double bytes = wave.with(plan.groups[i++]);
        while (i < plan.groups.size()) {
            const double more = wave.with(plan.groups[i]);
            if (more > room) break;
            bytes = more;
            ++i;
        }
        peak = std::max(peak, bytes);
        waves.ends.push_back(i);
    }
    waves.peak_bytes = to_bytes(std::max(searching + peak, finishing));
    return waves;
}

}  // namespace grouplink
