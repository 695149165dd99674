#include "links/histogram.hpp"

#include "links/similarity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using namespace grouplink;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

std::int64_t total(const Histogram& histogram) {
    return std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::int64_t{0});
}

/// Counts by the definition: edges[i] <= value < edges[i + 1].
std::vector<std::int64_t> counted(const std::vector<double>& values, const std::vector<double>& edges) {
    std::vector<std::int64_t> counts(edges.size() - 1, 0);
    for (const double value : values) {
        for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
            const bool last = i + 2 == edges.size();
            if (value >= edges[i] && (value < edges[i + 1] || last)) ++counts[i];
        }
    }
    return counts;
}

RowsByGroup grouped(const std::vector<std::int32_t>& codes, std::size_t groups) {
    return rows_by_group({.codes = codes, .keys = std::vector<std::string>(groups)});
}

struct World {
    Neighbors neighbors;
    std::vector<std::int32_t> codes;
    std::vector<std::int64_t> dims;
};

/// Rows of two groups by turns, with 0 to 5 neighbors each.
World random_world(std::int64_t rows, float farthest, std::mt19937_64& random) {
    World world{{.offsets = {0}, .targets = {}, .distances = {}}, {}, {7, 9}};
    for (std::int64_t row = 0; row < rows; ++row) world.codes.push_back(static_cast<std::int32_t>(row % 2));
    for (std::int64_t row = 0; row < rows; ++row) {
        std::vector<float> distances(static_cast<std::size_t>(random() % 6));
        for (float& d : distances) {
            d = std::uniform_real_distribution<float>(farthest < 0 ? farthest : 0,
                                                      std::abs(farthest))(random);
        }
        std::sort(distances.begin(), distances.end());
        world.neighbors.distances.insert(world.neighbors.distances.end(), distances.begin(), distances.end());
        world.neighbors.targets.resize(world.neighbors.distances.size(), 0);
        world.neighbors.offsets.push_back(static_cast<std::int64_t>(world.neighbors.targets.size()));
    }
    return world;
}

/// A row a number of links, to the rows from 0 on.
CsrGraph graph_of(const std::vector<std::int64_t>& degrees) {
    CsrGraph graph{{0}, {}, {}};
    for (const std::int64_t degree : degrees) {
        for (std::int64_t i = 0; i < degree; ++i) graph.targets.push_back(i);
        graph.offsets.push_back(static_cast<std::int64_t>(graph.targets.size()));
    }
    graph.weights.assign(graph.targets.size(), 0.5F);
    return graph;
}

}  // namespace

TEST_CASE("edges are round numbers round the values, a few dozens of them") {
    std::mt19937_64 random(3);
    for (int i = 0; i < 20000; ++i) {
        const double scale = std::pow(10.0, std::uniform_real_distribution<double>(-20, 20)(random));
        double least = std::uniform_real_distribution<double>(-1, 1)(random) * scale;
        double most = std::uniform_real_distribution<double>(-1, 1)(random) * scale;
        if (least > most) std::swap(least, most);
        const std::vector<double> edges = round_edges(least, most);
        CHECK(edges.front() <= least);
        CHECK(edges.back() >= most);
        CHECK(edges[1] > least);
        CHECK(edges.size() <= 104);
        CHECK(edges.size() >= ((most - least) > 1e-4 * scale ? 40 : 2));
        CHECK(std::is_sorted(edges.begin(), edges.end()));
    }
    CHECK(round_edges(0.4, 0.4009)[1] == doctest::Approx(0.40001));
    CHECK(round_edges(0.3, 1.0).back() == 1.0);
    // The doubles nearest to decimal numbers, so that they print as such.
    CHECK(round_edges(0.0, 1.0)[14] == 0.14);
    CHECK(round_edges(0.0, 0.0).size() == 2);
    CHECK(round_edges(1.0, 1.0).size() == 2);
    const double largest = static_cast<double>(std::numeric_limits<float>::max());
    CHECK(round_edges(-largest, largest).size() > 40);
    CHECK(round_edges(1e-45, 1e-45).size() == 2);
}

TEST_CASE("weights are counted as by the definition, at any number of threads") {
    std::mt19937_64 random(5);
    for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::hamming, Metric::dot}) {
        LinkOptions options;
        options.metric = metric;
        const World world = random_world(3001, metric == Metric::dot ? -40.0F : 2.0F, random);
        std::vector<double> weights;
        for (std::size_t row = 0; row + 1 < world.neighbors.offsets.size(); ++row) {
            const WeightOf weight_of(options, static_cast<double>(world.dims[row % 2]));
            for (auto i = world.neighbors.offsets[row]; i < world.neighbors.offsets[row + 1]; ++i) {
                weights.push_back(
                    static_cast<double>(weight_of(world.neighbors.distances[static_cast<std::size_t>(i)])));
            }
        }
        for (const int threads : {1, 3}) {
            const Histogram histogram = histogram_of_weights(world.neighbors, grouped(world.codes, 2),
                                                             world.dims, options, threads, {});
            CHECK(total(histogram) == static_cast<std::int64_t>(weights.size()));
            CHECK(histogram.counts == counted(weights, histogram.edges));
            CHECK(histogram.counts.front() > 0);
            CHECK(histogram.counts.back() > 0);
        }
    }
}

TEST_CASE("weights that are on the edges are counted above them") {
    // Angular weights 1 - d / 2: 0, 0.02, ..., 1.
    Neighbors neighbors{.offsets = {0, 51}, .targets = std::vector<std::int64_t>(51, 0), .distances = {}};
    for (int i = 0; i <= 50; ++i) neighbors.distances.push_back(static_cast<float>(2.0 * i / 50));
    const std::vector<std::int32_t> codes{0};
    const std::vector<std::int64_t> dims{1};
    const Histogram histogram = histogram_of_weights(neighbors, grouped(codes, 1), dims, {}, 1, {});
    std::vector<double> weights;
    for (const float d : neighbors.distances) {
        weights.push_back(static_cast<double>(static_cast<float>(1.0 - static_cast<double>(d) / 2)));
    }
    CHECK(histogram.counts == counted(weights, histogram.edges));
    CHECK(total(histogram) == 51);
}

TEST_CASE("weights that are all equal, none at all, or beyond float32") {
    const std::vector<std::int32_t> codes{0};
    const std::vector<std::int64_t> dims{1};
    Neighbors neighbors{.offsets = {0, 2}, .targets = {0, 0}, .distances = {0.5F, 0.5F}};
    Histogram histogram = histogram_of_weights(neighbors, grouped(codes, 1), dims, {}, 2, {});
    CHECK(histogram.counts == std::vector<std::int64_t>{2});
    CHECK(histogram.edges[0] <= 0.75);
    CHECK(histogram.edges[1] > 0.75);
    LinkOptions options;
    options.metric = Metric::dot;
    neighbors.distances = {static_cast<float>(-infinite), 1.0F};
    histogram = histogram_of_weights(neighbors, grouped(codes, 1), dims, options, 2, {});
    CHECK(total(histogram) == 2);
    CHECK(std::all_of(histogram.edges.begin(), histogram.edges.end(),
                      [](double e) { return std::isfinite(e); }));
    neighbors = {.offsets = {0, 0}, .targets = {}, .distances = {}};
    histogram = histogram_of_weights(neighbors, grouped(codes, 1), dims, {}, 2, {});
    CHECK(histogram.edges.empty());
    CHECK(histogram.counts.empty());
}

TEST_CASE("rows by their links: bad rows are left out") {
    const CsrGraph graph = graph_of({3, 0, 1, 3});
    std::vector<RowStatus> status(4, RowStatus::ok);
    Histogram from = histogram_of_links_from(graph, status);
    CHECK(from.edges == std::vector<double>{0, 1, 2, 3, 4});
    CHECK(from.counts == std::vector<std::int64_t>{1, 1, 0, 2});
    const Histogram to = histogram_of_links_to(graph, status);  // 3, 2, 2, 0
    CHECK(to.edges == std::vector<double>{0, 1, 2, 3, 4});
    CHECK(to.counts == std::vector<std::int64_t>{1, 0, 2, 1});
    status[1] = RowStatus::zero_norm;
    from = histogram_of_links_from(graph, status);
    CHECK(from.counts == std::vector<std::int64_t>{0, 1, 0, 2});
    status.assign(4, RowStatus::null_group);
    CHECK(histogram_of_links_from(graph, status).counts.empty());
}

TEST_CASE("many links a row make wide bins, and a few hubs one of their own") {
    std::vector<std::int64_t> degrees;
    for (std::int64_t i = 0; i < 5000; ++i) degrees.push_back(i % 100);
    degrees.push_back(4000);
    const CsrGraph graph = graph_of(degrees);
    const std::vector<RowStatus> status(degrees.size(), RowStatus::ok);
    const Histogram from = histogram_of_links_from(graph, status);
    CHECK(from.counts.size() <= 41);
    CHECK(from.edges[1] == 5);
    CHECK(from.counts[0] == 250);
    CHECK(from.edges.back() == 4001);
    CHECK(from.counts.back() == 1);
    CHECK(from.edges[from.edges.size() - 2] == 100);
    CHECK(total(from) == 5001);
}
