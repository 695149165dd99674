#include "parallel/blocks.hpp"
#include "parallel/busy.hpp"
#include "parallel/workers.hpp"

#include <grouplink/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

using namespace grouplink;
using parallel::Stage;
using parallel::Work;

TEST_CASE("block pairs: each unordered pair once, neighbours in the order disjoint") {
    for (std::int64_t blocks = 1; blocks < 20; ++blocks) {
        const parallel::BlockPairs pairs(blocks);
        std::set<std::pair<std::int64_t, std::int64_t>> seen;
        for (std::int64_t unit = 0; unit < pairs.count(); ++unit) {
            const auto pair = pairs.at(unit);
            REQUIRE(pair);
            const auto [a, b, shift] = *pair;
            CHECK(shift == unit / blocks);
            CHECK(a <= b);
            CHECK(a >= 0);
            CHECK(b < blocks);
            CHECK(seen.emplace(a, b).second);
        }
        CHECK(static_cast<std::int64_t>(seen.size()) == blocks * (blocks + 1) / 2);
    }
}

TEST_CASE("block pairs of some blocks: each pair that one of them is in, once") {
    for (std::int64_t blocks = 1; blocks < 9; ++blocks) {
        for (std::uint32_t mask = 0; mask < 1U << blocks; ++mask) {
            std::vector<std::int64_t> some;
            const auto is_some = [mask](std::int64_t block) { return (mask >> block & 1U) != 0; };
            for (std::int64_t block = 0; block < blocks; ++block) {
                if (is_some(block)) some.push_back(block);
            }
            const parallel::BlockPairs pairs(blocks, some);
            std::set<std::pair<std::int64_t, std::int64_t>> seen;
            for (std::int64_t unit = 0; unit < pairs.count(); ++unit) {
                const auto pair = pairs.at(unit);
                if (!pair) continue;
                CHECK((is_some(pair->a) || is_some(pair->b)));
                CHECK(pair->a <= pair->b);
                CHECK(seen.emplace(pair->a, pair->b).second);
            }
            std::size_t expected = 0;
            for (std::int64_t a = 0; a < blocks; ++a) {
                for (std::int64_t b = a; b < blocks; ++b) expected += is_some(a) || is_some(b);
            }
            CHECK(seen.size() == expected);
        }
    }
}

TEST_CASE("every unit of every stage runs once, stages in order, on known workers") {
    for (const int threads : {1, 2, 5}) {
        constexpr int works = 40;
        std::vector<std::atomic<int>> counts(works);
        std::vector<std::atomic<int>> begun(works);
        std::atomic<int> wrong{0};
        std::vector<Work> list;
        for (int w = 0; w < works; ++w) {
            Work work;
            for (int s = 0; s < 4; ++s) {
                Stage stage;
                stage.begin = [&, w, s](int worker) {
                    wrong += worker < 0 || worker >= threads;
                    // All units of the stages before have run: 0, 7, 14, ... of them.
                    wrong += counts[static_cast<std::size_t>(w)] != 7 * (s * (s - 1) / 2);
                    ++begun[static_cast<std::size_t>(w)];
                    return std::int64_t{7} * s;
                };
                stage.run = [&, w](std::int64_t, int worker) {
                    wrong += worker < 0 || worker >= threads;
                    ++counts[static_cast<std::size_t>(w)];
                };
                work.stages.push_back(stage);
            }
            list.push_back(work);
        }
        list.push_back({});  // a work of no stages is no work
        const auto workers = parallel::run_all(std::move(list), threads, {}, "test");
        CHECK(workers.size() == static_cast<std::size_t>(threads));
        CHECK(wrong == 0);
        for (const auto& count : counts) CHECK(count == 42);
        for (const auto& count : begun) CHECK(count == 4);
    }
}

TEST_CASE("no thread is started that could have no unit") {
    // As many threads as the process has besides, at any time.
    const auto threads_now = [] {
        std::ifstream status("/proc/self/status");
        for (std::string word; status >> word;) {
            int threads = 0;
            if (word == "Threads:" && status >> threads) return threads;
        }
        return 0;
    };
    const int before = threads_now();
    for (const int blocks : {0, 1, 3, 20}) {
        std::atomic<int> most{0};
        parallel::for_blocks(blocks, 1, 5, {}, "test", [&](std::int64_t, std::int64_t, int) {
            int seen = most;
            const int now = threads_now() - before;
            while (now > seen && !most.compare_exchange_weak(seen, now)) {
            }
        });
        CHECK(most <= std::max(0, std::min(blocks, 5) - 1));
    }
    std::atomic<int> wrong{0};
    std::vector<Work> two(2);
    for (Work& work : two) {
        work.most_units = 1;
        work.stages.push_back({.begin = [](int) { return std::int64_t{1}; },
                               .run = [&](std::int64_t, int) { wrong += threads_now() - before > 1; }});
    }
    CHECK(parallel::run_all(std::move(two), 4, {}, "test").size() == 4);
    CHECK(wrong == 0);
}

TEST_CASE("the busy seconds of a worker, by slices of time") {
    SUBCASE("none") {
        const parallel::BusyRecord record;
        CHECK(record.seconds() == 0.0);
        CHECK(record.shares(4, 1.0) == std::vector<double>(4, 0.0));
        CHECK(record.shares(4, 0.0) == std::vector<double>(4, 0.0));
    }
    SUBCASE("all the time, however long") {
        for (const double total : {1e-7, 1e-3, 0.7, 12345.6}) {
            parallel::BusyRecord record;
            for (int i = 0; i < 1000; ++i) record.add(total * i / 1000.0, total * (i + 1) / 1000.0);
            CHECK(record.seconds() == doctest::Approx(total));
            for (const double share : record.shares(50, total)) CHECK(share == doctest::Approx(1.0));
        }
    }
    SUBCASE("half the time, then none") {
        parallel::BusyRecord record;
        for (int i = 0; i < 4000; ++i) record.add(i * 1e-3, i * 1e-3 + 5e-4);
        const auto shares = record.shares(8, 8.0);
        for (std::size_t s = 0; s < 4; ++s) CHECK(shares[s] == doctest::Approx(0.5).epsilon(0.02));
        for (std::size_t s = 5; s < 8; ++s) CHECK(shares[s] == 0.0);
    }
    SUBCASE("spans of any length add up, and no slice holds more than there is") {
        std::mt19937_64 random(5);
        std::exponential_distribution<double> any(1.0);
        parallel::BusyRecord record;
        double now = 0.0;
        double busy = 0.0;
        for (int i = 0; i < 5000; ++i) {
            const double scale = i % 100 == 0 ? 1.0 : 1e-4;
            const double begin = now + any(random) * scale;
            now = begin + any(random) * scale;
            busy += now - begin;
            record.add(begin, now);
        }
        const auto shares = record.shares(50, now);
        double sum = 0.0;
        for (const double share : shares) {
            CHECK(share >= 0.0);
            CHECK(share <= 1.0);
            sum += share * now / 50.0;
        }
        CHECK(record.seconds() == doctest::Approx(busy));
        CHECK(sum == doctest::Approx(busy));
    }
}

TEST_CASE("what each worker did is told: seconds, their share, and when") {
    std::vector<Work> works(1);
    works[0].stages.push_back(parallel::block_stage(20, 1, [](std::int64_t, std::int64_t, int) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }));
    const auto workers = parallel::run_all(std::move(works), 1, {}, "test");
    REQUIRE(workers.size() == 1);
    CHECK(workers[0].busy_seconds >= 0.04);
    CHECK(workers[0].busy > 0.0);
    CHECK(workers[0].busy <= 1.0);
    REQUIRE(workers[0].trace.size() == trace_slices);
    const double mean = std::accumulate(workers[0].trace.begin(), workers[0].trace.end(), 0.0) / trace_slices;
    CHECK(mean == doctest::Approx(workers[0].busy).epsilon(0.01));
}

TEST_CASE("for_blocks covers the range") {
    for (const std::int64_t count : {0, 1, 99, 100, 101, 1234}) {
        std::vector<std::atomic<int>> touched(static_cast<std::size_t>(count));
        parallel::for_blocks(count, 100, 3, {}, "test", [&](std::int64_t first, std::int64_t last, int) {
            CHECK(last - first <= 100);
            for (std::int64_t i = first; i < last; ++i) ++touched[static_cast<std::size_t>(i)];
        });
        for (const auto& times : touched) CHECK(times == 1);
    }
}

TEST_CASE("an exception from begin or run stops the others and comes out") {
    for (const bool from_begin : {true, false}) {
        std::atomic<int> ran{0};
        std::vector<Work> works(3);
        for (Work& work : works) {
            Stage stage;
            stage.begin = [&](int) -> std::int64_t {
                if (from_begin) throw std::runtime_error("from begin");
                return 100000;
            };
            stage.run = [&](std::int64_t unit, int) {
                ++ran;
                if (unit == 3) throw std::runtime_error("from run");
            };
            work.stages.push_back(stage);
        }
        CHECK_THROWS_WITH_AS(parallel::run_all(works, 4, {}, "test"), from_begin ? "from begin" : "from run",
                             std::runtime_error);
        CHECK(ran < 100000);
    }
}

TEST_CASE("a stop is seen between units, by workers that wait too") {
    std::stop_source source;
    const JobControl control{.on_progress = {}, .stop = source.get_token()};
    std::atomic<int> ran{0};
    CHECK_THROWS_AS(parallel::for_blocks(1000000, 1, 4, control, "test",
                                         [&](std::int64_t, std::int64_t, int) {
                                             if (++ran == 10) source.request_stop();
                                         }),
                    Error);
    CHECK(ran < 1000000);
}

TEST_CASE("a unit that is last of its work lets the others wait for what follows") {
    // One work whose first stage has a single slow unit: the other workers must wait for the second.
    std::atomic<int> ran{0};
    Stage slow;
    slow.begin = [](int) { return std::int64_t{1}; };
    slow.run = [](std::int64_t, int) { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
    Stage wide;
    wide.begin = [](int) { return std::int64_t{64}; };
    wide.run = [&](std::int64_t, int) { ++ran; };
    std::vector<Work> works(1);
    works[0].stages = {slow, wide};
    parallel::run_all(works, 6, {}, "test");
    CHECK(ran == 64);
}

TEST_CASE("progress grows and stays in range") {
    double last = 0.0;
    JobControl control;
    control.on_progress = [&](const Progress& progress) {
        CHECK(progress.stage == "test");
        CHECK(progress.done >= last);
        CHECK(progress.done <= 1.0);
        last = progress.done;
    };
    parallel::for_blocks(60, 1, 2, control, "test", [](std::int64_t, std::int64_t, int) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    });
    CHECK(last > 0.0);
}

TEST_CASE("a stage with nothing to do counts as done") {
    std::vector<double> seen;
    JobControl control;
    control.on_progress = [&](const Progress& progress) { seen.push_back(progress.done); };
    const auto wait = [] { std::this_thread::sleep_for(std::chrono::milliseconds(120)); };
    std::vector<parallel::Work> works(1);
    works.front().stages.push_back(parallel::block_stage(
        1, 1, [&](std::int64_t, std::int64_t, int) { wait(); }, 0.5));
    works.front().stages.push_back(
        {.begin = [&](int) { return wait(), std::int64_t{0}; }, .run = {}, .share = 0.5});
    parallel::run_all(std::move(works), 1, control, "test");
    CHECK(seen == std::vector<double>{0.5, 1.0});
}

TEST_CASE("threads: as asked, or what the process may run") {
    CHECK(parallel::resolve_threads(7) == 7);
    CHECK(parallel::resolve_threads(0) >= 1);
    CHECK(parallel::resolve_threads(0) <=
          static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}
