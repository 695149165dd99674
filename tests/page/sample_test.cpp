#include <grouplink/report_page.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>

using namespace grouplink;

namespace {

using Link = LinkSample::Link;

struct World {
    CsrGraph graph;
    GroupColumn groups;
};

/// Rows of as many groups, by turns, each with links to some others of its group, nearest first.
World random_world(std::int64_t rows, std::int32_t groups, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    World world{{.offsets = {0}, .targets = {}, .weights = {}}, {}};
    for (std::int32_t g = 0; g < groups; ++g) world.groups.keys.push_back("group " + std::to_string(g));
    for (std::int64_t row = 0; row < rows; ++row) {
        world.groups.codes.push_back(static_cast<std::int32_t>(row % groups));
        std::set<std::int64_t> targets;
        for (int i = 0; i < 5; ++i) {
            const auto target = static_cast<std::int64_t>(random()) % (rows / groups);
            const std::int64_t there = std::abs(target) * groups + row % groups;
            if (there != row && there < rows) targets.insert(there);
        }
        std::vector<float> weights;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            weights.push_back(static_cast<float>(random() % 1000) / 1000.0F);
        }
        std::sort(weights.rbegin(), weights.rend());
        world.graph.targets.insert(world.graph.targets.end(), targets.begin(), targets.end());
        world.graph.weights.insert(world.graph.weights.end(), weights.begin(), weights.end());
        world.graph.offsets.push_back(world.graph.links());
    }
    return world;
}

bool is_link(const CsrGraph& graph, std::int64_t source, std::int64_t target, float weight) {
    for (auto i = graph.offsets[static_cast<std::size_t>(source)];
         i < graph.offsets[static_cast<std::size_t>(source) + 1]; ++i) {
        const auto place = static_cast<std::size_t>(i);
        if (graph.targets[place] == target && graph.weights[place] == weight) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("examples are links, the strongest and the weakest, three of a weight at most") {
    const World world = random_world(4000, 3, 1);
    const LinkSample sample = sample_links(world.graph, world.groups);
    CHECK(sample.strongest.size() == 10);
    CHECK(sample.weakest.size() == 10);
    const auto [least, most] = std::minmax_element(world.graph.weights.begin(), world.graph.weights.end());
    CHECK(sample.strongest.front().weight == *most);
    CHECK(sample.weakest.front().weight == *least);
    CHECK(std::is_sorted(sample.strongest.begin(), sample.strongest.end(),
                         [](const Link& a, const Link& b) { return a.weight > b.weight; }));
    CHECK(std::is_sorted(sample.weakest.begin(), sample.weakest.end(),
                         [](const Link& a, const Link& b) { return a.weight < b.weight; }));
    for (const auto* links : {&sample.strongest, &sample.weakest}) {
        std::map<float, int> of_weight;
        std::set<std::int64_t> sources;
        for (const Link& link : *links) {
            CHECK(is_link(world.graph, link.source, link.target, link.weight));
            CHECK(++of_weight[link.weight] <= 3);
            CHECK(sources.insert(link.source).second);
        }
    }
}

TEST_CASE("a pair that is linked both ways is one example") {
    const CsrGraph graph{{0, 1, 2, 3}, {1, 0, 0}, {0.5F, 0.5F, 0.5F}};
    const LinkSample sample = sample_links(graph, {.codes = {0, 0, 0}, .keys = {"a"}});
    REQUIRE(sample.strongest.size() == 2);
    CHECK(sample.strongest[0].source == 0);
    CHECK(sample.strongest[1].source == 2);
    CHECK(sample.rows == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("neighborhoods are few, of one group each, and hold all links among their rows") {
    for (const std::int32_t count : {1, 3, 40}) {
        const World world = random_world(4000, count, 2);
        const LinkSample sample = sample_links(world.graph, world.groups, 7);
        CHECK(sample.neighborhoods.size() == 6);
        for (const auto& area : sample.neighborhoods) {
            CHECK(area.rows.size() <= 20);
            CHECK(area.rows.size() > 10);
            CHECK(std::set<std::int64_t>(area.rows.begin(), area.rows.end()).size() == area.rows.size());
            std::set<std::pair<std::int64_t, std::int64_t>> drawn;
            for (const Link& link : area.links) {
                CHECK(link.source < link.target);
                CHECK(drawn.emplace(link.source, link.target).second);
                CHECK((is_link(world.graph, link.source, link.target, link.weight) ||
                       is_link(world.graph, link.target, link.source, link.weight)));
            }
            for (const std::int64_t row : area.rows) {
                CHECK(world.groups.codes[static_cast<std::size_t>(row)] ==
                      world.groups.codes[static_cast<std::size_t>(area.rows.front())]);
                CHECK(std::binary_search(sample.rows.begin(), sample.rows.end(), row));
                for (auto i = world.graph.offsets[static_cast<std::size_t>(row)];
                     i < world.graph.offsets[static_cast<std::size_t>(row) + 1]; ++i) {
                    const std::int64_t target = world.graph.targets[static_cast<std::size_t>(i)];
                    if (std::find(area.rows.begin(), area.rows.end(), target) == area.rows.end()) continue;
                    CHECK(drawn.contains({std::min(row, target), std::max(row, target)}));
                }
            }
        }
    }
}

TEST_CASE("the sample follows the seed and nothing else") {
    const World world = random_world(3000, 4, 3);
    const auto middles = [&](std::uint64_t seed) {
        std::vector<std::int64_t> rows;
        for (const auto& area : sample_links(world.graph, world.groups, seed).neighborhoods) {
            rows.push_back(area.rows.front());
        }
        return rows;
    };
    CHECK(middles(1) == middles(1));
    CHECK(middles(1) != middles(2));
}

TEST_CASE("small graphs are drawn once, empty ones not at all") {
    const World small = random_world(12, 2, 4);
    const LinkSample sample = sample_links(small.graph, small.groups);
    std::set<std::int64_t> middles;
    for (const auto& area : sample.neighborhoods) CHECK(middles.insert(area.rows.front()).second);
    CHECK(sample.neighborhoods.size() <= 6);
    const LinkSample none = sample_links({{0, 0, 0}, {}, {}}, {.codes = {0, -1}, .keys = {"a"}});
    CHECK(none.strongest.empty());
    CHECK(none.neighborhoods.empty());
    CHECK(none.rows.empty());
    CHECK(sample_links({}, {}).rows.empty());
}
