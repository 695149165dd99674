#include "knn/neighbor_graph.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

using namespace grouplink;
using knn::Acquaintances;
using knn::Key;
using knn::NeighborGraph;

namespace {

using Lists = std::vector<std::vector<std::uint32_t>>;

/// Each row with up to `degree` others, in a random order; every seventh has none.
Lists random_lists(std::size_t rows, std::size_t degree, std::mt19937_64& random) {
    Lists lists(rows);
    for (std::uint32_t row = 0; row < rows; ++row) {
        if (row % 7 == 6) continue;
        std::set<std::uint32_t> others;
        // Low rows are met often: hubs.
        while (others.size() < degree)
            others.insert(static_cast<std::uint32_t>(random() % (1 + random() % rows)));
        others.erase(row);
        lists[row].assign(others.begin(), others.end());
        std::shuffle(lists[row].begin(), lists[row].end(), random);
    }
    return lists;
}

NeighborGraph graph_of(const Lists& lists, std::size_t degree) {
    NeighborGraph graph(lists.size(), degree);
    for (std::size_t row = 0; row < lists.size(); ++row) {
        std::vector<Key> keys;
        for (std::size_t place = 0; place < lists[row].size(); ++place) {
            keys.push_back(knn::make_key(static_cast<float>(place), lists[row][place]));
        }
        graph.set(row, keys);
    }
    graph.invert();
    return graph;
}

}  // namespace

TEST_CASE(
    "neighbors stand as set, the first of them; reverse ones are all rows that have a row, or the best") {
    std::mt19937_64 random(1);
    const Lists lists = random_lists(300, 9, random);
    for (const std::size_t degree : {1U, 4U, 16U}) {
        const NeighborGraph graph = graph_of(lists, degree);
        for (std::uint32_t row = 0; row < lists.size(); ++row) {
            const auto neighbors = graph.neighbors(row);
            REQUIRE(neighbors.size() == std::min(degree, lists[row].size()));
            CHECK(std::equal(neighbors.begin(), neighbors.end(), lists[row].begin()));

            // (place in its list, row) of all that have this row among their first `degree`.
            std::vector<std::pair<std::size_t, std::uint32_t>> expected;
            for (std::uint32_t other = 0; other < lists.size(); ++other) {
                for (std::size_t place = 0; place < std::min(degree, lists[other].size()); ++place) {
                    if (lists[other][place] == row) expected.emplace_back(place, other);
                }
            }
            std::sort(expected.begin(), expected.end());
            expected.resize(std::min(expected.size(), 2 * degree));
            const auto reverse = graph.reverse(row);
            REQUIRE(reverse.size() == expected.size());
            for (std::size_t i = 0; i < reverse.size(); ++i) CHECK(reverse[i] == expected[i].second);
        }
    }
}

TEST_CASE("a row meets all that it can through its neighbors, each once, and nobody that it knows") {
    std::mt19937_64 random(2);
    const Lists lists = random_lists(400, 8, random);
    const NeighborGraph graph = graph_of(lists, 6);
    Acquaintances acquaintances(graph);
    for (std::uint32_t row = 0; row < lists.size(); ++row) {
        std::set<std::uint32_t> expected(graph.reverse(row).begin(), graph.reverse(row).end());
        for (const auto& some : {graph.neighbors(row), graph.reverse(row)}) {
            for (const std::uint32_t via : some) {
                expected.insert(graph.neighbors(via).begin(), graph.neighbors(via).end());
            }
        }
        expected.erase(row);
        for (const std::uint32_t known : graph.neighbors(row)) expected.erase(known);

        std::set<std::uint32_t> met;
        std::size_t count = 0;
        acquaintances.start(row);
        for (std::size_t step = 0; step < 12; ++step) {
            const auto some = acquaintances.follow(step);
            count += some.size();
            met.insert(some.begin(), some.end());
        }
        CHECK(count == met.size());
        CHECK(met == expected);
    }
}

TEST_CASE("one row in everybody's list does not make anybody meet everybody") {
    Lists lists(5000);
    for (std::uint32_t row = 1; row < lists.size(); ++row) lists[row] = {0, row % 4999 + 1};
    lists[0] = {1};
    const NeighborGraph graph = graph_of(lists, 2);
    CHECK(graph.reverse(0).size() == 4);
    Acquaintances acquaintances(graph);
    for (const std::uint32_t row : {0U, 17U}) {
        acquaintances.start(row);
        std::size_t met = 0;
        for (std::size_t step = 0; step < 4; ++step) met += acquaintances.follow(step).size();
        CHECK(met < 30);
    }
}
