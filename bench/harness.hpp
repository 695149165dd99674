#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

class Stopwatch {
public:
    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// 0 for none.
inline double median(std::vector<double> values) {
    if (values.empty()) return 0.0;
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2.0;
}

/// Calls every method in turn, `runs` times over: a machine that slows down midway slows all of them.
inline void alternate(int runs, const std::vector<std::function<void()>>& methods) {
    for (int run = 0; run < runs; ++run)
        for (const auto& method : methods) method();
}

struct Machine {
    std::string cpu;  ///< the model's name
    int threads = 0;  ///< that the hardware runs at once
};

Machine this_machine();

/// Resident memory of the process, in bytes: now, and the highest since it began or forget_peak.
std::int64_t resident_memory();
std::int64_t peak_memory();
/// Where the system does not allow it, the peak stays that of the whole process.
void forget_peak();

/// Processor time of all threads of the process so far, the system's share included.
double cpu_seconds();

/// Calls body(i) for each i in [0, count), in order of i, on `threads` threads. What a body throws is
/// rethrown when all have ended.
void for_each(std::int64_t count, int threads, const std::function<void(std::int64_t)>& body);

}  // namespace bench
