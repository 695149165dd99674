#include "harness.hpp"

#include <sys/resource.h>

#include <atomic>
#include <exception>
#include <fstream>
#include <mutex>
#include <thread>

namespace bench {
namespace {

/// Of /proc/self/status, in bytes; 0 where there is none.
std::int64_t memory_field(const std::string& field) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;) {
        std::int64_t kibibytes = 0;
        if (word == field && file >> kibibytes) return kibibytes * 1024;
    }
    return 0;
}

}  // namespace

Machine this_machine() {
    Machine machine;
    machine.threads = static_cast<int>(std::thread::hardware_concurrency());
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("model name", 0) != 0) continue;
        const auto colon = line.find(": ");
        if (colon != std::string::npos) machine.cpu = line.substr(colon + 2);
        break;
    }
    return machine;
}

std::int64_t resident_memory() { return memory_field("VmRSS:"); }

std::int64_t peak_memory() { return memory_field("VmHWM:"); }

void forget_peak() { std::ofstream("/proc/self/clear_refs") << '5'; }

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void for_each(std::int64_t count, int threads, const std::function<void(std::int64_t)>& body) {
    std::atomic<std::int64_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    {
        std::vector<std::jthread> workers;
        workers.reserve(static_cast<std::size_t>(threads));
        for (int worker = 0; worker < threads; ++worker) {
            workers.emplace_back([&] {
                try {
                    for (std::int64_t i = next++; i < count; i = next++) body(i);
                } catch (...) {
                    next = count;
                    const std::lock_guard lock(failure_mutex);
                    failure = std::current_exception();
                }
            });
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace bench
