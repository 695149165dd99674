#include <grouplink/error.hpp>
#include <grouplink/link.hpp>
#include <grouplink/search.hpp>

#include "support/oracle.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

using namespace grouplink;

namespace {

constexpr auto metrics = {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::hamming,
                          Metric::dot};

std::string message(const MatrixView& queries, const MatrixView& base, const LinkOptions& options = {},
                    std::span<const std::int64_t> own = {}) {
    try {
        find_nearest(queries, base, options, own);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("the nearest rows are those of brute force, at any number of threads") {
    std::mt19937_64 random(5);
    oracle::Rows base = oracle::gaussian_rows(300, 12, random);
    oracle::Rows queries = oracle::gaussian_rows(70, 12, random);
    base.values[17] = base.values[3];
    queries.values[0] = base.values[3];
    const oracle::Packed packed_base(base, ElementType::float64);
    const oracle::Packed packed_queries(queries, ElementType::float64);
    for (const Metric metric : metrics) {
        const NearestRows found = find_nearest(packed_queries.view(), packed_base.view(),
                                               {.n_nearest = 6, .metric = metric, .threads = 3});
        REQUIRE(found.k == 6);
        for (std::size_t q = 0; q < queries.values.size(); ++q) {
            std::vector<std::pair<float, std::int64_t>> exact;
            for (std::size_t b = 0; b < base.values.size(); ++b) {
                exact.emplace_back(
                    static_cast<float>(oracle::distance(queries.values[q], base.values[b], metric)), b);
            }
            std::sort(exact.begin(), exact.end());
            for (std::size_t j = 0; j < 6; ++j) {
                const double wanted = exact[j].first;
                const double distance = found.distances[q * 6 + j];
                CHECK(std::abs(distance - wanted) <= 1e-6 * std::max(1.0, std::abs(wanted)));
            }
        }
        const NearestRows alone = find_nearest(packed_queries.view(), packed_base.view(),
                                               {.n_nearest = 6, .metric = metric, .threads = 1});
        CHECK(alone.targets == found.targets);
        CHECK(alone.distances == found.distances);
    }
}

TEST_CASE("rows searched among themselves, but for themselves, are linked") {
    std::mt19937_64 random(6);
    oracle::Rows rows = oracle::gaussian_rows(150, 8, random);
    rows.values[40] = rows.values[41];
    const oracle::Packed packed(rows, ElementType::float32);
    std::vector<std::int64_t> own(150);
    std::iota(own.begin(), own.end(), 0);
    for (const Metric metric : metrics) {
        const LinkOptions options{.n_nearest = 5, .similarity_min = -1e9, .metric = metric};
        const NearestRows found = find_nearest(packed.view(), packed.view(), options, own);
        CHECK(found.targets == build_links(packed.view(), single_group(150), options).graph.targets);
    }
}

TEST_CASE("fewer rows than asked for, and none") {
    std::mt19937_64 random(7);
    oracle::Rows rows = oracle::gaussian_rows(3, 4, random);
    const oracle::Packed packed(rows, ElementType::float16);
    CHECK(find_nearest(packed.view(), packed.view()).k == 3);
    const std::vector<std::int64_t> own{0, -1, 2};
    const NearestRows found = find_nearest(packed.view(), packed.view(), {}, own);
    CHECK(found.k == 2);
    CHECK(found.targets[2] == 1);  // which is not left out
    MatrixView none = packed.view();
    none.rows = 0;
    CHECK(find_nearest(none, packed.view()).targets.empty());
    CHECK(find_nearest(packed.view(), none).k == 0);
}

TEST_CASE("what cannot be searched is refused") {
    oracle::Rows rows{{{1, 2}, {3, 4}}, {}};
    oracle::Rows wide{{{1, 2, 3}}, {}};
    oracle::Rows bad{{{1, 2}, {std::numeric_limits<double>::infinity(), 1}}, {}};
    const oracle::Packed two(rows, ElementType::float32);
    const oracle::Packed three(wide, ElementType::float32);
    const oracle::Packed infinite(bad, ElementType::float32);
    const oracle::Packed doubles(rows, ElementType::float64);
    CHECK(message(three.view(), two.view()) == "queries: dim is 3, but the rows of the base have 2");
    CHECK(message(doubles.view(), two.view()) ==
          "queries: are of another element type than the rows of the base");
    CHECK(message(two.view(), infinite.view()) ==
          "base: 1 of 2 rows cannot be linked: 1 non_finite (row 1); leave them out");
    CHECK(message(two.view(), two.view(), {.n_nearest = 0}) == "n_nearest: got 0, must be at least 1");
    const std::vector<std::int64_t> short_own{0};
    CHECK(message(two.view(), two.view(), {}, short_own) ==
          "own: 1 rows for 2 queries; there must be one a query");
    const std::vector<std::int64_t> far_own{0, 2};
    CHECK(message(two.view(), two.view(), {}, far_own) ==
          "own: query 1 has row 2, but must have -1 or a row below 2");
}

TEST_CASE("a search stops when asked to") {
    std::mt19937_64 random(8);
    oracle::Rows rows = oracle::gaussian_rows(40, 4, random);
    const oracle::Packed packed(rows, ElementType::float32);
    std::stop_source stop;
    stop.request_stop();
    const JobControl control{{}, stop.get_token()};
    CHECK_THROWS_AS(find_nearest(packed.view(), packed.view(), {}, {}, control), Error);
}
