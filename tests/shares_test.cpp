// How a plan is cut into shares.

#include "plan/plan.hpp"

#include <grouplink/error.hpp>
#include <grouplink/part.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

using namespace grouplink;

namespace {

/// Every row of every group is searched in one share, and a share's groups stand in the order of a plan.
void check_cover(const Plan& whole, const std::vector<Plan>& shares) {
    std::map<std::int32_t, std::vector<std::pair<std::int64_t, std::int64_t>>> ranges;
    for (const Plan& share : shares) {
        double cost = 0.0;
        for (std::size_t i = 0; i < share.groups.size(); ++i) {
            const GroupPlan& group = share.groups[i];
            ranges[group.group].emplace_back(group.first_query, group.queries);
            cost += group.cost;
            CHECK((i == 0 || share.groups[i - 1].cost >= group.cost));
            CHECK((group.queries == group.rows || can_be_cut(group)));
        }
        CHECK(share.cost == doctest::Approx(cost));
    }
    CHECK(ranges.size() == whole.groups.size());
    for (const GroupPlan& group : whole.groups) {
        auto& pieces = ranges[group.group];
        std::sort(pieces.begin(), pieces.end());
        std::int64_t covered = 0;
        for (const auto& [first, count] : pieces) {
            CHECK(first == covered);
            CHECK((count > 0 || group.rows == 0));
            covered += count;
        }
        CHECK(covered == group.rows);
    }
}

double largest_cost(const std::vector<Plan>& shares) {
    double largest = 0.0;
    for (const Plan& share : shares) largest = std::max(largest, share.cost);
    return largest;
}

double total_cost(const std::vector<Plan>& shares) {
    double total = 0.0;
    for (const Plan& share : shares) total += share.cost;
    return total;
}

}  // namespace

TEST_CASE("shares cover every row once, and balance") {
    std::vector<GroupShape> shapes{{60'000, 64}, {0, 64}, {1, 64}, {9'000, 384}, {20'000, 16}};
    for (std::int64_t rows = 0; rows < 300; ++rows) shapes.push_back({rows * 3, 64});
    for (const IndexKind index : {IndexKind::flat, IndexKind::ivf, IndexKind::automatic}) {
        const LinkOptions options{.index = index};
        const Plan plan = make_plan(shapes, options);
        for (const std::int64_t count : {1, 2, 3, 7, 64}) {
            const std::vector<Plan> shares = cut_plan(plan, options, count);
            CHECK(static_cast<std::int64_t>(shares.size()) == count);
            check_cover(plan, shares);
            if (index == IndexKind::automatic) continue;  // what is partition stays whole
            // An ivf group trains in each of its shares, however few rows these search.
            double piece = 0.0;
            for (const Plan& share : shares) {
                if (!share.groups.empty()) piece = std::max(piece, share.groups.front().cost);
            }
            const double mean = total_cost(shares) / static_cast<double>(count);
            CHECK(largest_cost(shares) <= std::max(1.35 * mean, piece));
        }
    }
}

TEST_CASE("one share is the plan itself") {
    const std::vector<GroupShape> shapes{{6'000, 64}, {5, 64}};
    const Plan plan = make_plan(shapes, {});
    const Plan share = cut_plan(plan, {}, 1).front();
    CHECK(share.groups.size() == 2);
    CHECK(share.cost == plan.cost);
    CHECK(share.result_bytes == plan.result_bytes);
    CHECK(share.groups[0].queries == 6'000);
}

TEST_CASE("a group that is too large is cut where it can be") {
    const std::vector<GroupShape> shapes{{200'000, 64}, {10, 64}};
    const auto pieces = [&](IndexKind index) {
        const LinkOptions options{.index = index};
        const Plan plan = make_plan(shapes, options);
        const auto shares = cut_plan(plan, options, 4);
        check_cover(plan, shares);
        return std::count_if(shares.begin(), shares.end(), [](const Plan& share) {
            return !share.groups.empty() && share.groups.front().group == 0;
        });
    };
    CHECK(pieces(IndexKind::flat) == 4);
    CHECK(pieces(IndexKind::ivf) == 4);
    CHECK(pieces(IndexKind::hnsw) == 1);
    CHECK(pieces(IndexKind::partition) == 1);

    // Direct groups and those of one tile are never cut, whatever the number of shares.
    const std::vector<GroupShape> small{{400, 64}, {100, 64}};
    const Plan plan = make_plan(small, {.n_nearest = 2});
    const auto shares = cut_plan(plan, {.n_nearest = 2}, 1000);
    check_cover(plan, shares);
    CHECK(std::count_if(shares.begin(), shares.end(),
                        [](const Plan& share) { return !share.groups.empty(); }) == 2);
}

TEST_CASE("more shares than blocks leave some empty; numbers of shares are checked") {
    const std::vector<GroupShape> shapes{{2'000, 64}};
    const Plan plan = make_plan(shapes, {});
    check_cover(plan, cut_plan(plan, {}, 100));
    check_cover(make_plan({}, {}), cut_plan(make_plan({}, {}), {}, 3));
    for (const std::int64_t count : {std::int64_t{0}, std::int64_t{-1}, Shard::most + 1}) {
        CHECK_THROWS_AS(cut_plan(plan, {}, count), Error);
    }
    CHECK_THROWS_AS(validate(Shard{.index = 0, .count = 2}), Error);
    CHECK_THROWS_AS(validate(Shard{.index = 3, .count = 2}), Error);
    CHECK_NOTHROW(validate(Shard{.index = 2, .count = 2}));
}

TEST_CASE("the rows whose status is in a part: all, once") {
    for (const std::int64_t rows :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{10}, std::int64_t{1'000'000'007}}) {
        for (const std::int64_t count : {1, 3, 7, 64}) {
            std::int64_t covered = 0;
            for (std::int64_t index = 1; index <= count; ++index) {
                const RowSlice slice = rows_of_part({.index = index, .count = count}, rows);
                CHECK(slice.first == covered);
                CHECK(slice.last >= slice.first);
                CHECK(slice.last - slice.first <= rows / count + 1);
                covered = slice.last;
            }
            CHECK(covered == rows);
        }
    }
}
