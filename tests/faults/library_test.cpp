// The library under faults: allocations that fail, callbacks that throw, jobs that are stopped, and processes
// that fork. Of each: what comes out is an exception or the whole result, and nothing of memory is left
// behind.
//
// GROUPLINK_EVERY_ALLOCATION, where set, has every allocation of every job fail once, which takes long.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN

#include <grouplink/link.hpp>
#include <grouplink/part.hpp>
#include <grouplink/report_page.hpp>
#include <grouplink/verify.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace grouplink;

namespace {

std::atomic<std::int64_t> allocations{0};
std::atomic<std::int64_t> in_use{0};
std::atomic<std::int64_t> fails_at{0};  ///< the number of the allocation that fails; 0: none
std::atomic<std::size_t> spared{0};     ///< allocations of this size never fail

void* allocate(std::size_t size, std::size_t alignment) {
    if (allocations.fetch_add(1) + 1 == fails_at.load() && size != spared.load()) throw std::bad_alloc();
    size = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
    void* const memory =
        alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, size) : std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc();
    in_use.fetch_add(1);
    return memory;
}

void release(void* memory) {
    if (memory == nullptr) return;
    in_use.fetch_sub(1);
    std::free(memory);
}

}  // namespace

// All other forms come to these.
void* operator new(std::size_t size) { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
// A sanitizer's own would not go by the one above.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return allocate(size, 1);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace {

struct Rows {
    std::vector<float> values;
    MatrixView view;
    GroupColumn groups;

    Rows(std::int64_t rows, std::int64_t dim, std::int32_t group_count) {
        std::mt19937_64 random(5);
        std::normal_distribution<float> normal;
        values.resize(static_cast<std::size_t>(rows * dim));
        for (float& value : values) value = normal(random);
        view.values = values.data();
        view.type = ElementType::float32;
        view.rows = rows;
        view.dim = dim;
        for (std::int64_t row = 0; row < rows; ++row)
            groups.codes.push_back(static_cast<std::int32_t>(row % group_count));
        for (std::int32_t g = 0; g < group_count; ++g) groups.keys.push_back("group " + std::to_string(g));
    }
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
};

LinkOptions options_of(IndexKind index, int threads) {
    LinkOptions options;
    options.index = index;
    options.threads = threads;
    options.n_nearest = 5;
    return options;
}

bool same(const CsrGraph& a, const CsrGraph& b) {
    return a.offsets == b.offsets && a.targets == b.targets && a.weights == b.weights;
}

constexpr IndexKind all_indexes[] = {IndexKind::automatic, IndexKind::flat, IndexKind::ivf, IndexKind::hnsw,
                                     IndexKind::partition};

/// Up to `most` of 1 to `count`, the first and the last ones among them.
std::vector<std::int64_t> places(std::int64_t count, std::int64_t most) {
    std::vector<std::int64_t> places;
    if (std::getenv("GROUPLINK_EVERY_ALLOCATION") != nullptr) most = count;  // NOLINT(concurrency-mt-unsafe)
    const std::int64_t near = most / 3;
    for (std::int64_t n = 1; n <= count; ++n) {
        const bool at_end = n <= near || n > count - near;
        if (count <= most || at_end || n % (count / std::max<std::int64_t>(near, 1) + 1) == 0)
            places.push_back(n);
    }
    return places;
}

/// `job` says whether it gave the right result. Some more allocations than were counted are tried, as with
/// several threads their number differs from run to run.
void fail_allocations(const std::string& name, const std::function<bool()>& job, std::int64_t most) {
    CAPTURE(name);
    REQUIRE(job());  // what is made once and kept, such as locales, is there from here on
    const std::int64_t first = allocations.load();
    REQUIRE(job());
    const std::int64_t count = allocations.load() - first;
    std::int64_t failed = 0;
    for (const std::int64_t place : places(count, most)) {
        CAPTURE(place);
        const std::int64_t before = in_use.load();
        bool right = true;
        fails_at.store(allocations.load() + place);
        try {
            right = job();
        } catch (const std::bad_alloc&) {
            ++failed;
        } catch (const Error& error) {
            // A thread that cannot be started.
            CHECK(error.code() == ErrorCode::internal);
            ++failed;
        }
        fails_at.store(0);
        CHECK(right);
        CHECK(in_use.load() == before);
    }
    CHECK(failed > 0);
    MESSAGE(name << ": " << count << " allocations, " << failed << " of those that failed were told");
}

}  // namespace

TEST_CASE("an allocation that fails ends a job with an exception, and leaves nothing") {
    // FAISS allocates a row in a parallel region as it trains lists, and no exception can leave that. No
    // other allocation is of that size.
    constexpr std::int64_t dim = 13;
    spared.store(dim * sizeof(float));
    for (const int threads : {1, 3}) {
        for (const IndexKind index : all_indexes) {
            const Rows rows(2600, dim, 2);
            const LinkOptions options = options_of(index, threads);
            const LinkResult made = build_links(rows.view, rows.groups, options);
            if (index != IndexKind::automatic) REQUIRE(made.report.groups.front().index == index);
            const CsrGraph& wanted = made.graph;
            fail_allocations(
                std::string(name(index)) + (threads > 1 ? ", threads" : ""),
                [&] { return same(build_links(rows.view, rows.groups, options).graph, wanted); }, 150);
        }
    }
    spared.store(0);
}

TEST_CASE("other metrics, modes and scopes") {
    const Rows rows(300, 8, 20);
    for (const Metric metric : {Metric::euclidean, Metric::manhattan, Metric::hamming, Metric::dot}) {
        LinkOptions options = options_of(IndexKind::automatic, 2);
        options.metric = metric;
        options.links = metric == Metric::manhattan ? LinkMode::mutual : LinkMode::symmetric;
        options.similarity_min_q = 0.25;
        options.quantile_scope = QuantileScope::group;
        const CsrGraph wanted = build_links(rows.view, rows.groups, options).graph;
        fail_allocations(
            std::string(name(metric)),
            [&] { return same(build_links(rows.view, rows.groups, options).graph, wanted); }, 100);
    }
}

TEST_CASE("shares, merging, verifying, plans and pages") {
    const Rows rows(300, 8, 7);
    const LinkOptions options = options_of(IndexKind::automatic, 2);
    const LinkResult wanted = build_links(rows.view, rows.groups, options);
    fail_allocations(
        "shares",
        [&] {
            std::vector<LinkPart> parts;
            for (std::int64_t i = 1; i <= 2; ++i)
                parts.push_back(link_part(rows.view, rows.groups, {i, 2}, options));
            return same(merge_parts(parts, 2).graph, wanted.graph);
        },
        150);
    VerifyOptions verify;
    verify.links = options;
    fail_allocations(
        "verify", [&] { return verify_links(rows.view, rows.groups, wanted.graph, verify).ok(); }, 150);
    fail_allocations(
        "plan", [&] { return plan_links(rows.view, rows.groups, options).groups.size() == 7; }, 150);
    // Not reports as JSON, nor files, which have a record in it: see tests/README.md.
    const LinkSample sample = sample_links(wanted.graph, rows.groups);
    const std::string page = to_html(wanted.report, sample, rows.groups, {});
    fail_allocations(
        "page",
        [&] {
            return to_html(wanted.report, sample_links(wanted.graph, rows.groups), rows.groups, {}) == page;
        },
        150);
}

TEST_CASE("what a callback throws comes out, at whatever point of the job") {
    struct Mine : std::runtime_error {
        using std::runtime_error::runtime_error;
    };
    const Rows rows(20000, 16, 3);
    for (const IndexKind index : all_indexes) {
        const LinkOptions options = options_of(index, 3);
        const std::int64_t before = in_use.load();
        std::int64_t calls = 0;
        JobControl control;
        control.on_progress = [&](const Progress&) { ++calls; };
        build_links(rows.view, rows.groups, options, control);
        REQUIRE(calls > 0);
        for (std::int64_t at = 1; at <= calls; at += std::max<std::int64_t>(1, calls / 6)) {
            std::int64_t call = 0;
            JobControl throwing;
            throwing.on_progress = [&](const Progress&) {
                if (++call == at) throw Mine("mine");
            };
            try {
                build_links(rows.view, rows.groups, options, throwing);
                CHECK(call < at);  // it went faster, and was asked less
            } catch (const Mine& mine) {
                CHECK(std::string(mine.what()) == "mine");
            }
        }
        control = {};
        CHECK(in_use.load() == before);
    }
}

TEST_CASE("a stop at any moment ends a job soon, and leaves nothing") {
    const Rows rows(20000, 16, 3);
    std::mt19937_64 random(11);
    for (const IndexKind index : all_indexes) {
        for (int i = 0; i < 6; ++i) {
            const std::int64_t before = in_use.load();
            {
                std::stop_source source;
                JobControl control;
                control.stop = source.get_token();
                std::jthread stopper([&] {
                    std::this_thread::sleep_for(std::chrono::microseconds(random() % 300'000));
                    source.request_stop();
                });
                try {
                    build_links(rows.view, rows.groups, options_of(index, 3), control);
                } catch (const Error& error) {
                    CHECK(error.code() == ErrorCode::cancelled);
                }
            }
            CHECK(in_use.load() == before);
        }
    }
}

namespace {

/// The exit code of a child that does `work`, which has half a minute; the negative number of the signal that
/// it dies of otherwise (-14, the alarm: it hangs).
template <typename Work>
int in_child(Work work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(30);
        int code = 3;
        try {
            code = work() ? 0 : 1;
        } catch (...) {
            code = 2;
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::ptrdiff_t threads_of_process() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

/// What each of all_indexes links of `rows`.
std::vector<CsrGraph> link_with_all(const Rows& rows) {
    std::vector<CsrGraph> graphs;
    for (const IndexKind index : all_indexes) {
        graphs.push_back(build_links(rows.view, rows.groups, options_of(index, 4)).graph);
    }
    return graphs;
}

}  // namespace

TEST_CASE("a child can link after its parent has") {
    const Rows rows(3000, 16, 2);
    const std::vector<CsrGraph> wanted = link_with_all(rows);
    const auto all_the_same = [&] { return std::ranges::equal(link_with_all(rows), wanted, same); };
    CHECK(in_child(all_the_same) == 0);
    CHECK(in_child([&] { return in_child(all_the_same) == 0; }) == 0);
    // Nor is there a thread left that a fork would lose.
    CHECK(threads_of_process() <= 1 + static_cast<std::ptrdiff_t>(std::thread::hardware_concurrency()));
}

// The sanitizer's allocator has locks that it does not take for a fork (GCC 12): a child of a process in
// which another thread allocates waits for ever in its first malloc(), whatever it does.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("a child can link while its parent does") {
    const Rows rows(3000, 16, 2);
    const std::vector<CsrGraph> wanted = link_with_all(rows);
    for (const IndexKind index : all_indexes) {
        std::atomic<bool> enough{false};
        std::jthread linking([&] {
            while (!enough) build_links(rows.view, rows.groups, options_of(index, 2));
        });
        for (int i = 0; i < 10; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(3 * i));
            CHECK(in_child([&] {
                      return same(build_links(rows.view, rows.groups, options_of(IndexKind::flat, 2)).graph,
                                  wanted[1]);
                  }) == 0);
        }
        enough = true;
    }
    CHECK(threads_of_process() <= 1 + static_cast<std::ptrdiff_t>(std::thread::hardware_concurrency()));
}
#endif
