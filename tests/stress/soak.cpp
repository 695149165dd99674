// Jobs of every kind in one process, one after another and some at once, for a given time: results are the
// same each time, and nothing that the process holds grows.
//
//     grouplink_soak SECONDS [--leak BYTES] [--log FILE.tsv]
//
// --leak loses so many bytes a job, to see that it is found. The log has what was held, a line a sample.
//
// The first third of the time warms up; then what is held is measured every few jobs, at rest. Growth is a
// trend of Theil and Sen above the allowed bytes a job that chance does not explain (Mann and Kendall, z
// above 3.3: one run in two thousand); of resident memory, which the allocator and the stacks of threads keep
// for a while, in the least of each twelfth of the time. Descriptors, threads and files may be no more than
// after the warm-up.

#include "gauge.hpp"
#include "jobs.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr double heap_a_job = 64;        // bytes
constexpr double resident_a_job = 1024;  // bytes
constexpr double beyond_chance = 3.3;
constexpr int jobs_a_sample = 24;
constexpr int fewest_samples = 12;

struct Arguments {
    double seconds = 60;
    std::size_t leak = 0;
    std::string log;
};

Arguments arguments_of(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        const bool has_value = i + 1 < argc;
        if (argument == "--leak" && has_value) {
            arguments.leak = std::strtoull(argv[++i], nullptr, 10);
        } else if (argument == "--log" && has_value) {
            arguments.log = argv[++i];
        } else {
            arguments.seconds = std::strtod(argument.c_str(), nullptr);
        }
    }
    return arguments;
}

bool is_flat(const char* what, const std::vector<double>& steps, const std::vector<double>& values,
             double allowed) {
    const stress::Trend trend = stress::trend_of(steps, values);
    const bool grows = trend.slope > allowed && trend.z > beyond_chance;
    fmt::print("{}: {:.0f} KiB first, {:.0f} KiB last, {:+.1f} bytes a job (z {:+.1f}; allowed {:.0f}){}\n",
               what, values.front() / 1024, values.back() / 1024, trend.slope, trend.z, allowed,
               grows ? ": GROWS" : "");
    return !grows;
}

bool is_steady(const char* what, std::int64_t before, std::int64_t after) {
    fmt::print("{}: {} first, {} last{}\n", what, before, after, after > before ? ": GROWS" : "");
    return after <= before;
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments = arguments_of(argc, argv);
    stress::Jobs jobs;
    const auto start = Clock::now();
    const auto seconds = [start] { return std::chrono::duration<double>(Clock::now() - start).count(); };
    std::vector<double> steps;
    std::vector<double> heap;
    std::vector<double> resident;
    for (std::vector<double>* const values : {&steps, &heap, &resident})
        values->reserve(1 << 16);  // it counts too
    stress::Held first;
    stress::Held last;
    std::ofstream log(arguments.log);
    // A slow machine takes longer rather than measure less; each job has to come again for a comparison.
    const auto warm = [&](double at) { return at >= arguments.seconds / 3 && jobs.rounds() >= 1; };
    while (seconds() < arguments.seconds || steps.size() < fewest_samples) {
        for (int i = 0; i < jobs_a_sample; ++i) {
            jobs.run_next();
            // On purpose: it is not freed.
            if (arguments.leak > 0 && !std::malloc(arguments.leak)) return 2;
        }
        const bool measured = warm(seconds());
        last = stress::held_now(jobs.folder());
        log << jobs.count() << '\t' << last.heap << '\t' << last.resident << '\t' << last.descriptors << '\t'
            << last.threads << '\t' << last.files << '\n';
        if (!measured) {
            first = last;
            continue;
        }
        steps.push_back(static_cast<double>(jobs.count()));
        heap.push_back(static_cast<double>(last.heap));
        resident.push_back(static_cast<double>(last.resident));
    }
    fmt::print("{} jobs in {:.0f} s, {} rounds of {}: {}\n", jobs.count(), seconds(), jobs.rounds(),
               jobs.distinct(), jobs.summary());
    bool good = is_flat("heap in use", steps, heap, heap_a_job);
    stress::keep_least(steps, resident, fewest_samples);
    good = is_flat("resident, at least", steps, resident, resident_a_job) && good;
    good = is_steady("descriptors", first.descriptors, last.descriptors) && good;
    good = is_steady("threads", first.threads, last.threads) && good;
    good = is_steady("files", first.files, last.files) && good;
    for (const std::string& fault : jobs.faults()) fmt::print("{}\n", fault);
    good = good && jobs.faults().empty();
    fmt::print("{}\n", good ? "flat" : "NOT flat, or not right");
    return good ? 0 : 1;
}
