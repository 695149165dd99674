// Where float32 is not enough: the exact result all the same.

#include <grouplink/link.hpp>

#include "plan/plan.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

using namespace grouplink;

namespace {

constexpr double no_threshold = -1e300;

bool same(const CsrGraph& a, const CsrGraph& b) {
    return a.offsets == b.offsets && a.targets == b.targets && a.weights == b.weights;
}

/// How far, at most and relatively, a neighbor is from being as near as the one that belongs in its
/// place; of a graph of one group and no threshold.
double farthest_off(const oracle::Rows& rows, const CsrGraph& graph, Metric metric) {
    double worst = 0;
    for (std::size_t row = 0; row < rows.values.size(); row += 7) {
        std::vector<double> all;
        for (std::size_t other = 0; other < rows.values.size(); ++other) {
            if (other != row) all.push_back(oracle::distance(rows.values[row], rows.values[other], metric));
        }
        std::sort(all.begin(), all.end());
        const auto first = static_cast<std::size_t>(graph.offsets[row]);
        for (std::size_t i = first; i < static_cast<std::size_t>(graph.offsets[row + 1]); ++i) {
            const auto target = static_cast<std::size_t>(graph.targets[i]);
            const double found = oracle::distance(rows.values[row], rows.values[target], metric);
            worst = std::max(worst, std::abs(found - all[i - first]) / std::abs(all[i - first]));
        }
    }
    return worst;
}

}  // namespace

TEST_CASE("rows that float32 cannot tell apart are searched again and come out right") {
    std::mt19937_64 random(6);
    for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::manhattan}) {
        oracle::Rows data = oracle::clustered_rows(900, 24, 3, 1e-6, random);
        const oracle::Packed packed(data, ElementType::float64);
        const LinkOptions options{
            .n_nearest = 8, .similarity_min = no_threshold, .metric = metric, .threads = 2};
        const LinkResult result = build_links(packed.view(), single_group(900), options);
        CAPTURE(name(metric));
        CHECK(result.report.researched_rows > 0);
        CHECK(farthest_off(data, result.graph, metric) < 1e-6);
    }
}

TEST_CASE("rows searched again, with duplicates and ties, several blocks of them") {
    std::mt19937_64 random(16);
    for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::dot}) {
        oracle::Rows data = oracle::clustered_rows(1100, 8, 2, 1e-9, random);
        for (std::size_t i = 0; i < 200; ++i) data.values[random() % 1100] = data.values[random() % 1100];
        for (std::size_t i = 0; i < 100; ++i) {  // equal in all but a digit that no distance shows
            data.values[700 + i] = data.values[3];
            data.values[700 + i][1] *= 1 + static_cast<double>(i) * 1e-16;
        }
        const oracle::Packed packed(data, ElementType::float64);
        CAPTURE(name(metric));
        for (const std::int64_t k : {1, 15, 250}) {
            LinkOptions options{
                .n_nearest = k, .similarity_min = no_threshold, .metric = metric, .threads = 1};
            const LinkResult result = build_links(packed.view(), single_group(1100), options);
            CAPTURE(k);
            CHECK(result.report.researched_rows > 0);
            CHECK(oracle::check(data, single_group(1100), std::vector<bool>(1100, true), options,
                                result.graph) == "");
            options.threads = 3;
            CHECK(same(build_links(packed.view(), single_group(1100), options).graph, result.graph));
        }
    }
}

TEST_CASE("rows searched again among codes: near duplicates, and ties everywhere") {
    constexpr std::int64_t rows = 1600;
    std::mt19937_64 random(26);
    for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::dot}) {
        REQUIRE(wants_codes(metric, rows, 64, 7));
        for (const bool ties : {false, true}) {
            if (metric == Metric::dot && !ties) continue;  // inner products differ more than distances
            oracle::Rows data = oracle::clustered_rows(rows, 64, 12, 0.02, random);
            for (std::size_t i = 0; ties && i < data.values.size(); ++i) {
                for (double& component : data.values[i]) component = random() % 12 == 0 ? 1.0 : 0.0;
                data.values[i][i % 64] = 1.0;
            }
            const oracle::Packed packed(data, ElementType::float32);
            LinkOptions options{
                .n_nearest = 7, .similarity_min = no_threshold, .metric = metric, .threads = 1};
            options.index = IndexKind::flat;
            const LinkResult result = build_links(packed.view(), single_group(rows), options);
            CAPTURE(name(metric));
            CAPTURE(ties);
            CHECK(result.report.researched_rows > 20);  // fewer by float32 than by codes
            CHECK(oracle::check(data, single_group(rows), std::vector<bool>(rows, true), options,
                                result.graph) == "");
            options.threads = 3;
            CHECK(same(build_links(packed.view(), single_group(rows), options).graph, result.graph));
        }
    }
}

TEST_CASE("neither a narrow cone nor a row far off leaves rows to be searched again") {
    std::mt19937_64 random(17);
    for (const double far : {1.0, 1e6, 1e15}) {
        for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::dot}) {
            oracle::Rows data = oracle::gaussian_rows(700, 32, random);
            if (metric == Metric::angular) {
                // Cosines within 1e-5 of one another.
                for (auto& row : data.values) {
                    for (double& component : row) component = 1.0 + 1e-3 * component;
                }
            }
            for (double& component : data.values[77]) component *= metric == Metric::angular ? -far : far;
            const oracle::Packed packed(data, ElementType::float32);
            const LinkOptions options{.n_nearest = 6, .similarity_min = no_threshold, .metric = metric};
            const LinkResult result = build_links(packed.view(), single_group(700), options);
            CAPTURE(far);
            CAPTURE(name(metric));
            CHECK(result.report.researched_rows <= 7);
            CHECK(farthest_off(data, result.graph, metric) < 1e-6);
        }
    }
}

TEST_CASE("offsets and scales far from one cost no precision") {
    std::mt19937_64 random(7);
    for (const double scale : {1e-30, 1e-6, 1e12, 1e30}) {
        for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::dot}) {
            // A score is a float32: an inner product of 1e60 is none.
            if (metric == Metric::dot && std::abs(std::log10(scale)) > 15) continue;
            oracle::Rows data = oracle::gaussian_rows(700, 12, random);
            for (auto& row : data.values) {
                for (double& component : row) {
                    component = (component + (metric == Metric::euclidean ? 1e4 : 0.0)) * scale;
                }
            }
            const oracle::Packed packed(data, ElementType::float64);
            const LinkOptions options{
                .n_nearest = 4, .similarity_min = no_threshold, .metric = metric, .threads = 2};
            const LinkResult result = build_links(packed.view(), single_group(700), options);
            CAPTURE(scale);
            CAPTURE(name(metric));
            CHECK(farthest_off(data, result.graph, metric) < 1e-6);
        }
    }
}

TEST_CASE("distances that float32 cannot hold are all alike, and go by row") {
    std::mt19937_64 random(15);
    oracle::Rows data = oracle::gaussian_rows(700, 16, random);
    for (auto& row : data.values) {
        for (double& component : row) component *= 1e39;
    }
    const oracle::Packed packed(data, ElementType::float64);
    const LinkOptions options{.n_nearest = 5, .similarity_min = no_threshold, .metric = Metric::euclidean};
    const CsrGraph graph = build_links(packed.view(), single_group(700), options).graph;
    for (std::int64_t i = 0; i < 5; ++i)
        CHECK(graph.targets[static_cast<std::size_t>(graph.offsets[699] + i)] == i);
}

TEST_CASE("a stop is heard while rows are searched again, and progress only grows") {
    std::mt19937_64 random(18);
    oracle::Rows data = oracle::clustered_rows(2500, 64, 2, 1e-9, random);
    const oracle::Packed packed(data, ElementType::float64);
    const LinkOptions options{.metric = Metric::euclidean, .threads = 1};
    for (const bool stops : {false, true}) {
        std::stop_source source;
        JobControl control{.on_progress = {}, .stop = source.get_token()};
        double last = 0.0;
        control.on_progress = [&](const Progress& progress) {
            if (progress.stage != "knn") return;
            CHECK(progress.done >= last);
            last = progress.done;
            if (stops && last > 0.95) source.request_stop();
            std::this_thread::sleep_for(
                std::chrono::milliseconds(stops ? 100 : 0));  // the next unit reports too
        };
        bool stopped = false;
        try {
            const LinkResult result = build_links(packed.view(), single_group(2500), options, control);
            CHECK(result.report.researched_rows > 0);
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::cancelled);
            stopped = true;
        }
        CHECK(stopped == source.stop_requested());
    }
}

TEST_CASE("rows of a very large group are made again for those that have to be searched again") {
    // Of the first rows each is as far from any other: which of them are links is a matter of row numbers.
    constexpr std::int64_t rows = 5200;
    constexpr std::int64_t dim = 3300;
    constexpr std::size_t alike = 40;
    std::mt19937_64 random(9);
    std::vector<float> values(static_cast<std::size_t>(rows * dim));
    for (float& value : values) value = static_cast<float>(random() % 2048) / 1024.0F - 1.0F;
    for (std::size_t i = 0; i < alike; ++i) {
        std::fill_n(values.data() + i * static_cast<std::size_t>(dim), dim, 0.5F);
        values[i * static_cast<std::size_t>(dim) + i] = 1.0F;
    }
    REQUIRE(is_memory_short(rows, dim));
    const LinkOptions options{.n_nearest = 10, .metric = Metric::euclidean, .index = IndexKind::flat};
    const LinkResult result = build_links(matrix_view(values, dim), single_group(rows), options);
    CHECK(result.report.researched_rows >= static_cast<std::int64_t>(alike));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < alike; ++i) {
        std::int64_t expected = 0;
        for (std::size_t m = 0; m < 10; ++m, ++expected) {
            expected += expected == static_cast<std::int64_t>(i);
            wrong += result.graph.targets[i * 10 + m] != expected;
        }
    }
    CHECK(wrong == 0);
}
