#include <grouplink/link.hpp>

#include "support/forced_isa.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

using namespace grouplink;

namespace {

constexpr Metric metrics[] = {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::hamming,
                              Metric::dot};
constexpr double no_threshold = -1e300;

GroupColumn random_groups(std::int64_t rows, std::int64_t groups, std::mt19937_64& random) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(rows));
    // Skewed: each group about half as large as the one before.
    for (auto& value : values) {
        value = 0;
        while (value + 1 < groups && random() % 2 == 0) ++value;
    }
    return encode_groups(values);
}

std::vector<bool> all_ok(std::int64_t rows) {
    return std::vector<bool>(static_cast<std::size_t>(rows), true);
}

bool same(const CsrGraph& a, const CsrGraph& b) {
    return a.offsets == b.offsets && a.targets == b.targets && a.weights == b.weights;
}

}  // namespace

TEST_CASE("every metric agrees with brute force at every size") {
    std::mt19937_64 random(1);
    for (const Metric metric : metrics) {
        for (const std::int64_t rows : {0, 1, 2, 3, 5, 6, 64, 120, 300, 1100}) {
            for (const std::int64_t dim : {1, 3, 33, 64}) {
                if (rows > 300 && dim < 33) continue;
                CAPTURE(name(metric));
                CAPTURE(rows);
                CAPTURE(dim);
                oracle::Rows data = oracle::gaussian_rows(rows, dim, random);
                const oracle::Packed packed(data, ElementType::float32);
                const LinkOptions options{
                    .n_nearest = 5, .similarity_min = no_threshold, .metric = metric, .threads = 2};
                const GroupColumn groups = single_group(rows);
                const LinkResult result = build_links(packed.view(), groups, options);
                CHECK(oracle::check(data, groups, all_ok(rows), options, result.graph) == "");
            }
        }
    }
}

TEST_CASE("n_nearest from one to more than there are rows") {
    std::mt19937_64 random(2);
    oracle::Rows data = oracle::gaussian_rows(150, 20, random);
    const oracle::Packed packed(data, ElementType::float32);
    const GroupColumn groups = random_groups(150, 3, random);
    for (const Metric metric : metrics) {
        for (const std::int64_t k : {1, 2, 15, 148, 149, 150, 100000}) {
            CAPTURE(name(metric));
            CAPTURE(k);
            const LinkOptions options{
                .n_nearest = k, .similarity_min = no_threshold, .metric = metric, .threads = 2};
            CHECK(oracle::check(data, groups, all_ok(150), options,
                                build_links(packed.view(), groups, options).graph) == "");
        }
    }
}

TEST_CASE("every element type, dense and ragged") {
    std::mt19937_64 random(3);
    for (const ElementType type :
         {ElementType::float16, ElementType::float32, ElementType::float64, ElementType::int8}) {
        for (const bool ragged : {false, true}) {
            for (const Metric metric : metrics) {
                CAPTURE(static_cast<int>(type));
                CAPTURE(ragged);
                CAPTURE(name(metric));
                oracle::Rows data = oracle::clustered_rows(400, 37, 12, 0.3, random);
                const oracle::Packed packed(data, type, ragged);
                const GroupColumn groups = random_groups(400, 4, random);
                const LinkOptions options{
                    .n_nearest = 7, .similarity_min = no_threshold, .metric = metric, .threads = 2};
                CHECK(oracle::check(data, groups, all_ok(400), options,
                                    build_links(packed.view(), groups, options).graph) == "");
            }
        }
    }
}

TEST_CASE("thresholds, quantile scopes, link modes and similarities") {
    std::mt19937_64 random(4);
    oracle::Rows data = oracle::clustered_rows(500, 16, 30, 0.4, random);
    const oracle::Packed packed(data, ElementType::float32);
    const GroupColumn groups = random_groups(500, 5, random);
    for (const Metric metric : metrics) {
        for (const LinkMode mode : {LinkMode::directed, LinkMode::mutual, LinkMode::symmetric}) {
            for (const QuantileScope scope : {QuantileScope::all, QuantileScope::group}) {
                for (const double q : {0.0, 0.25, 0.9, 1.0}) {
                    for (const double least : {0.0, 0.3}) {
                        for (const Similarity similarity :
                             {Similarity::angular, Similarity::half_cosine, Similarity::cosine}) {
                            if (metric != Metric::angular && similarity != Similarity::angular) continue;
                            const LinkOptions options{.n_nearest = 6,
                                                      .similarity_min = least,
                                                      .similarity_min_q = q,
                                                      .quantile_scope = scope,
                                                      .metric = metric,
                                                      .similarity = similarity,
                                                      .links = mode,
                                                      .threads = 2};
                            CAPTURE(name(metric));
                            CAPTURE(name(mode));
                            CAPTURE(name(scope));
                            CAPTURE(name(similarity));
                            CAPTURE(q);
                            CAPTURE(least);
                            CHECK(oracle::check(data, groups, all_ok(500), options,
                                                build_links(packed.view(), groups, options).graph) == "");
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("the same bytes with any number of threads and under any instruction set") {
    std::mt19937_64 random(5);
    for (const Metric metric : metrics) {
        oracle::Rows data = oracle::clustered_rows(2300, 40, 50, 0.2, random);
        // Duplicates, and rows all but equal, which the float32 scores cannot tell apart.
        for (std::size_t row = 0; row < 200; ++row) data.values[row] = data.values[row / 2 + 500];
        for (std::size_t row = 300; row < 400; ++row) {
            data.values[row] = data.values[300];
            data.values[row][0] += 1e-6 * static_cast<double>(row);
        }
        const oracle::Packed packed(data, ElementType::float32);
        const GroupColumn groups = random_groups(2300, 6, random);
        LinkOptions options{.n_nearest = 9, .similarity_min = no_threshold, .metric = metric, .threads = 1};
        const LinkResult one = build_links(packed.view(), groups, options);
        CAPTURE(name(metric));
        CHECK(oracle::check(data, groups, all_ok(2300), options, one.graph) == "");
        for (const int threads : {2, 3, 7}) {
            CAPTURE(threads);
            options.threads = threads;
            CHECK(same(one.graph, build_links(packed.view(), groups, options).graph));
        }
        for (const kernels::Isa isa : available_isas()) {
            CAPTURE(kernels::name(isa));
            const ForcedIsa forced(isa);
            const LinkResult result = build_links(packed.view(), groups, options);
            CHECK(result.report.isa == kernels::name(isa));
            CHECK(same(one.graph, result.graph));
        }
    }
}

TEST_CASE("the same bytes under any instruction set where a tile may be filtered by int8 codes") {
    std::mt19937_64 random(25);
    constexpr std::int64_t rows = 2300;
    for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::dot}) {
        for (const int kind : {0, 1, 2}) {
            // Rows that codes tell apart; then rows they do not: all but equal, or one component so large.
            oracle::Rows data = oracle::clustered_rows(rows, 48, 300, 0.5, random);
            for (std::vector<double>& row : data.values) {
                if (kind == 1)
                    for (std::size_t c = 0; c < row.size(); ++c) row[c] = std::cos(c) + 1e-4 * row[c];
                if (kind == 2) row[7] *= 1000.0;
            }
            const oracle::Packed packed(data, ElementType::float32);
            const GroupColumn groups = single_group(rows);
            const LinkOptions options{
                .n_nearest = 6, .similarity_min = no_threshold, .metric = metric, .threads = 2};
            CAPTURE(name(metric));
            CAPTURE(kind);
            const LinkResult first = build_links(packed.view(), groups, options);
            CHECK(oracle::check(data, groups, all_ok(rows), options, first.graph) == "");
            for (const kernels::Isa isa : available_isas()) {
                CAPTURE(kernels::name(isa));
                const ForcedIsa forced(isa);
                CHECK(same(first.graph, build_links(packed.view(), groups, options).graph));
            }
        }
    }
}

TEST_CASE("duplicates link to each other, by row, and never a row to itself") {
    std::mt19937_64 random(8);
    for (const std::int64_t rows : {40, 900}) {
        for (const Metric metric : metrics) {
            CAPTURE(rows);
            CAPTURE(name(metric));
            oracle::Rows data = oracle::gaussian_rows(rows, 10, random);
            for (std::size_t row = 0; row < data.values.size(); ++row)
                data.values[row] = data.values[row % 10];
            const oracle::Packed packed(data, ElementType::float32);
            const GroupColumn groups = single_group(rows);
            const LinkOptions options{
                .n_nearest = 3, .similarity_min = no_threshold, .metric = metric, .threads = 2};
            const LinkResult result = build_links(packed.view(), groups, options);
            CHECK(oracle::check(data, groups, all_ok(rows), options, result.graph) == "");
            if (metric == Metric::dot || metric == Metric::hamming) continue;
            // The lowest rows of its own class, itself left out.
            for (std::int64_t row = 0; row < rows; ++row) {
                std::vector<std::int64_t> expected;
                for (std::int64_t other = row % 10; expected.size() < 3; other += 10) {
                    if (other != row) expected.push_back(other);
                }
                const auto first =
                    result.graph.targets.begin() + result.graph.offsets[static_cast<std::size_t>(row)];
                CHECK(std::equal(expected.begin(), expected.end(), first));
            }
        }
    }
    SUBCASE("a whole group of one and the same row") {
        oracle::Rows data;
        data.values.assign(600, {1.0, 2.0});
        const oracle::Packed packed(data, ElementType::float32);
        const LinkOptions options{.n_nearest = 5};
        const LinkResult result = build_links(packed.view(), single_group(600), options);
        CHECK(result.report.duplicate_rows == 599);
        CHECK(result.graph.links() == 3000);
        CHECK(std::all_of(result.graph.weights.begin(), result.graph.weights.end(),
                          [](float w) { return w == 1.0F; }));
    }
}

TEST_CASE("permuted rows give the same links") {
    std::mt19937_64 random(9);
    oracle::Rows data = oracle::gaussian_rows(800, 25, random);
    const GroupColumn groups = random_groups(800, 4, random);
    std::vector<std::size_t> order(800);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::dot}) {
        oracle::Rows shuffled;
        GroupColumn shuffled_groups{.codes = {}, .keys = groups.keys};
        for (const std::size_t row : order) {
            shuffled.values.push_back(data.values[row]);
            shuffled_groups.codes.push_back(groups.codes[row]);
        }
        const oracle::Packed packed(data, ElementType::float32);
        const oracle::Packed packed_shuffled(shuffled, ElementType::float32);
        const LinkOptions options{.n_nearest = 5, .similarity_min = no_threshold, .metric = metric};
        const CsrGraph straight = build_links(packed.view(), groups, options).graph;
        const CsrGraph permuted = build_links(packed_shuffled.view(), shuffled_groups, options).graph;
        CAPTURE(name(metric));
        std::int64_t different = 0;
        for (std::size_t row = 0; row < 800; ++row) {
            const auto from = static_cast<std::size_t>(permuted.offsets[row]);
            const auto to = static_cast<std::size_t>(straight.offsets[order[row]]);
            for (std::size_t i = 0; i < static_cast<std::size_t>(permuted.offsets[row + 1]) - from; ++i) {
                different += order[static_cast<std::size_t>(permuted.targets[from + i])] !=
                             static_cast<std::size_t>(straight.targets[to + i]);
                CHECK(permuted.weights[from + i] == straight.weights[to + i]);
            }
        }
        CHECK(different == 0);
    }
}

TEST_CASE("bad rows stop the job or are left out") {
    std::mt19937_64 random(10);
    oracle::Rows data = oracle::gaussian_rows(700, 8, random);
    std::vector<std::string> keys(700);
    for (std::size_t row = 0; row < 700; ++row) keys[row] = row % 2 ? "odd" : "even";
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    data.values[10][3] = nan;
    data.values[11][0] = infinity;
    data.values[12][7] = -infinity;
    data.values[20].assign(8, 0.0);
    data.values[30].resize(5);
    data.values[31].clear();
    data.valid.assign(700, 1);
    data.valid[40] = 0;
    GroupEncoder encoder;
    for (std::size_t row = 0; row < 700; ++row) row == 50 ? encoder.push_null() : encoder.push(keys[row]);
    const GroupColumn groups = encoder.finish();
    const oracle::Packed packed(data, ElementType::float32);

    LinkOptions options{.n_nearest = 6, .similarity_min = no_threshold, .on_bad_row = BadRowPolicy::drop};
    std::vector<bool> ok = all_ok(700);
    for (const std::size_t row : {10U, 11U, 12U, 20U, 30U, 31U, 40U, 50U}) ok[row] = false;

    SUBCASE("drop") {
        const LinkResult result = build_links(packed.view(), groups, options);
        CHECK(oracle::check(data, groups, ok, options, result.graph) == "");
        CHECK(result.row_status[10] == RowStatus::non_finite);
        CHECK(result.row_status[11] == RowStatus::non_finite);
        CHECK(result.row_status[12] == RowStatus::non_finite);
        CHECK(result.row_status[20] == RowStatus::zero_norm);
        CHECK(result.row_status[30] == RowStatus::wrong_dim);
        CHECK(result.row_status[31] == RowStatus::null_embedding);
        CHECK(result.row_status[40] == RowStatus::null_embedding);
        CHECK(result.row_status[50] == RowStatus::null_group);
        CHECK(result.row_status[60] == RowStatus::ok);
        CHECK(result.report.row_status == std::array<std::int64_t, row_status_count>{692, 1, 2, 1, 3, 1});
        CHECK(result.report.groups[0].rows + result.report.groups[1].rows == 699);
        CHECK(result.report.groups[0].valid_rows + result.report.groups[1].valid_rows == 692);
    }
    SUBCASE("a row of zeros is as good as any but under angular") {
        options.metric = Metric::euclidean;
        ok[20] = true;
        const LinkResult result = build_links(packed.view(), groups, options);
        CHECK(result.row_status[20] == RowStatus::ok);
        CHECK(oracle::check(data, groups, ok, options, result.graph) == "");
    }
    SUBCASE("error") {
        options.on_bad_row = BadRowPolicy::error;
        CHECK_THROWS_WITH_AS(build_links(packed.view(), groups, options),
                             "8 of 700 rows cannot be linked: 1 null_group (row 50), 2 null_embedding (rows "
                             "31, 40), 1 wrong_dim "
                             "(row 30 has dim 5, its group \"even\" has 8), 3 non_finite (rows 10, 11, 12), "
                             "1 zero_norm (row 20); "
                             "mend them, or leave them without links: --on-bad-row drop",
                             Error);
    }
}

TEST_CASE("groups may differ in dimension") {
    std::mt19937_64 random(11);
    oracle::Rows data;
    std::vector<std::int64_t> keys;
    for (std::int64_t dim : {3, 8, 40}) {
        const oracle::Rows part = oracle::gaussian_rows(150, dim, random);
        data.values.insert(data.values.end(), part.values.begin(), part.values.end());
        keys.insert(keys.end(), 150, dim);
    }
    const oracle::Packed packed(data, ElementType::float32);
    const GroupColumn groups = encode_groups(keys);
    for (const Metric metric : metrics) {
        const LinkOptions options{.n_nearest = 4, .similarity_min = no_threshold, .metric = metric};
        const LinkResult result = build_links(packed.view(), groups, options);
        CAPTURE(name(metric));
        CHECK(oracle::check(data, groups, all_ok(450), options, result.graph) == "");
        CHECK(result.report.groups[2].dim == 40);
    }
}

TEST_CASE("the report counts what happened") {
    std::mt19937_64 random(12);
    oracle::Rows data = oracle::gaussian_rows(600, 16, random);
    const oracle::Packed packed(data, ElementType::float32);
    const GroupColumn groups = random_groups(600, 3, random);
    const LinkOptions options{.n_nearest = 5, .similarity_min_q = 0.5, .threads = 3};
    const LinkResult result = build_links(packed.view(), groups, options);
    const Report& report = result.report;
    CHECK(report.version == version());
    CHECK(report.mapping == "angular");
    CHECK(report.rows == 600);
    CHECK(report.links_found == 3000);
    CHECK(report.links == 1500);
    CHECK(report.links == result.graph.links());
    CHECK(report.cut > 0.0);
    CHECK(report.threads == 3);
    CHECK(report.workers.size() == 3);
    for (const WorkerReport& worker : report.workers) {
        CHECK(worker.busy_seconds >= 0.0);
        CHECK(worker.busy <= 1.0);
        CHECK(worker.trace.size() == trace_slices);
    }
    CHECK(report.peak_memory_bytes > 0);
    CHECK(report.groups.size() == 3);
    std::int64_t links = 0;
    for (const GroupReport& group : report.groups) links += group.links;
    CHECK(links == report.links);
}

TEST_CASE("arguments that do not fit together are refused") {
    const float values[6] = {1, 2, 3, 4, 5, 6};
    const MatrixView view = matrix_view(values, 2);
    CHECK_THROWS_WITH_AS(build_links(view, single_group(2)),
                         "groups: 2 codes for 3 rows of vectors; there must be one a row", Error);
    GroupColumn wild = single_group(3);
    wild.codes[1] = 7;
    CHECK_THROWS_WITH_AS(build_links(view, wild),
                         "groups: the code of row 1 is 7, but must be -1 or below the 1 keys", Error);
    MatrixView no_dim = view;
    no_dim.dim = 0;
    CHECK_THROWS_WITH_AS(build_links(no_dim, single_group(3)),
                         "vectors: dim is 0, but a row needs at least one component", Error);
    MatrixView no_values = view;
    no_values.values = nullptr;
    CHECK_THROWS_WITH_AS(build_links(no_values, single_group(3)), "vectors: values is null", Error);
    const std::int64_t falling[4] = {0, 4, 2, 6};
    MatrixView ragged = view;
    ragged.offsets = falling;
    CHECK_THROWS_WITH_AS(build_links(ragged, single_group(3)), "vectors: the offsets decrease at row 1",
                         Error);
    const std::int64_t negative[4] = {-2, 2, 4, 6};
    ragged.offsets = negative;
    CHECK_THROWS_WITH_AS(build_links(ragged, single_group(3)), "vectors: the first offset is negative",
                         Error);
    CHECK_THROWS_AS(build_links(view, single_group(3), {.n_nearest = 0}), Error);
}

TEST_CASE("progress and cancellation") {
    std::mt19937_64 random(13);
    oracle::Rows data = oracle::gaussian_rows(6000, 64, random);
    const oracle::Packed packed(data, ElementType::float32);
    const GroupColumn groups = single_group(6000);

    SUBCASE("stages are announced in order, shares stay in [0, 1]") {
        std::vector<std::string> stages;
        JobControl control;
        control.on_progress = [&](const Progress& progress) {
            CHECK(progress.done >= 0.0);
            CHECK(progress.done <= 1.0);
            if (stages.empty() || stages.back() != progress.stage) stages.emplace_back(progress.stage);
        };
        const LinkResult result = build_links(packed.view(), groups, {.threads = 2}, control);
        std::vector<std::string> reported;
        for (const StageTime& stage : result.report.stages) reported.push_back(stage.name);
        CHECK(stages == reported);
    }
    SUBCASE("a stop requested before the start or in mid-run") {
        std::stop_source source;
        JobControl control{.on_progress = {}, .stop = source.get_token()};
        control.on_progress = [&](const Progress& progress) {
            if (progress.stage == "knn") source.request_stop();
        };
        try {
            build_links(packed.view(), groups, {.threads = 3}, control);
            FAIL("was not stopped");
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::cancelled);
        }
    }
    SUBCASE("what the callback throws comes out") {
        JobControl control;
        control.on_progress = [](const Progress& progress) {
            if (progress.stage == "knn") throw std::runtime_error("from the callback");
        };
        CHECK_THROWS_WITH(build_links(packed.view(), groups, {.threads = 3}, control), "from the callback");
    }
}

TEST_CASE("a plan is what the run then does") {
    std::mt19937_64 random(14);
    oracle::Rows data = oracle::gaussian_rows(3000, 8, random);
    data.values[5].assign(8, 0.0);
    const oracle::Packed packed(data, ElementType::float32);
    const GroupColumn groups = random_groups(3000, 8, random);
    const Plan plan = plan_links(packed.view(), groups);
    CHECK(plan.row_status[static_cast<std::size_t>(RowStatus::zero_norm)] == 1);
    const LinkResult result = build_links(packed.view(), groups,
                                          {.similarity_min = no_threshold, .on_bad_row = BadRowPolicy::drop});
    CHECK(plan.result_bytes == result.graph.links() * 12);
    for (const GroupPlan& group : plan.groups) {
        CHECK(group.rows == result.report.groups[static_cast<std::size_t>(group.group)].valid_rows);
    }
}
