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

}  // namespace grouplink::parallel
