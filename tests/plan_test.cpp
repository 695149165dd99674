#include "plan/plan.hpp"

#include <grouplink/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>

using namespace grouplink;

TEST_CASE("blocks cover the rows, none larger than the limit, sides whole registers") {
    CHECK(blocks_of(0).count == 0);
    for (std::int64_t rows = 1; rows < 5000; rows += 1 + rows / 50) {
        const Blocks blocks = blocks_of(rows);
        CAPTURE(rows);
        CHECK(blocks.block_rows <= largest_block);
        CHECK(blocks.block_rows % 16 == 0);
        CHECK(blocks.count * blocks.block_rows >= rows);
        CHECK((blocks.count - 1) * blocks.block_rows < rows);
    }
}

TEST_CASE("paths go by size, cost puts the largest first") {
    std::vector<GroupShape> shapes{{0, 8}, {1, 8}, {2, 8}, {5000, 8}, {60, 8}, {1100, 8}, {60, 8}};
    const Plan plan = make_plan(shapes, {});
    const auto of = [&](std::int32_t group) {
        return *std::find_if(plan.groups.begin(), plan.groups.end(),
                             [&](const GroupPlan& g) { return g.group == group; });
    };
    CHECK(of(0).path == FlatPath::none);
    CHECK(of(1).path == FlatPath::none);
    CHECK(of(2).path == FlatPath::direct);
    CHECK(of(4).path == FlatPath::direct);
    CHECK(of(5).path == FlatPath::tiles);
    CHECK(of(3).tiles > 1);
    CHECK(of(3).memory_bytes > 5000 * 8 * 4);
    CHECK(plan.groups.front().group == 3);
    CHECK(std::is_sorted(plan.groups.begin(), plan.groups.end(), [](const GroupPlan& a, const GroupPlan& b) {
        return a.cost != b.cost ? a.cost > b.cost : a.group < b.group;
    }));
    CHECK(plan.result_bytes == (2 * 1 + 5000 * 15 + 60 * 15 + 1100 * 15 + 60 * 15) * 12);
    for (const int threads : {1, 2, 64}) {
        const Plan other = make_plan(shapes, {.threads = threads});
        for (std::size_t i = 0; i < plan.groups.size(); ++i) {
            CHECK(other.groups[i].group == plan.groups[i].group);
            CHECK(other.groups[i].path == plan.groups[i].path);
            CHECK(other.groups[i].cost == plan.groups[i].cost);
        }
    }
}

TEST_CASE("which groups are searched directly") {
    const auto plan_of = [](std::int64_t rows, std::int64_t dim, std::int64_t k, Metric metric) {
        return make_plan(std::vector<GroupShape>{{rows, dim}}, {.n_nearest = k, .metric = metric})
            .groups.front();
    };
    const auto last_direct = [&](std::int64_t dim, std::int64_t k, Metric metric) {
        std::int64_t rows = 2;
        while (plan_of(rows + 1, dim, k, metric).path == FlatPath::direct) ++rows;
        CHECK(plan_of(rows + 1, dim, k, metric).path == FlatPath::tiles);
        return rows;
    };
    for (const std::int64_t k : {1, 5, 15, 50}) {
        CHECK(last_direct(384, k, Metric::angular) == 1024);
        CHECK(last_direct(8, k, Metric::angular) == 1024);
    }
    // So many links that it is not worth while to have rough scores first.
    CHECK(last_direct(384, 300, Metric::angular) == 512);
    CHECK(last_direct(384, 15, Metric::euclidean) == 112 + 8 * 15);
    CHECK(last_direct(384, 60, Metric::manhattan) == 512);
}

TEST_CASE("a group of more rows than can be counted is refused") {
    const auto message = [](std::int64_t rows, IndexKind index) -> std::string {
        const std::vector<GroupShape> shapes{{10, 8}, {rows, 8}};
        try {
            make_plan(shapes, {.index = index});
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::bad_input);
            return error.what();
        }
        return "";
    };
    constexpr std::int64_t most = (std::int64_t{1} << 32) - 1;
    for (const IndexKind index : {IndexKind::flat, IndexKind::ivf, IndexKind::partition}) {
        CHECK(message(most, index) == "");
        CHECK(message(most + 1, index) == "group number 1 has 4294967296 rows, and an index of kind " +
                                              std::string(name(index)) +
                                              " takes at most 4294967295; group by a finer column");
    }
    CHECK(message(most / 2, IndexKind::hnsw) == "");
    CHECK(message(most / 2 + 1, IndexKind::hnsw).find("takes at most 2147483647") != std::string::npos);
}

TEST_CASE("memory of absurd wishes is that of all there is to find, and never overflows") {
    const std::vector<GroupShape> shapes{{5000, 8}};
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t k : {std::int64_t{4999}, most / 100, most}) {
        const Plan plan = make_plan(shapes, {.n_nearest = k});
        CHECK(plan.groups.front().memory_bytes == 5000 * (8 * 4 + 32 + 5000 * 8));
        CHECK(plan.result_bytes == std::int64_t{5000} * 4999 * 12);
    }
    const std::vector<GroupShape> huge(3, GroupShape{(std::int64_t{1} << 32) - 1, 1 << 28});
    const Plan plan = make_plan(huge, {.n_nearest = most});
    CHECK(plan.groups.front().memory_bytes == most);
    CHECK(plan.result_bytes == most);
    for (const IndexKind index : {IndexKind::ivf, IndexKind::partition}) {
        const Plan approximate = make_plan(huge, {.n_nearest = std::int64_t{1} << 28, .index = index});
        CHECK(approximate.groups.front().index == index);
        CHECK(approximate.groups.front().memory_bytes == most);
    }
}

TEST_CASE("batches hold every group with something to search once; large ones stand alone") {
    std::vector<GroupShape> shapes{{4000, 64}, {3000, 64}};
    for (std::int64_t rows = 0; rows < 400; ++rows) shapes.push_back({rows, 64});
    const Plan plan = make_plan(shapes, {});
    std::set<std::int32_t> seen;
    const auto batches = make_batches(plan);
    for (const Batch& batch : batches) {
        CHECK(batch.count > 0);
        double cost = 0;
        for (std::size_t i = batch.first; i < batch.first + batch.count; ++i) {
            CHECK(seen.insert(plan.groups[i].group).second);
            CHECK(plan.groups[i].path != FlatPath::none);
            CHECK((plan.groups[i].tiles <= 1 || batch.count == 1));
            cost += plan.groups[i].cost;
        }
        CHECK(batch.cost == doctest::Approx(cost));
    }
    CHECK(seen.size() == 400);
    CHECK(batches.size() < 200);
    CHECK(make_batches(make_plan({}, {})).empty());

    // Tiny groups go hundreds to a batch.
    std::vector<GroupShape> tiny;
    for (std::int64_t i = 0; i < 1000; ++i) tiny.push_back({5 + i % 40, 64});
    CHECK(make_batches(make_plan(tiny, {})).size() < 10);
}

TEST_CASE("one large group among small ones is cut finely enough to keep many threads busy to the end") {
    std::vector<GroupShape> shapes(41, {100, 384});
    shapes[17].rows = 14'000;
    for (const IndexKind index : {IndexKind::flat, IndexKind::automatic}) {
        const Plan plan = make_plan(shapes, {.index = index});
        const auto batches = make_batches(plan);
        REQUIRE(plan.groups.front().group == 17);
        CHECK(batches.front().count == 1);  // it begins first
        // Eight threads that end within a unit of one another are busy for over 90 % when no unit takes
        // more than a tenth of a thread's share.
        const double share = plan.cost / 8;
        CHECK(batches.front().cost / static_cast<double>(plan.groups.front().tiles) <= share / 10);
        for (std::size_t b = 1; b < batches.size(); ++b) CHECK(batches[b].cost <= share / 10);
    }
}

TEST_CASE("auto stays exact while that is affordable, and is approximate past it") {
    const auto index_of = [](std::int64_t rows, const LinkOptions& options) {
        return make_plan(std::vector<GroupShape>{{rows, 384}}, options).groups.front().index;
    };
    CHECK(index_of(1'000, {}) == IndexKind::flat);
    CHECK(index_of(10'000, {}) == IndexKind::flat);
    CHECK(index_of(1'000'000, {}) != IndexKind::flat);
    CHECK(index_of(1'000'000, {.metric = Metric::manhattan}) == IndexKind::flat);
    CHECK(index_of(1'000'000, {.metric = Metric::hamming}) == IndexKind::flat);
    CHECK(index_of(1'000'000, {.n_nearest = 200'000}) == IndexKind::flat);
    CHECK(index_of(1'000'000, {.index = IndexKind::flat}) == IndexKind::flat);
    // Once approximate, larger groups are too, and a higher target never makes a group approximate.
    for (const double target : {0.5, 0.9, 0.95, 0.99, 1.0}) {
        bool approximate = false;
        for (std::int64_t rows = 1'000; rows < 20'000'000; rows += rows / 4) {
            const bool now = index_of(rows, {.recall_target = target}) != IndexKind::flat;
            CHECK((now || !approximate));
            approximate = now;
            if (now) CHECK(index_of(rows, {.recall_target = target / 2}) != IndexKind::flat);
        }
        CHECK(approximate);
    }
}

TEST_CASE("an approximate plan costs more with more effort, and less than the flat one when chosen") {
    const std::vector<GroupShape> shapes{{500'000, 384}};
    const auto cost_of = [&](const LinkOptions& options) { return make_plan(shapes, options).cost; };
    CHECK(cost_of({}) < cost_of({.index = IndexKind::flat}));
    for (const IndexKind index : {IndexKind::ivf, IndexKind::hnsw, IndexKind::partition}) {
        CHECK(cost_of({.index = index, .recall_target = 0.9}) <
              cost_of({.index = index, .recall_target = 0.995}));
        const GroupPlan plan = make_plan(shapes, {.index = index, .recall_target = 0.9}).groups.front();
        CHECK(plan.index == index);
        CHECK(plan.recall_target == 0.9);
        CHECK(plan.memory_bytes > 500'000 * 384 * 4);
    }
    CHECK(cost_of({.index = IndexKind::ivf, .ivf = {.nprobe = 10}}) <
          cost_of({.index = IndexKind::ivf, .ivf = {.nprobe = 20}}));
    CHECK(cost_of({.index = IndexKind::partition, .partition = {.passes = 1, .refinements = 0}}) <
          cost_of({.index = IndexKind::partition, .partition = {.passes = 1, .refinements = 1}}));
}

TEST_CASE("codes of rows are counted where the exact search may use them") {
    CHECK(code_bytes(10, 384) == 10 * (2 * 384 + 24));
    CHECK(code_bytes(10, 65) == 10 * (2 * 128 + 24));
    CHECK(wants_codes(Metric::angular, 5000, 384, 15));
    CHECK(wants_codes(Metric::euclidean, 5000, 384, 15));
    CHECK(wants_codes(Metric::dot, 5000, 384, 15));
    CHECK_FALSE(wants_codes(Metric::manhattan, 5000, 384, 15));
    CHECK_FALSE(wants_codes(Metric::hamming, 5000, 384, 15));
    CHECK_FALSE(wants_codes(Metric::angular, 5000, 31, 15));
    CHECK_FALSE(wants_codes(Metric::angular, 5000, 1000000, 15));
    // Of few blocks where links are few beside rows.
    CHECK(wants_codes(Metric::angular, 3 * largest_block + 1, 384, 500));
    CHECK_FALSE(wants_codes(Metric::angular, 3 * largest_block, 384, 50));
    CHECK(wants_codes(Metric::angular, 3 * largest_block, 384, 48));
    CHECK(wants_codes(Metric::angular, 480, 384, 15));
    CHECK_FALSE(wants_codes(Metric::angular, 479, 384, 15));
    CHECK(wants_codes(Metric::angular, 400, 384, 1));
    CHECK_FALSE(wants_codes(Metric::angular, 399, 384, 1));
    // What takes more counts, floats or codes, whose length is a multiple of 64.
    for (const std::int64_t dim : {384, 65}) {
        const std::vector<GroupShape> shapes = {{5000, dim}};
        LinkOptions options;
        const std::int64_t with = make_plan(shapes, options).groups.front().memory_bytes;
        options.metric = Metric::manhattan;
        const std::int64_t without = make_plan(shapes, options).groups.front().memory_bytes;
        CHECK(with - without == std::max<std::int64_t>(0, code_bytes(5000, dim) - 5000 * 4 * dim));
    }
    CHECK(is_memory_short(117'659, 384));
    CHECK_FALSE(is_memory_short(14'435, 384));
}
