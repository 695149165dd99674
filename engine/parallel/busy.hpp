#pragma once

#include <grouplink/report.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace grouplink::parallel {

/// When one worker was busy: seconds in slices of time, whose width doubles whenever time outgrows them. So
/// it takes the same little memory for any number of spans over any time.
class BusyRecord {
public:
    /// Adds a span, in seconds since the work began. Spans do not overlap.
    void add(double begin, double end);

    double seconds() const { return seconds_; }

    /// The share that was busy of each of `count` equal slices of [0, total], where `total` is past all
    /// spans.
    std::vector<double> shares(std::size_t count, double total) const;

private:
    static constexpr std::size_t slices = 512;

    double width_ = 1e-6;
    double seconds_ = 0.0;
    std::array<double, slices> busy_{};
};

/// What is told of each worker, after `total` seconds.
std::vector<WorkerReport> reports_of(std::span<const BusyRecord> records, double total);

/// How busy workers were in a stretch of time.
struct TimedWorkers {
    std::vector<WorkerReport> workers;
    double seconds = 0.0;
};

/// How busy they were in all of these, one after another, of the same number of workers.
std::vector<WorkerReport> join_workers(std::span<const TimedWorkers> stretches);

}  // namespace grouplink::parallel
