#include "knn/candidates.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/key.hpp"
#include "knn/unique.hpp"
#include "plan/plan.hpp"
#include "support/forced_isa.hpp"
#include "support/oracle.hpp"

#include <grouplink/link.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>

using namespace grouplink;

namespace {

constexpr Metric metrics[] = {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::hamming,
                              Metric::dot};

}  // namespace

TEST_CASE("a key's order is that of value, then row") {
    const float values[] = {
        -std::numeric_limits<float>::infinity(), -3.5F, -1e-40F, 0.0F, 1e-40F, 2.0F, 1e30F};
    for (std::size_t i = 0; i + 1 < std::size(values); ++i) {
        CHECK(knn::make_key(values[i], 9) < knn::make_key(values[i + 1], 0));
        CHECK(knn::make_key(values[i], 3) < knn::make_key(values[i], 4));
        CHECK(knn::key_value(knn::make_key(values[i], 7)) == values[i]);
        CHECK(knn::key_row(knn::make_key(values[i], 0xfffffff0U)) == 0xfffffff0U);
    }
    CHECK(knn::make_key(-0.0F, 1) == knn::make_key(0.0F, 1));
}

TEST_CASE("keys that are more or less in order are sorted") {
    std::mt19937_64 random(3);
    for (std::size_t n = 0; n < 60; ++n) {
        for (const std::size_t swaps : {std::size_t{0}, std::size_t{2}, n, 9 * n}) {
            std::vector<knn::Key> keys(n);
            for (std::size_t i = 0; i < n; ++i) keys[i] = i / 2 * 10;
            for (std::size_t s = 0; n > 0 && s < swaps; ++s)
                std::swap(keys[random() % n], keys[random() % n]);
            std::vector<knn::Key> sorted = keys;
            std::sort(sorted.begin(), sorted.end());
            knn::sort_nearly_sorted(keys);
            CHECK(keys == sorted);
        }
        std::vector<knn::Key> falling(n);
        for (std::size_t i = 0; i < n; ++i) falling[i] = n - i;
        knn::sort_nearly_sorted(falling);
        CHECK(std::is_sorted(falling.begin(), falling.end()));
    }
}

TEST_CASE("groups that are searched directly, up to more rows than are ranked at once") {
    std::mt19937_64 random(41);
    for (const std::int64_t rows : {63, 64, 65, 127, 128, 129, 200, 231, 300, 512}) {
        // With ties, and rows that are equal.
        oracle::Rows data = oracle::gaussian_rows(rows, 6, random);
        for (auto& row : data.values) {
            for (double& component : row) component = std::round(component * 2.0);
            row[0] = 5.0;
        }
        const oracle::Packed packed(data, ElementType::float32);
        for (const std::int64_t k : {1, 15, 31, 33, 60, 70}) {
            const LinkOptions options{
                .n_nearest = k, .similarity_min = -1e300, .metric = metrics[(rows + k) % 5], .threads = 1};
            const Plan plan = make_plan(std::vector<GroupShape>{{rows, 6}}, options);
            const bool screened = wants_screening(options.metric, rows, k);
            CHECK(screened == (options.metric == Metric::angular && rows >= 84 + 4 * k));
            CHECK((plan.groups.front().path == FlatPath::direct) == (screened || rows <= 112 + 8 * k));
            CAPTURE(rows);
            CAPTURE(k);
            const LinkResult result = build_links(packed.view(), single_group(rows), options);
            CHECK(oracle::check(data, single_group(rows),
                                std::vector<bool>(static_cast<std::size_t>(rows), true), options,
                                result.graph) == "");
        }
    }
}

TEST_CASE("a screened group has the links that the canonical scoring of all pairs gives, to the last bit") {
    enum class Kind { random, cone, ties, close, copies };
    std::mt19937_64 random(43);
    for (const Kind kind : {Kind::random, Kind::cone, Kind::ties, Kind::close, Kind::copies}) {
        for (const std::int64_t rows : {105, 144, 150, 300, 512, 1024}) {
            const std::size_t dim = rows == 150 || rows == 300 ? 333 : rows == 512 ? 7 : 24;
            oracle::Rows data = oracle::gaussian_rows(rows, static_cast<std::int64_t>(dim), random);
            for (std::size_t i = 0; i < data.values.size(); ++i) {
                std::vector<double>& row = data.values[i];
                const std::vector<double>& other = data.values[random() % (i + 1)];
                for (std::size_t c = 0; c < dim; ++c) {
                    switch (kind) {
                        case Kind::random: break;
                        case Kind::cone: row[c] = row[c] * 1e-3 + 1.0; break;  // all scores within the margin
                        case Kind::ties: row[c] = std::round(row[c]); break;
                        case Kind::close:
                            row[c] = other[c] * (1.0 + 1e-6 * static_cast<double>(random() % 7));
                            break;
                        case Kind::copies: row[c] = i % 3 ? other[c] : row[c]; break;
                    }
                }
                row[0] += 5.0;  // no row of zeros
            }
            for (const ElementType type :
                 {ElementType::float16, ElementType::float32, ElementType::float64, ElementType::int8}) {
                const oracle::Packed packed(data, type);
                for (const std::int64_t k : {5, 15}) {
                    const LinkOptions options{.n_nearest = k, .similarity_min = -1e300, .threads = 1};
                    const Plan plan =
                        make_plan(std::vector<GroupShape>{{rows, static_cast<std::int64_t>(dim)}}, options);
                    REQUIRE(plan.groups.front().path == FlatPath::direct);
                    REQUIRE(wants_screening(Metric::angular, rows, k) == (rows >= 84 + 4 * k));
                    const knn::RowScorer scorer(packed.view(), Metric::angular, kernels::best());
                    const std::size_t n = knn::RowScorer::loaded_size(dim);
                    const auto count = static_cast<std::size_t>(rows);
                    std::vector<double> loaded(n * count);
                    for (std::size_t i = 0; i < count; ++i)
                        scorer.load(static_cast<std::int64_t>(i), loaded.data() + i * n);
                    std::vector<std::int64_t> targets;
                    std::vector<float> weights;
                    for (std::size_t i = 0; i < count; ++i) {
                        std::vector<std::pair<float, std::int64_t>> expected;
                        for (std::size_t j = 0; j < count; ++j) {
                            const float distance =
                                scorer.distance(loaded.data() + i * n, loaded.data() + j * n, dim);
                            if (i != j) expected.emplace_back(distance, static_cast<std::int64_t>(j));
                        }
                        std::sort(expected.begin(), expected.end());
                        for (std::size_t m = 0; m < static_cast<std::size_t>(k); ++m) {
                            targets.push_back(expected[m].second);
                            weights.push_back(
                                static_cast<float>(1.0 - static_cast<double>(expected[m].first) / 2));
                        }
                    }
                    for (const kernels::Isa isa : available_isas()) {
                        const ForcedIsa forced(isa);
                        const CsrGraph graph = build_links(packed.view(), single_group(rows), options).graph;
                        CAPTURE(kernels::name(isa));
                        CAPTURE(static_cast<int>(kind));
                        CAPTURE(rows);
                        CAPTURE(k);
                        CHECK(graph.targets == targets);
                        CHECK(graph.weights == weights);
                        if (kind != Kind::random) continue;
                        // Tiles have no part in it, but where BLAS makes the products of many rows.
                        const kernels::Table& kernel = kernels::best();
                        const knn::RowScorer own(packed.view(), Metric::angular, kernel);
                        std::vector<std::int64_t> all(count);
                        std::iota(all.begin(), all.end(), std::int64_t{0});
                        const auto links = static_cast<std::size_t>(rows * k);
                        Neighbors neighbors{.offsets = std::vector<std::int64_t>(count + 1, 0),
                                            .targets = std::vector<std::int64_t>(links),
                                            .distances = std::vector<float>(links)};
                        for (std::size_t i = 0; i <= count; ++i)
                            neighbors.offsets[i] = static_cast<std::int64_t>(i) * k;
                        knn::Scratch scratch;
                        const bool done = knn::search_direct({.scorer = own,
                                                              .rows = all,
                                                              .dim = dim,
                                                              .k = static_cast<std::size_t>(k),
                                                              .first_query = 0,
                                                              .last_query = count,
                                                              .neighbors = neighbors},
                                                             scratch);
                        CHECK(done == (rows <= 512 || kernel.ip_tile != nullptr));
                        if (!done) continue;
                        CHECK(neighbors.targets == targets);
                        // Codes leave more pairs than float32 does.
                        if (kernel.s8_tile != nullptr && rows == 1024)
                            CHECK(scratch.counters.scored_pairs > rows * k * 11 / 10);
                    }
                }
            }
        }
    }
}

TEST_CASE("candidate lists keep the best, whatever the order") {
    std::mt19937_64 random(1);
    std::vector<std::pair<float, std::uint32_t>> offers;
    for (std::uint32_t row = 0; row < 500; ++row) offers.emplace_back(static_cast<float>(random() % 40), row);
    auto best = offers;
    std::sort(best.begin(), best.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (int round = 0; round < 20; ++round) {
        std::shuffle(offers.begin(), offers.end(), random);
        knn::CandidateLists lists(3, 10, kernels::best());
        for (const auto& [score, row] : offers) {
            if (score >= lists.threshold(1)) lists.push(1, score, row);
        }
        const auto ranked = lists.ranked(1);
        CHECK(ranked.size() == 10);
        for (std::size_t i = 0; i < ranked.size(); ++i) {
            CHECK(-knn::key_value(ranked[i]) == best[i].first);
            CHECK(knn::key_row(ranked[i]) == best[i].second);
        }
        CHECK(lists.threshold(1) == best[9].first);
        CHECK(lists.ranked(0).empty());
    }
    knn::CandidateLists room(1, 4, kernels::best());
    for (std::uint32_t row = 0; row < 4; ++row) room.push(0, 1.0F, row);
    CHECK(room.ranked(0).size() == 4);
    CHECK(room.threshold(0) == -std::numeric_limits<float>::infinity());  // nothing was let go
    // Lists that are offered no more than ten each need no room for twelve.
    knn::CandidateLists small(2, 8, kernels::best(), 10);
    for (std::uint32_t row = 0; row < 10; ++row) {
        small.push(0, static_cast<float>(row), row);
        small.push(1, 2.0F, row);
    }
    CHECK(knn::key_row(small.ranked(0)[0]) == 9);
    CHECK(small.ranked(0).size() == 8);
    CHECK(small.threshold(0) == 2.0F);
    CHECK(knn::key_row(small.ranked(1)[7]) == 7);
}

TEST_CASE("classes of equal rows") {
    oracle::Rows data;
    for (const double value : {1.0, 2.0, 1.0, 3.0, 2.0, 1.0}) data.values.push_back({value, 5.0});
    const oracle::Packed packed(data, ElementType::float32);
    const std::vector<std::int64_t> rows{0, 1, 2, 3, 4, 5};
    const auto expect = [&](const std::vector<std::uint64_t>& hashes) {
        const knn::UniqueRows unique = knn::find_unique(packed.view(), rows, hashes);
        CHECK(unique.first == std::vector<std::uint32_t>{0, 1, 3});
        CHECK(std::vector<std::uint32_t>(unique.rows_of(0).begin(), unique.rows_of(0).end()) ==
              std::vector<std::uint32_t>{0, 2, 5});
        CHECK(std::vector<std::uint32_t>(unique.rows_of(1).begin(), unique.rows_of(1).end()) ==
              std::vector<std::uint32_t>{1, 4});
        CHECK(unique.rows_of(2).size() == 1);
    };
    std::vector<std::uint64_t> hashes;
    for (const std::int64_t row : rows) hashes.push_back(knn::hash_row(packed.view(), row));
    expect(hashes);
    expect(std::vector<std::uint64_t>(6, 42));  // a hash that tells nothing apart
    const knn::UniqueRows alone =
        knn::find_unique(packed.view(), std::vector<std::int64_t>{0, 1, 3},
                         std::vector<std::uint64_t>{hashes[0], hashes[1], hashes[3]});
    CHECK(alone.offsets.empty());
    CHECK(alone.size() == 3);
    CHECK(alone.rows_of(2)[0] == 2);

    knn::UniqueRows unique = knn::find_unique(packed.view(), rows, hashes);
    unique.reorder(std::vector<std::uint32_t>{2, 0, 1});
    CHECK(unique.first == std::vector<std::uint32_t>{3, 0, 1});
    CHECK(unique.offsets == std::vector<std::uint32_t>{0, 1, 4, 6});
    CHECK(unique.members == std::vector<std::uint32_t>{3, 0, 2, 5, 1, 4});
    unique = alone;
    unique.reorder(std::vector<std::uint32_t>{1, 2, 0});
    CHECK(unique.first == std::vector<std::uint32_t>{1, 2, 0});
    CHECK(unique.offsets.empty());
}

TEST_CASE("hashes of rows that differ in one bit, wherever it is, differ") {
    std::mt19937_64 random(5);
    for (const std::int64_t dim : {1, 3, 8, 31, 32, 33, 71, 200}) {
        oracle::Rows data = oracle::gaussian_rows(1, dim, random);
        const oracle::Packed packed(data, ElementType::int8);
        const auto size = static_cast<std::size_t>(dim);
        std::set<std::uint64_t> seen;
        for (std::size_t bit = 0; bit <= size * 8; ++bit) {
            std::vector<unsigned char> row(static_cast<const unsigned char*>(packed.view().row(0)),
                                           static_cast<const unsigned char*>(packed.view().row(0)) + size);
            if (bit > 0) row[(bit - 1) / 8] ^= static_cast<unsigned char>(1U << (bit - 1) % 8);
            const MatrixView view{.values = row.data(), .type = ElementType::int8, .rows = 1, .dim = dim};
            seen.insert(knn::hash_row(view, 0));
        }
        CHECK(seen.size() == size * 8 + 1);
        const std::vector<unsigned char> zeros(size + 1, 0);
        const MatrixView shorter{.values = zeros.data(), .type = ElementType::int8, .rows = 1, .dim = dim};
        const MatrixView longer{.values = zeros.data(), .type = ElementType::int8, .rows = 1, .dim = dim + 1};
        CHECK(knn::hash_row(shorter, 0) != knn::hash_row(longer, 0));
    }
}

TEST_CASE("canonical distances: brute force in long double, symmetric, zero for equals") {
    std::mt19937_64 random(2);
    for (const Metric metric : metrics) {
        oracle::Rows data = oracle::gaussian_rows(30, 77, random);
        data.values[29] = data.values[0];
        for (std::size_t c = 0; c < 77; ++c)
            data.values[28][c] = data.values[0][c] * (1 + 1e-7 * static_cast<double>(c));
        const oracle::Packed packed(data, ElementType::float64);
        for (const kernels::Isa isa : kernels::all_isas) {
            const auto* kernel = kernels::find(isa);
            if (!kernel) continue;
            const knn::RowScorer scorer(packed.view(), metric, *kernel);
            const std::size_t n = knn::RowScorer::loaded_size(77);
            std::vector<double> x(n), y(n);
            for (std::size_t i = 0; i < 30; ++i) {
                for (std::size_t j = 0; j < 30; ++j) {
                    scorer.load(static_cast<std::int64_t>(i), x.data());
                    scorer.load(static_cast<std::int64_t>(j), y.data());
                    const float distance = scorer.distance(x.data(), y.data(), 77);
                    CHECK(distance == scorer.distance(y.data(), x.data(), 77));
                    const double expected = oracle::distance(data.values[i], data.values[j], metric);
                    CHECK(std::abs(static_cast<double>(distance) - expected) <=
                          1e-7 * std::max(1.0, std::abs(expected)));
                }
            }
            if (metric == Metric::dot) continue;
            scorer.load(0, x.data());
            scorer.load(29, y.data());
            CHECK(scorer.distance(x.data(), y.data(), 77) == 0.0F);
        }
    }
}

TEST_CASE("canonical distances of extreme float64 rows stay finite") {
    oracle::Rows data;
    data.values = {{1e150, -1e150}, {-1e150, 1e150}, {1e-300, 2e-300}, {2e-300, 4e-300}};
    const oracle::Packed packed(data, ElementType::float64);
    std::vector<double> x(knn::RowScorer::loaded_size(2)), y(x.size());
    for (const Metric metric : metrics) {
        const knn::RowScorer scorer(packed.view(), metric, kernels::best());
        for (std::int64_t i = 0; i < 4; ++i) {
            for (std::int64_t j = 0; j < 4; ++j) {
                scorer.load(i, x.data());
                scorer.load(j, y.data());
                CHECK(std::isfinite(scorer.distance(x.data(), y.data(), 2)));
            }
        }
    }
    const knn::RowScorer angular(packed.view(), Metric::angular, kernels::best());
    angular.load(0, x.data());
    angular.load(1, y.data());
    CHECK(angular.distance(x.data(), y.data(), 2) == 2.0F);
    angular.load(2, x.data());
    angular.load(3, y.data());
    CHECK(angular.distance(x.data(), y.data(), 2) == doctest::Approx(0.0));
}

namespace {

/// An index of the rows in the frame that a group of them gets.
knn::FlatIndex index_of(const oracle::Packed& packed, Metric metric, const kernels::Table& kernel,
                        bool codes) {
    const auto rows = static_cast<std::size_t>(packed.view().rows);
    const auto dim = static_cast<std::size_t>(packed.view().dim);
    const knn::RowScorer scorer(packed.view(), metric, kernel);
    std::vector<double> loaded(knn::RowScorer::loaded_size(dim)), sample;
    double max_abs = 0.0;
    for (std::size_t i = 0; i < rows; ++i) {
        scorer.load(static_cast<std::int64_t>(i), loaded.data());
        max_abs = std::max(max_abs, kernel.extent(loaded.data(), ElementType::float64, dim).max_abs);
        const double factor = knn::unit_factor(metric, dim, loaded.data());
        for (std::size_t c = 0; c < dim; ++c) sample.push_back(loaded[c] * factor);
    }
    std::vector<double> center;
    if (knn::needs_center(metric)) center = knn::center_of(sample, rows, dim);
    knn::FlatIndex index(rows, dim, metric, knn::make_frame(metric, max_abs, center), kernel, codes);
    std::vector<float> placed;
    for (std::size_t i = 0; i < rows; ++i) {
        scorer.load(static_cast<std::int64_t>(i), loaded.data());
        index.set(i, loaded.data(), placed);
    }
    return index;
}

}  // namespace

TEST_CASE("the index's scores bound the true ones, closely, and distances are won back") {
    std::mt19937_64 random(3);
    enum class Kind { sizes, cone, outlier };
    for (const Metric metric : metrics) {
        for (const Kind kind : {Kind::sizes, Kind::cone, Kind::outlier}) {
            for (const double shift : {0.0, 30.0}) {
                for (const std::size_t dim : {5U, 96U, 700U}) {
                    const std::size_t rows = 70;
                    oracle::Rows data = oracle::gaussian_rows(rows, static_cast<std::int64_t>(dim), random);
                    for (auto& row : data.values) {
                        const double length =
                            kind == Kind::sizes ? std::exp2(static_cast<double>(random() % 12) - 6) : 1.0;
                        const double spread = kind == Kind::cone ? 1e-3 : 1.0;
                        for (double& component : row) component = (component * spread + shift) * length;
                    }
                    if (kind == Kind::outlier) {
                        for (double& component : data.values[9]) component *= 1e6;
                    }
                    const oracle::Packed packed(data, ElementType::float32);
                    CAPTURE(name(metric));
                    CAPTURE(static_cast<int>(kind));
                    CAPTURE(shift);
                    CAPTURE(dim);
                    for (const kernels::Isa isa : kernels::all_isas) {
                        if (!kernels::find(isa)) continue;
                        const kernels::Table& kernel = *kernels::find(isa);
                        const knn::FlatIndex index = index_of(packed, metric, kernel, false);
                        const bool codes = kernel.s16_tile;
                        const knn::FlatIndex scored = index_of(packed, metric, kernel, codes);
                        CHECK(scored.codes().in_use() == (codes && wants_codes(metric, 5000, 384, 15)));
                        const std::size_t half = rows / 2;
                        knn::Scratch scratch;
                        scored.score_tile(0, half, half, half, scratch);
                        const std::vector<float> across = scratch.scores;
                        scored.score_tile(0, half, 0, half, scratch);
                        const std::vector<float> own = scratch.scores;
                        const std::vector<std::uint32_t> some{4, 0, 33};
                        scored.score_rows(scored.select(some), half, half, scratch);
                        const std::vector<float> selected = scratch.scores;
                        const auto size = [&](std::size_t i) {
                            double squares = 0.0, magnitudes = 0.0;
                            for (std::size_t c = 0; c < dim; ++c) {
                                const auto x = static_cast<double>(index.rows()[i * dim + c]);
                                squares += x * x;
                                magnitudes += std::abs(x);
                            }
                            return metric == Metric::manhattan ? magnitudes : squares;
                        };
                        std::size_t wrong = 0;
                        const auto check = [&](std::size_t i, std::size_t j, float raw) {
                            const auto score =
                                static_cast<double>(raw - scored.offsets()[i] - scored.offsets()[j]);
                            const double distance = oracle::distance(data.values[i], data.values[j], metric);
                            const double true_score = index.score_at(distance);
                            if (index.exact()) {
                                wrong += score != true_score;
                                return;
                            }
                            // A component of a code is off by half a 2^-15th of the largest at most.
                            const double roundings = scored.codes().in_use()
                                                         ? 60.0 + 0x1p9 * std::sqrt(static_cast<double>(dim))
                                                         : static_cast<double>(dim) + 20;
                            const double slack = 2.1 * roundings * 0x1p-24 * (size(i) + size(j));
                            wrong += score < true_score;
                            wrong += score > true_score + slack + 1e-29;
                            const double again = index.least_distance(true_score);
                            wrong += std::abs(again - distance) > 1e-9 * std::max(1e-9, std::abs(distance));
                        };
                        for (std::size_t i = 0; i < half; ++i) {
                            for (std::size_t j = 0; j < half; ++j) {
                                check(i, half + j, across[i * half + j]);
                                if (j > i) check(i, j, own[i * half + j]);
                            }
                        }
                        for (std::size_t s = 0; s < some.size(); ++s) {
                            for (std::size_t j = 0; j < half; ++j)
                                check(some[s], half + j, selected[s * half + j]);
                        }
                        CHECK(wrong == 0);
                        CHECK(index.exact() == (metric == Metric::hamming));
                    }
                }
            }
        }
    }
}

TEST_CASE("the center lies amid the rows, wherever a few of them are") {
    std::mt19937_64 random(4);
    for (const std::size_t rows : {1U, 2U, 3U, 6U, 7U, 8U, 20U, 56U}) {
        std::vector<double> sample;
        std::uniform_real_distribution<double> near(2.0, 3.0);
        for (std::size_t i = 0; i < rows * 5; ++i) sample.push_back(near(random));
        CAPTURE(rows);
        for (const double component : knn::center_of(sample, rows, 5)) {
            CHECK(component >= 2.0);
            CHECK(component <= 3.0);
        }
        if (rows < 7) continue;
        sample[3 * 5 + 1] = 1e12;
        sample[5 * 5 + 1] = -1e30;
        CHECK(knn::center_of(sample, rows, 5)[1] >= 2.0);
        CHECK(knn::center_of(sample, rows, 5)[1] <= 3.0);
    }
    CHECK(knn::center_of({}, 0, 2) == std::vector<double>{0.0, 0.0});
}

TEST_CASE("a frame leaves room above for rows far off") {
    CHECK(knn::make_frame(Metric::euclidean, 1.5, {}).scale == std::exp2(40));
    CHECK(knn::make_frame(Metric::dot, 3e30, {}).scale == std::exp2(40 - 101));
    CHECK(knn::make_frame(Metric::manhattan, 0.0, {}).scale == 1.0);
    CHECK(knn::make_frame(Metric::manhattan, 5e-324, {}).scale == std::exp2(1000));
    CHECK(knn::make_frame(Metric::angular, 1e30, {}).scale == 1.0);
}
