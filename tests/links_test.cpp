#include "links/cut.hpp"
#include "links/mode.hpp"
#include "links/similarity.hpp"

#include <grouplink/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stop_token>
#include <thread>

using namespace grouplink;

namespace {

/// Rows 0, 1, 2 in a group and 3, 4 in another, distances as if angular.
Neighbors small_neighbors() {
    return {.offsets = {0, 2, 4, 6, 7, 8},
            .targets = {1, 2, 0, 2, 1, 0, 4, 3},
            .distances = {0.2F, 0.6F, 0.2F, 0.4F, 0.4F, 0.6F, 1.0F, 1.0F}};
}

RowsByGroup small_groups() { return {.offsets = {0, 3, 5}, .rows = {0, 1, 2, 3, 4}}; }

const std::vector<std::int64_t> dims{8, 8};

}  // namespace

TEST_CASE("weights of distances") {
    LinkOptions options;
    CHECK(WeightOf(options, 1)(0.0F) == 1.0F);
    CHECK(WeightOf(options, 1)(2.0F) == 0.0F);
    CHECK(WeightOf(options, 1)(0.5F) == 0.75F);
    options.similarity = Similarity::half_cosine;  // cos = 0.875 at d = 0.5
    CHECK(WeightOf(options, 1)(0.5F) == 0.9375F);
    CHECK(WeightOf(options, 1)(2.0F) == 0.0F);
    options.similarity = Similarity::cosine;
    CHECK(WeightOf(options, 1)(0.5F) == 0.875F);
    CHECK(WeightOf(options, 1)(1.9F) == 0.0F);
    options.similarity = Similarity::angular;
    options.metric = Metric::euclidean;
    CHECK(WeightOf(options, 1)(3.0F) == 0.25F);
    options.metric = Metric::manhattan;
    CHECK(WeightOf(options, 1)(1.0F) == 0.5F);
    options.metric = Metric::hamming;
    CHECK(WeightOf(options, 8)(2.0F) == 0.75F);
    options.metric = Metric::dot;
    CHECK(WeightOf(options, 1)(-7.0F) == 7.0F);
    CHECK_FALSE(std::signbit(WeightOf(options, 1)(0.0F)));
}

TEST_CASE("the cut: the stricter of both thresholds, quantiles as numpy's") {
    // The weights are .9 .7 .9 .8 .8 .7 | .5 .5; numpy.quantile gives the figures below.
    LinkOptions options;
    const auto cut = [&] { return find_cut(small_neighbors(), small_groups(), dims, options, {}); };
    options.similarity_min = 0.3;
    CHECK(cut().lowest == 0.3);
    options.similarity_min_q = 0.5;
    CHECK(cut().lowest == doctest::Approx(0.75));
    options.similarity_min_q = 0.9;
    CHECK(cut().lowest == doctest::Approx(0.9));
    options.similarity_min_q = 1.0;
    CHECK(cut().lowest == doctest::Approx(0.9));
    options.similarity_min_q = 0.1;
    CHECK(cut().lowest == doctest::Approx(0.5));
    options.similarity_min = 0.6;
    CHECK(cut().lowest == 0.6);
    options.similarity_min = 0.0;
    options.similarity_min_q = 0.5;
    options.quantile_scope = QuantileScope::group;
    CHECK(cut().of_group[0] == doctest::Approx(0.8));
    CHECK(cut().of_group[1] == doctest::Approx(0.5));
    CHECK(cut().lowest == doctest::Approx(0.5));
    options.similarity_min_q = 0.3;  // of .7 .7 .8 .8 .9 .9 at place 1.5
    CHECK(cut().of_group[0] == doctest::Approx(0.75));
}

TEST_CASE("the quantile of very many weights, which are not copied") {
    constexpr std::size_t count = (std::size_t{1} << 20) + 3;
    Neighbors many{.offsets = {0, static_cast<std::int64_t>(count)},
                   .targets = std::vector<std::int64_t>(count, 0),
                   .distances = {}};
    std::vector<double> weights;
    for (std::size_t i = 0; i < count; ++i) {
        many.distances.push_back(static_cast<float>(i) * (2.0F / static_cast<float>(count)));
        weights.push_back(
            static_cast<double>(static_cast<float>(1.0 - static_cast<double>(many.distances[i]) / 2)));
    }
    std::reverse(weights.begin(), weights.end());
    const RowsByGroup alone{.offsets = {0, 1}, .rows = {0}};
    for (const double q : {0.001, 0.25, 0.5, 0.9, 1.0}) {
        const double place = q * static_cast<double>(count - 1);
        const auto low = static_cast<std::size_t>(place);
        const double high = weights[std::min(low + 1, count - 1)];
        const double expected = weights[low] + (high - weights[low]) * (place - static_cast<double>(low));
        const Cut cut = find_cut(many, alone, std::vector<std::int64_t>{8}, {.similarity_min_q = q}, {});
        CHECK(cut.lowest == doctest::Approx(expected).epsilon(1e-12));
    }
}

TEST_CASE("a stop ends the search for the cut") {
    std::stop_source source;
    source.request_stop();
    for (const QuantileScope scope : {QuantileScope::all, QuantileScope::group}) {
        LinkOptions options{.similarity_min_q = 0.5};
        options.quantile_scope = scope;
        try {
            find_cut(small_neighbors(), small_groups(), dims, options,
                     {.on_progress = {}, .stop = source.get_token()});
            FAIL("was not stopped");
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::cancelled);
        }
    }
}

TEST_CASE("the cut of nothing is similarity_min") {
    const LinkOptions options{.similarity_min = 0.25, .similarity_min_q = 0.5};
    const Neighbors none{.offsets = {0, 0}, .targets = {}, .distances = {}};
    const RowsByGroup alone{.offsets = {0, 1}, .rows = {0}};
    for (const QuantileScope scope : {QuantileScope::all, QuantileScope::group}) {
        LinkOptions scoped = options;
        scoped.quantile_scope = scope;
        const Cut cut = find_cut(none, alone, std::vector<std::int64_t>{8}, scoped, {});
        CHECK(cut.of_group == std::vector<double>{0.25});
    }
}

TEST_CASE("both thresholds are inclusive") {
    LinkOptions options{.similarity_min = 0.5};
    const Cut cut = find_cut(small_neighbors(), small_groups(), dims, options, {});
    const auto kept = kept_neighbors(small_neighbors(), small_groups(), dims, cut, options, 2, {});
    CHECK(kept == std::vector<std::int64_t>{2, 2, 2, 1, 1});
    options.similarity_min = 0.500001;
    const Cut stricter = find_cut(small_neighbors(), small_groups(), dims, options, {});
    CHECK(kept_neighbors(small_neighbors(), small_groups(), dims, stricter, options, 2, {}) ==
          std::vector<std::int64_t>{2, 2, 2, 0, 0});
    options = {.similarity_min_q = 1.0};
    const Cut top = find_cut(small_neighbors(), small_groups(), dims, options, {});
    CHECK(kept_neighbors(small_neighbors(), small_groups(), dims, top, options, 2, {}) ==
          std::vector<std::int64_t>{1, 1, 0, 0, 0});
}

TEST_CASE("link modes") {
    // 0 -> 1 (.2), 1 -> 0 (.2), 2 -> 1 (.4), 1 -> 2 cut off, 3 -> 4, 4 cut off.
    const std::vector<std::int64_t> kept{1, 1, 0, 1, 0};
    Neighbors neighbors = small_neighbors();
    std::vector<std::int64_t> with_two = kept;
    with_two[2] = 2;

    const Neighbors directed = apply_mode(neighbors, with_two, LinkMode::directed, 2, {});
    CHECK(directed.offsets == std::vector<std::int64_t>{0, 1, 2, 4, 5, 5});
    CHECK(directed.targets == std::vector<std::int64_t>{1, 0, 1, 0, 4});

    const Neighbors mutual = apply_mode(neighbors, with_two, LinkMode::mutual, 2, {});
    CHECK(mutual.offsets == std::vector<std::int64_t>{0, 1, 2, 2, 2, 2});
    CHECK(mutual.targets == std::vector<std::int64_t>{1, 0});

    const Neighbors symmetric = apply_mode(neighbors, with_two, LinkMode::symmetric, 2, {});
    CHECK(symmetric.offsets == std::vector<std::int64_t>{0, 2, 4, 6, 7, 8});
    CHECK(symmetric.targets == std::vector<std::int64_t>{1, 2, 0, 2, 1, 0, 4, 3});
    CHECK(symmetric.distances == std::vector<float>{0.2F, 0.6F, 0.2F, 0.4F, 0.4F, 0.6F, 1.0F, 1.0F});
}

TEST_CASE("the progress of a mode only ever grows, and a stop is heard") {
    constexpr std::int64_t rows = 200'000;
    constexpr std::int64_t links = 6;
    Neighbors ring;
    for (std::int64_t row = 0; row < rows; ++row) {
        ring.offsets.push_back(row * links);
        for (std::int64_t i = 1; i <= links; ++i) {
            ring.targets.push_back((row * 7919 + i) % rows);
            ring.distances.push_back(static_cast<float>(i));
        }
    }
    ring.offsets.push_back(rows * links);
    const std::vector<std::int64_t> kept(static_cast<std::size_t>(rows), links);
    for (const LinkMode mode : {LinkMode::mutual, LinkMode::symmetric}) {
        double last = 0.0;
        JobControl control;
        control.on_progress = [&](const Progress& progress) {
            CHECK(progress.stage == "links");
            CHECK(progress.done >= last);
            last = progress.done;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));  // so that the next unit reports too
        };
        apply_mode(ring, kept, mode, 2, control);
        std::stop_source source;
        source.request_stop();
        CHECK_THROWS_WITH_AS(apply_mode(ring, kept, mode, 2, {.on_progress = {}, .stop = source.get_token()}),
                             "cancelled", Error);
    }
}
