#include "knn/recall.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace grouplink;
using knn::RowRecall;

TEST_CASE("an estimate of recall with nothing to say") {
    const RecallEstimate none = knn::estimate_recall({});
    CHECK(none.rows == 0);
    CHECK(none.recall == 1.0);
    const RecallEstimate nothing_expected = knn::estimate_recall({{0, 0}, {0, 0}});
    CHECK(nothing_expected.rows == 2);
    CHECK(nothing_expected.recall == 1.0);
}

TEST_CASE("rows that are all alike count once each") {
    // Wilson's interval of 400 successes in 400 draws: 1 / (1 + z^2 / n).
    const RecallEstimate all = knn::estimate_recall(std::vector<RowRecall>(400, {15, 15}));
    CHECK(all.recall == 1.0);
    CHECK(all.high == 1.0);
    CHECK(all.low == doctest::Approx(1.0 / (1.0 + 3.841458820694124 / 400)).epsilon(1e-9));
    const RecallEstimate none = knn::estimate_recall(std::vector<RowRecall>(400, {0, 15}));
    CHECK(none.recall == 0.0);
    CHECK(none.low == 0.0);
    CHECK(none.high == doctest::Approx(1.0 - all.low).epsilon(1e-9));
}

TEST_CASE("rows of one neighbor have Wilson's interval itself") {
    std::vector<RowRecall> rows(90, {1, 1});
    rows.insert(rows.end(), 10, {0, 1});
    const RecallEstimate estimate = knn::estimate_recall(rows);
    CHECK(estimate.recall == doctest::Approx(0.9));
    // statsmodels.stats.proportion.proportion_confint(90, 100, method="wilson")
    CHECK(estimate.low == doctest::Approx(0.8256343384).epsilon(2e-3));
    CHECK(estimate.high == doctest::Approx(0.9447708629).epsilon(2e-3));
}

TEST_CASE("the interval covers the truth as often as it says, narrower than one draw a row") {
    std::mt19937_64 random(1);
    constexpr int trials = 2000;
    constexpr std::size_t sample = 300;
    int covered = 0;
    double width = 0.0;
    std::gamma_distribution<double> heavy(18.0, 1.0);
    std::gamma_distribution<double> light(2.0, 1.0);
    for (int trial = 0; trial < trials; ++trial) {
        std::vector<RowRecall> rows;
        for (std::size_t i = 0; i < sample; ++i) {
            // Beta-binomial: neighbors of a row are found or missed together to a degree.
            const double a = heavy(random);
            const double share = a / (a + light(random));
            std::binomial_distribution<std::int64_t> found(15, share);
            rows.push_back({found(random), 15});
        }
        const RecallEstimate estimate = knn::estimate_recall(rows);
        covered += estimate.low <= 0.9 && 0.9 <= estimate.high;
        width += (estimate.high - estimate.low) / trials;
    }
    CHECK(covered > trials * 0.93);
    CHECK(covered < trials * 0.97);
    CHECK(width < 0.03);  // one draw a row: 0.068
}
