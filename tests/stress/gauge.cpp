#include "gauge.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace stress {
namespace {

std::int64_t entries_of(const std::string& folder) {
    return std::distance(std::filesystem::directory_iterator(folder), {});
}

}  // namespace

Held held_now(const std::string& folder) {
    // Which pages of freed memory the allocator keeps is its own affair, and changes by megabytes from job to
    // job.
    ::malloc_trim(0);
    Held held;
    held.descriptors = entries_of("/proc/self/fd") - 1;  // but for the one that looks
    held.threads = entries_of("/proc/self/task");
    held.files = entries_of(folder);
    const struct mallinfo2 heap = ::mallinfo2();
    held.heap = static_cast<std::int64_t>(heap.uordblks + heap.hblkhd);
    std::ifstream statm("/proc/self/statm");
    std::int64_t size = 0;
    std::int64_t resident = 0;
    std::int64_t shared = 0;  // pages of files, which come and go with what else the machine reads
    statm >> size >> resident >> shared;
    held.resident = (resident - shared) * ::sysconf(_SC_PAGESIZE);
    return held;
}

void keep_least(std::vector<double>& steps, std::vector<double>& values, std::size_t blocks) {
    std::vector<double> at;
    std::vector<double> least;
    for (std::size_t b = 0; b < blocks; ++b) {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(values.size() * b / blocks);
        const auto last = values.begin() + static_cast<std::ptrdiff_t>(values.size() * (b + 1) / blocks);
        if (first == last) continue;
        const auto place = std::min_element(first, last);
        at.push_back(steps[static_cast<std::size_t>(place - values.begin())]);
        least.push_back(*place);
    }
    steps = std::move(at);
    values = std::move(least);
}

Trend trend_of(const std::vector<double>& steps, const std::vector<double>& values) {
    std::vector<double> slopes;
    double rises = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = i + 1; j < values.size(); ++j) {
            slopes.push_back((values[j] - values[i]) / (steps[j] - steps[i]));
            rises += values[j] > values[i] ? 1 : values[j] < values[i] ? -1 : 0;
        }
    }
    if (slopes.empty()) return {};
    const auto middle = slopes.begin() + std::ssize(slopes) / 2;
    std::nth_element(slopes.begin(), middle, slopes.end());
    const auto n = static_cast<double>(values.size());
    return {.slope = *middle, .z = rises / std::sqrt(n * (n - 1) * (2 * n + 5) / 18)};
}

}  // namespace stress
