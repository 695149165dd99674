// What a job hands over as it goes, and takes back: links are the same whatever part of it comes back.

#include <grouplink/checkpoint.hpp>
#include <grouplink/error.hpp>
#include <grouplink/link.hpp>
#include <grouplink/part.hpp>

#include "support/oracle.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace grouplink;

namespace {

/// A group that comes in several pieces, some of one tile and more, many tiny ones, a singleton, bad rows.
struct Input {
    GroupColumn groups;
    oracle::Rows rows;
    std::unique_ptr<oracle::Packed> packed;

    Input() {
        std::mt19937_64 random(11);
        std::vector<std::string> keys;
        const auto add = [&](int group, int count) {
            for (int i = 0; i < count; ++i) keys.push_back(fmt::format("g{}", group));
        };
        add(0, 2500);
        add(1, 1200);
        add(2, 1100);
        add(3, 700);
        add(4, 400);
        for (int group = 5; group < 60; ++group) add(group, 2 + group % 7);
        add(60, 1);
        std::shuffle(keys.begin(), keys.end(), random);
        rows = oracle::clustered_rows(std::ssize(keys), 16, 12, 0.5, random);
        rows.values[5][0] = std::numeric_limits<double>::quiet_NaN();
        for (std::size_t row = 20; row < 300; ++row) rows.values[row] = rows.values[row + 1000];
        GroupEncoder encoder;
        for (const std::string& key : keys) encoder.push(key);
        groups = encoder.finish();
        packed = std::make_unique<oracle::Packed>(rows, ElementType::float32);
    }
    const MatrixView& view() const { return packed->view(); }
};

LinkOptions options_of(IndexKind index, int threads) {
    return {.n_nearest = 40,
            .similarity_min_q = 0.1,
            .links = LinkMode::mutual,
            .index = index,
            .on_bad_row = BadRowPolicy::drop,
            .threads = threads};
}

JobControl with(Checkpoints checkpoints) {
    return {.on_progress = {},
            .stop = {},
            .checkpoints = std::make_shared<const Checkpoints>(std::move(checkpoints))};
}

/// All that a job hands over.
std::vector<Checkpoint> collect(const Input& input, const LinkOptions& options) {
    std::vector<Checkpoint> all;
    std::mutex mutex;
    build_links(input.view(), input.groups, options, with({.keep = [&](const Checkpoint& checkpoint) {
                    const std::lock_guard lock(mutex);
                    all.push_back(checkpoint);
                }}));
    return all;
}

/// A run that begins with these, and how many of them it took.
std::pair<LinkResult, int> resume(const Input& input, const LinkOptions& options,
                                  const std::vector<Checkpoint>& kept,
                                  std::vector<Checkpoint>* found = nullptr) {
    int taken = 0;
    std::mutex mutex;
    const auto restore = [&](const Checkpoints::Take& take) {
        for (const Checkpoint& checkpoint : kept) taken += take(checkpoint) ? 1 : 0;
    };
    const auto keep = [&](const Checkpoint& checkpoint) {
        const std::lock_guard lock(mutex);
        if (found) found->push_back(checkpoint);
    };
    LinkResult result =
        build_links(input.view(), input.groups, options, with({.restore = restore, .keep = keep}));
    return {std::move(result), taken};
}

/// Which pairs are scored depends a little on what several threads have found when.
void check_about(std::int64_t one, std::int64_t other) { CHECK(std::abs(one - other) <= 4 + other / 1000); }

void check_same(const LinkResult& one, const LinkResult& other) {
    CHECK(one.graph.offsets == other.graph.offsets);
    CHECK(one.graph.targets == other.graph.targets);
    CHECK(one.graph.weights == other.graph.weights);
    CHECK(one.row_status == other.row_status);
    CHECK(one.report.cut == other.report.cut);
    check_about(one.report.scored_pairs, other.report.scored_pairs);
    CHECK(one.report.duplicate_rows == other.report.duplicate_rows);
    check_about(one.report.researched_rows, other.report.researched_rows);
    REQUIRE(one.report.groups.size() == other.report.groups.size());
    for (std::size_t g = 0; g < one.report.groups.size(); ++g) {
        const auto& a = one.report.groups[g].search;
        const auto& b = other.report.groups[g].search;
        REQUIRE(a.has_value() == b.has_value());
        if (!a) continue;
        CHECK(a->recall.recall == b->recall.recall);
        CHECK(a->ivf.nprobe == b->ivf.nprobe);
        CHECK(a->hnsw.ef_search == b->hnsw.ef_search);
        CHECK(a->partition.passes == b->partition.passes);
    }
}

constexpr std::int64_t searched_groups = 60;  // all but the singleton

}  // namespace

TEST_CASE("any beginning of what was kept gives the same links, and is not searched again") {
    const Input input;
    for (const IndexKind index : {IndexKind::flat, IndexKind::ivf, IndexKind::hnsw, IndexKind::partition}) {
        CAPTURE(name(index));
        const LinkResult whole = build_links(input.view(), input.groups, options_of(index, 1));
        CHECK_FALSE(whole.report.resumed);
        std::vector<Checkpoint> all = collect(input, options_of(index, 2));
        REQUIRE(all.size() > 4);
        for (std::size_t count = 0; count <= all.size(); ++count) {
            const std::vector<Checkpoint> kept(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
            std::vector<Checkpoint> found;
            const auto [result, taken] =
                resume(input, options_of(index, 1 + static_cast<int>(count % 2)), kept, &found);
            CHECK(taken == static_cast<int>(count));
            check_same(result, whole);
            REQUIRE(result.report.resumed);
            std::int64_t ends = 0;
            std::int64_t scored = 0;
            for (const Checkpoint& checkpoint : found) {
                for (const FoundRange& range : checkpoint.ranges) {
                    const auto& group = result.report.groups[static_cast<std::size_t>(range.range.group)];
                    if (range.range.first + range.range.count == group.valid_rows) ++ends;
                    scored += range.counts.scored_pairs;
                }
            }
            CHECK(result.report.resumed->groups + ends == searched_groups);
            CHECK(result.report.resumed->scored_pairs + scored == result.report.scored_pairs);
            if (count == all.size()) CHECK(found.empty());
        }
    }
}

TEST_CASE("a group comes in pieces, and without its last one it is searched again") {
    const Input input;
    const LinkOptions options = options_of(IndexKind::flat, 1);
    const LinkResult whole = build_links(input.view(), input.groups, options);
    std::vector<Checkpoint> all = collect(input, options);
    std::int32_t large = 0;
    while (whole.report.groups[static_cast<std::size_t>(large)].valid_rows < 2000) ++large;
    std::vector<Checkpoint> pieces;  // of the large group alone
    for (const Checkpoint& checkpoint : all) {
        if (checkpoint.ranges.front().range.group == large && checkpoint.ranges.size() == 1)
            pieces.push_back(checkpoint);
    }
    REQUIRE(pieces.size() >= 1);
    std::int64_t covered = 0;
    for (const Checkpoint& checkpoint : all) {
        for (const FoundRange& range : checkpoint.ranges) {
            if (range.range.group != large) continue;
            CHECK(range.range.first == covered);
            covered += range.range.count;
        }
    }
    CHECK(covered == whole.report.groups[static_cast<std::size_t>(large)].valid_rows);

    const auto resumed_groups = [&](const std::vector<Checkpoint>& kept) {
        const auto [result, taken] = resume(input, options, kept);
        CHECK(taken == static_cast<int>(kept.size()));
        check_same(result, whole);
        return result.report.resumed->groups;
    };
    CHECK(resumed_groups(all) == searched_groups);
    CHECK(resumed_groups(pieces) == 0);
    SUBCASE("begun twice") {
        std::vector<Checkpoint> kept = pieces;
        kept.insert(kept.end(), all.begin(), all.end());
        CHECK(resumed_groups(kept) == searched_groups);
    }
    SUBCASE("found twice") {
        std::vector<Checkpoint> kept = all;
        kept.insert(kept.end(), all.begin(), all.end());
        CHECK(resumed_groups(kept) == searched_groups);
    }
    SUBCASE("a piece is missing") {
        std::vector<Checkpoint> kept = all;
        kept.erase(kept.begin());
        CHECK(resumed_groups(kept) < searched_groups);
    }
    SUBCASE("backwards") {
        std::vector<Checkpoint> kept(all.rbegin(), all.rend());
        CHECK(resumed_groups(kept) < searched_groups);
    }
}

TEST_CASE("what makes no sense is not taken") {
    const Input input;
    const LinkOptions options = options_of(IndexKind::flat, 1);
    const LinkResult whole = build_links(input.view(), input.groups, options);
    const std::vector<Checkpoint> all = collect(input, options);
    const Checkpoint& good = all.front();
    const auto refused = [&](auto spoil) {
        Checkpoint bad = good;
        spoil(bad);
        const auto [result, taken] = resume(input, options, {bad});
        CHECK(taken == 0);
        CHECK(result.report.resumed->groups == 0);
        check_same(result, whole);
    };
    refused([](Checkpoint& bad) { bad.ranges[0].range.group = -1; });
    refused([](Checkpoint& bad) { bad.ranges[0].range.group = 61; });
    refused([](Checkpoint& bad) { bad.ranges[0].range.group = std::numeric_limits<std::int32_t>::max(); });
    refused([](Checkpoint& bad) { bad.ranges[0].range.first = -1; });
    refused([](Checkpoint& bad) { bad.ranges[0].range.first = 1'000'000; });
    refused([](Checkpoint& bad) { bad.ranges[0].range.count += 1; });
    refused([](Checkpoint& bad) { bad.ranges[0].range.count = -1; });
    refused([](Checkpoint& bad) { bad.ranges[0].range.count = std::numeric_limits<std::int64_t>::max(); });
    refused([](Checkpoint& bad) { bad.ranges[0].neighbors += 1; });
    refused([](Checkpoint& bad) { bad.ranges.push_back(bad.ranges[0]); });
    refused([](Checkpoint& bad) { bad.targets.pop_back(); });
    refused([](Checkpoint& bad) { bad.distances.pop_back(); });
    refused([](Checkpoint& bad) { bad.ranges.clear(); });
    refused([](Checkpoint& bad) { bad.targets[3] = -1; });
    refused([](Checkpoint& bad) { bad.targets[3] = std::numeric_limits<std::int64_t>::max(); });
    refused([](Checkpoint& bad) { bad.targets[3] = bad.targets[2]; });
    refused([&](Checkpoint& bad) {  // a row of another group
        std::int64_t other = 0;
        while (input.groups.codes[static_cast<std::size_t>(other)] == bad.ranges[0].range.group) ++other;
        bad.targets[39] = other;
    });
    refused([](Checkpoint& bad) { bad.distances[3] = std::numeric_limits<float>::quiet_NaN(); });
    refused([](Checkpoint& bad) { bad.distances[3] = std::numeric_limits<float>::infinity(); });
    refused([](Checkpoint& bad) { std::swap(bad.distances[0], bad.distances[39]); });
}

TEST_CASE("of another plan it is sound, but not used") {
    const Input input;
    const std::vector<Checkpoint> exact = collect(input, options_of(IndexKind::flat, 1));
    const LinkOptions options = options_of(IndexKind::hnsw, 1);
    const LinkResult whole = build_links(input.view(), input.groups, options);
    const auto [result, taken] = resume(input, options, exact);
    CHECK(taken == static_cast<int>(exact.size()));
    check_same(result, whole);
    CHECK(result.report.resumed->groups == searched_groups - 3);  // those of 1,000 rows and more
}

TEST_CASE("a share goes on as well") {
    const Input input;
    for (const std::int64_t index : {1, 2, 3}) {
        const LinkOptions options = options_of(IndexKind::flat, 2);
        const Shard shard{.index = index, .count = 3};
        std::vector<Checkpoint> all;
        std::mutex mutex;
        const LinkPart whole =
            link_part(input.view(), input.groups, shard, options, with({.keep = [&](const Checkpoint& one) {
                          const std::lock_guard lock(mutex);
                          all.push_back(one);
                      }}));
        for (std::size_t count = 0; count <= all.size(); ++count) {
            std::atomic<int> searched = 0;
            const auto restore = [&](const Checkpoints::Take& take) {
                for (std::size_t i = 0; i < count; ++i) CHECK(take(all[i]));
            };
            const LinkPart part =
                link_part(input.view(), input.groups, shard, options,
                          with({.restore = restore, .keep = [&](const Checkpoint&) { ++searched; }}));
            CHECK(std::ranges::equal(part.targets, whole.targets));
            CHECK(std::ranges::equal(part.distances, whole.distances));
            check_about(part.report.scored_pairs, whole.report.scored_pairs);
            if (count == all.size()) CHECK(searched == 0);
        }
    }
}

TEST_CASE("nothing is handed over before it is wanted, and then all of it is") {
    const Input input;
    const LinkOptions options = options_of(IndexKind::flat, 2);
    const LinkResult whole = build_links(input.view(), input.groups, options);
    std::atomic<int> asked = 0;
    std::vector<Checkpoint> all;
    std::mutex mutex;
    build_links(input.view(), input.groups, options,
                with({.wanted = [&] { return ++asked > 20; },
                      .keep =
                          [&](const Checkpoint& checkpoint) {
                              const std::lock_guard lock(mutex);
                              CHECK(asked > 20);
                              all.push_back(checkpoint);
                          }}));
    const auto [result, taken] = resume(input, options, all);
    CHECK(result.report.resumed->groups == searched_groups);
    check_same(result, whole);

    build_links(
        input.view(), input.groups, options,
        with({.wanted = [] { return false; }, .keep = [](const Checkpoint&) { FAIL("not wanted"); }}));
}

TEST_CASE("what cannot be kept stops the job, and so does what cannot be read") {
    const Input input;
    const LinkOptions options = options_of(IndexKind::flat, 2);
    const auto full = [](const auto&) { throw Error(ErrorCode::io, "full"); };
    CHECK_THROWS_WITH_AS(build_links(input.view(), input.groups, options, with({.keep = full})), "full",
                         Error);
    CHECK_THROWS_WITH_AS(build_links(input.view(), input.groups, options, with({.restore = full})), "full",
                         Error);
}

TEST_CASE("progress counts what an earlier run found as done") {
    const Input input;
    const LinkOptions options = options_of(IndexKind::flat, 1);
    const std::vector<Checkpoint> all = collect(input, options);
    const std::vector<Checkpoint> kept(all.begin(), all.begin() + 3);
    JobControl control = with({.restore = [&](const Checkpoints::Take& take) {
        for (const Checkpoint& checkpoint : kept) take(checkpoint);
    }});
    double before = 0.0;
    control.on_progress = [&](const Progress& progress) {
        if (progress.stage != "knn" || progress.done == 0.0) return;
        CHECK(progress.before > 0.0);
        CHECK(progress.done >= progress.before);
        before = progress.before;
    };
    build_links(input.view(), input.groups, options, control);
    CHECK(before < 1.0);
}
