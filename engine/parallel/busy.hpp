#pragma once

#include <array>
#include <cstddef>
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

}  // namespace grouplink::parallel
