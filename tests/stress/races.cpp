// What runs on several threads, all of it at once, for the thread sanitizer to watch; what comes out is
// checked as well, so that the program is of use without one:
//
//     grouplink_races ROUNDS [SEED]

#include "parallel/workers.hpp"
#include "support/oracle.hpp"

#include <grouplink/io.hpp>
#include <grouplink/part.hpp>
#include <grouplink/verify.hpp>

#include <fmt/format.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace grouplink;

namespace {

using Random = std::mt19937_64;

std::atomic<int> faults{0};

void expect(bool holds, const std::string& what) {
    if (holds) return;
    ++faults;
    std::printf("races: %s\n", what.c_str());
}

std::int64_t between(Random& random, std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(last - first + 1));
}

bool same(const CsrGraph& a, const CsrGraph& b) {
    return a.offsets == b.offsets && a.targets == b.targets && a.weights == b.weights;
}

/// Rows that all jobs read at the same time.
struct Input {
    oracle::Rows rows;
    GroupColumn groups;
    std::unique_ptr<oracle::Packed> packed;

    Input(std::int64_t count, std::int64_t dim, std::int64_t group_count, ElementType type, Random& random)
        : rows(oracle::clustered_rows(count, dim, 12, 0.4, random)) {
        for (std::size_t row = 0; row + 1 < rows.values.size(); row += 7)
            rows.values[row] = rows.values[row / 2];
        for (std::int64_t g = 0; g < group_count; ++g) groups.keys.push_back(fmt::format("g{}", g));
        for (std::int64_t row = 0; row < count; ++row) {
            groups.codes.push_back(static_cast<std::int32_t>(
                std::min(between(random, 0, group_count - 1), between(random, 0, group_count - 1))));
        }
        packed = std::make_unique<oracle::Packed>(rows, type);
    }
    const MatrixView& view() const { return packed->view(); }
};

LinkOptions some_options(Random& random) {
    LinkOptions options{.n_nearest = between(random, 1, 12), .similarity_min = -1e300};
    options.metric = static_cast<Metric>(between(random, 0, 4));
    options.index = static_cast<IndexKind>(between(random, 0, 4));
    options.links = static_cast<LinkMode>(between(random, 0, 2));
    options.quantile_scope = static_cast<QuantileScope>(between(random, 0, 1));
    options.similarity_min_q = between(random, 0, 1) == 0 ? 0.0 : 0.3;
    options.on_bad_row = BadRowPolicy::drop;
    const bool any_metric = options.index == IndexKind::automatic || options.index == IndexKind::flat;
    if (!any_metric && (options.metric == Metric::manhattan || options.metric == Metric::hamming)) {
        options.metric = Metric::angular;
    }
    return options;
}

/// A job on 1 to 5 threads against the same on one; progress is told by one call at a time, so that a plain
/// variable is enough to take it.
void run_job(const Input& input, Random& random) {
    LinkOptions options = some_options(random);
    options.threads = 1;
    const LinkResult alone = build_links(input.view(), input.groups, options);
    options.threads = static_cast<int>(between(random, 2, 5));
    std::string last_stage;
    std::int64_t calls = 0;
    JobControl control;
    control.on_progress = [&](const Progress& progress) {
        last_stage = progress.stage;
        ++calls;
    };
    const LinkResult result = build_links(input.view(), input.groups, options, control);
    expect(same(alone.graph, result.graph),
           fmt::format("{} {} on {} threads is not what it is on one", name(options.index),
                       name(options.metric), options.threads));
    const VerifyOptions verify{.links = options, .cut = result.report.cut, .sample = 40};
    if (options.quantile_scope == QuantileScope::all || options.similarity_min_q == 0.0) {
        expect(verify_links(input.view(), input.groups, result.graph, verify).ok(), "links do not verify");
    }
}

/// Shares that run at the same time, merged.
void run_shares(const Input& input, Random& random) {
    LinkOptions options = some_options(random);
    options.threads = 2;
    const std::int64_t count = between(random, 2, 4);
    std::vector<LinkPart> parts(static_cast<std::size_t>(count));
    {
        std::vector<std::jthread> threads;
        for (std::int64_t index = 1; index <= count; ++index) {
            threads.emplace_back([&, index] {
                parts[static_cast<std::size_t>(index) - 1] =
                    link_part(input.view(), input.groups, {.index = index, .count = count}, options);
            });
        }
    }
    const LinkResult merged = merge_parts(parts, 3);
    expect(same(merged.graph, build_links(input.view(), input.groups, options).graph),
           fmt::format("{} shares of {} {} do not merge to the whole", count, name(options.index),
                       name(options.metric)));
}

/// A stop that comes when it likes.
void run_cancelled(const Input& input, Random& random) {
    LinkOptions options = some_options(random);
    options.threads = static_cast<int>(between(random, 1, 5));
    std::stop_source source;
    const auto wait = std::chrono::microseconds(between(random, 0, 30'000));
    const std::jthread stopper([&source, wait] {
        std::this_thread::sleep_for(wait);
        source.request_stop();
    });
    try {
        (void)build_links(input.view(), input.groups, options,
                          {.on_progress = {}, .stop = source.get_token()});
    } catch (const Error& error) {
        expect(error.code() == ErrorCode::cancelled, error.what());
    }
}

/// A callback that throws: its exception comes out of the job, from whichever thread called.
void run_throwing(const Input& input, Random& random) {
    LinkOptions options = some_options(random);
    options.threads = static_cast<int>(between(random, 2, 5));
    std::int64_t left = between(random, 0, 3);
    JobControl control;
    control.on_progress = [&](const Progress&) {
        if (left-- == 0) throw std::runtime_error("thrown by the callback");
    };
    try {
        (void)build_links(input.view(), input.groups, options, control);
    } catch (const std::runtime_error& error) {
        expect(std::string(error.what()) == "thrown by the callback", error.what());
    }
}

/// Works of many units and stages, some of which throw or are stopped.
void run_scheduler(const Input&, Random& random) {
    const int threads = static_cast<int>(between(random, 1, 8));
    const std::int64_t failing = between(random, 0, 2000);
    std::stop_source source;
    std::atomic<std::int64_t> ran{0};
    // Each worker has a place of its own, and each unit of a stage one that the next stage reads.
    std::vector<std::int64_t> by_worker(static_cast<std::size_t>(threads), 0);
    std::vector<std::vector<std::int64_t>> units(20, std::vector<std::int64_t>(32, 0));
    std::vector<parallel::Work> works;
    for (std::size_t w = 0; w < units.size(); ++w) {
        parallel::Work work;
        for (std::int64_t s = 0; s < 4; ++s) {
            parallel::Stage stage;
            stage.begin = [&units, w, s](int) {
                for (const std::int64_t unit : units[w]) {
                    if (unit != s) throw std::logic_error("a stage began before the one before had ended");
                }
                return std::ssize(units[w]);
            };
            stage.run = [&, w](std::int64_t unit, int worker) {
                ++by_worker[static_cast<std::size_t>(worker)];
                ++units[w][static_cast<std::size_t>(unit)];
                const std::int64_t so_far = ++ran;
                if (so_far == failing) throw std::runtime_error("a unit that fails");
                if (so_far == 2 * failing) source.request_stop();
            };
            work.stages.push_back(std::move(stage));
        }
        works.push_back(std::move(work));
    }
    try {
        const auto workers = parallel::run_all(std::move(works), threads,
                                               {.on_progress = {}, .stop = source.get_token()}, "test");
        expect(workers.size() == static_cast<std::size_t>(threads), "not a report for each worker");
        expect(ran == 20 * 32 * 4, "not all units ran");
    } catch (const std::logic_error& error) {
        expect(false, error.what());
    } catch (const std::runtime_error&) {
        // The unit that fails, or the stop.
    }
}

/// Files of each kind, written and read by several jobs at once, each its own.
void run_files(const Input& input, Random& random) {
    static std::atomic<int> number{0};
    const std::string folder =
        (std::filesystem::temp_directory_path() / fmt::format("grouplink-races-{}-{}", ::getpid(), number++))
            .string();
    std::filesystem::create_directories(folder);
    const Table table(nullptr, input.view(), input.groups, {});
    LinkOptions options = some_options(random);
    options.threads = 2;
    const LinkResult result = build_links(input.view(), input.groups, options);
    for (const char* const links : {"links.npz", "links.tsv", "links.jsonl", "links.db"}) {
        const std::string path = folder + '/' + links;
        write_links({.path = path}, {}, table, result);
        expect(same(read_links(path, table).graph, result.graph), fmt::format("{} is read otherwise", links));
    }
    std::filesystem::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
    const long rounds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 4;
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    using Task = void (*)(const Input&, Random&);
    constexpr Task tasks[]{run_job, run_shares, run_cancelled, run_throwing, run_scheduler, run_files};
    for (long round = 0; round < rounds; ++round) {
        Random random(seed + static_cast<std::uint64_t>(round));
        const auto type = static_cast<ElementType>(between(random, 0, 3));
        const Input input(between(random, 200, 1500), between(random, 2, 48), between(random, 1, 9), type,
                          random);
        std::vector<std::jthread> threads;
        for (const Task task : tasks) {
            threads.emplace_back([&input, task, own = random()] {
                Random own_random(own);
                try {
                    for (int i = 0; i < 3; ++i) task(input, own_random);
                } catch (const std::exception& exception) {
                    expect(false, std::string("threw: ") + exception.what());
                }
            });
        }
    }
    std::printf("%ld rounds, %d faults\n", rounds, faults.load());
    return faults == 0 ? 0 : 1;
}
