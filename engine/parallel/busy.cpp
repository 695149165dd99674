#include "parallel/busy.hpp"

#include <algorithm>

namespace grouplink::parallel {

void BusyRecord::add(double begin, double end) {
    seconds_ += end - begin;
    while (end > width_ * static_cast<double>(slices)) {
        for (std::size_t s = 0; s < slices / 2; ++s) busy_[s] = busy_[2 * s] + busy_[2 * s + 1];
        std::fill(busy_.begin() + slices / 2, busy_.end(), 0.0);
        width_ *= 2.0;
    }
    for (auto s = static_cast<std::size_t>(begin / width_); s < slices; ++s) {
        const double first = static_cast<double>(s) * width_;
        if (first >= end) break;
        busy_[s] += std::max(0.0, std::min(end, first + width_) - std::max(begin, first));
    }
}

std::vector<double> BusyRecord::shares(std::size_t count, double total) const {
    std::vector<double> shares(count, 0.0);
    const double length = total / static_cast<double>(count);
    for (std::size_t s = 0; s < slices && length > 0.0; ++s) {
        const double first = static_cast<double>(s) * width_;
        const double last = std::min(first + width_, total);  // nothing was busy past the end
        if (first >= last) break;
        for (auto to = static_cast<std::size_t>(first / length); to < count; ++to) {
            const double begin = static_cast<double>(to) * length;
            if (begin >= last) break;
            const double shared = std::min(last, begin + length) - std::max(first, begin);
            shares[to] += busy_[s] * std::max(0.0, shared) / (last - first) / length;
        }
    }
    for (double& share : shares) share = std::min(share, 1.0);
    return shares;
}

std::vector<WorkerReport> join_workers(std::span<const TimedWorkers> stretches) {
    std::vector<BusyRecord> records(stretches.empty() ? 0 : stretches.front().workers.size());
    double begin = 0.0;
    for (const TimedWorkers& stretch : stretches) {
        for (std::size_t w = 0; w < records.size(); ++w) {
            const std::vector<double>& trace = stretch.workers[w].trace;
            const double length = stretch.seconds / static_cast<double>(trace.size());
            for (std::size_t s = 0; s < trace.size(); ++s) {
                const double first = begin + static_cast<double>(s) * length;
                records[w].add(first, first + trace[s] * length);
            }
        }
        begin += stretch.seconds;
    }
    return reports_of(records, begin);
}

std::vector<WorkerReport> reports_of(std::span<const BusyRecord> records, double total) {
    std::vector<WorkerReport> reports;
    reports.reserve(records.size());
    for (const BusyRecord& busy : records) {
        reports.push_back({.busy_seconds = busy.seconds(),
                           .busy = total > 0.0 ? std::min(1.0, busy.seconds() / total) : 0.0,
                           .trace = busy.shares(trace_slices, total)});
    }
    return reports;
}

}  // namespace grouplink::parallel
