// The approximate indexes: ivf, hnsw and partition.

#include <grouplink/link.hpp>

#include "support/oracle.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <string>

using namespace grouplink;

namespace {

constexpr Metric metrics[] = {Metric::angular, Metric::euclidean, Metric::dot};
constexpr IndexKind kinds[] = {IndexKind::ivf, IndexKind::hnsw, IndexKind::partition};
constexpr double no_threshold = -1e300;

/// Options under which either index finds nearly everything.
LinkOptions generous(IndexKind index, Metric metric) {
    return {.n_nearest = 10,
            .similarity_min = no_threshold,
            .metric = metric,
            .index = index,
            .ivf = {.nlist = 20, .nprobe = 14},
            .hnsw = {.M = 32, .ef_construction = 200, .ef_search = 300},
            .partition = {.passes = 2, .fanout = 8, .refinements = 3}};
}

/// Rows round 25 centers; none equal to another.
oracle::Rows clustered(std::int64_t rows, std::uint64_t seed = 1) {
    std::mt19937_64 random(seed);
    return oracle::clustered_rows(rows, 24, 25, 0.5, random);
}

bool same(const CsrGraph& a, const CsrGraph& b) {
    return a.offsets == b.offsets && a.targets == b.targets && a.weights == b.weights;
}

/// What must hold of any result: full rows, no link to the row itself, none twice, weights that fall.
void check_shape(const CsrGraph& graph, std::int64_t links) {
    std::size_t wrong = 0;
    for (std::int64_t row = 0; row < graph.rows(); ++row) {
        const auto first = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row)]);
        const auto last = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row) + 1]);
        wrong += last - first != static_cast<std::size_t>(links);
        std::set<std::int64_t> seen{row};
        for (std::size_t i = first; i < last; ++i) {
            wrong += graph.targets[i] < 0 || graph.targets[i] >= graph.rows();
            wrong += !seen.insert(graph.targets[i]).second;
            wrong += i > first && graph.weights[i] > graph.weights[i - 1];
        }
    }
    CHECK(wrong == 0);
}

/// The share of the links whose weight is at least that of the exact link in the worst place.
double recall(const CsrGraph& graph, const CsrGraph& exact) {
    std::size_t found = 0;
    for (std::size_t row = 0; row + 1 < exact.offsets.size(); ++row) {
        const auto first = static_cast<std::size_t>(exact.offsets[row]);
        const auto last = static_cast<std::size_t>(exact.offsets[row + 1]);
        for (std::size_t i = first; i < last; ++i) found += graph.weights[i] >= exact.weights[last - 1];
    }
    return static_cast<double>(found) / static_cast<double>(exact.targets.size());
}

LinkResult link(const oracle::Packed& packed, const LinkOptions& options) {
    return build_links(packed.view(), single_group(packed.view().rows), options);
}

/// The recall against the flat index, which the oracle vouches for in link_test.cpp.
double recall_of(const oracle::Packed& packed, const LinkOptions& options) {
    const LinkResult result = link(packed, options);
    CHECK(result.report.groups.front().index == options.index);
    check_shape(result.graph, options.n_nearest);
    LinkOptions exact = options;
    exact.index = IndexKind::flat;
    return recall(result.graph, link(packed, exact).graph);
}

std::string message(const LinkOptions& options) {
    try {
        validate(options);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::invalid_options);
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("generous knobs find nearly all that brute force does, under every metric") {
    oracle::Rows rows = clustered(1500);
    const oracle::Packed packed(rows, ElementType::float32);
    for (const IndexKind index : kinds) {
        for (const Metric metric : metrics) {
            CAPTURE(name(index));
            CAPTURE(name(metric));
            const LinkOptions options = generous(index, metric);
            const CsrGraph graph = link(packed, options).graph;
            check_shape(graph, options.n_nearest);
            std::size_t found = 0;
            std::size_t wanted = 0;
            for (std::size_t row = 0; row < rows.values.size(); row += 5) {
                std::vector<double> all;
                for (std::size_t other = 0; other < rows.values.size(); ++other) {
                    if (other != row)
                        all.push_back(oracle::distance(rows.values[row], rows.values[other], metric));
                }
                std::nth_element(all.begin(), all.begin() + options.n_nearest - 1, all.end());
                const double worst = all[static_cast<std::size_t>(options.n_nearest) - 1];
                const auto last = static_cast<std::size_t>(graph.offsets[row + 1]);
                for (auto i = static_cast<std::size_t>(graph.offsets[row]); i < last; ++i) {
                    const auto target = static_cast<std::size_t>(graph.targets[i]);
                    const double distance = oracle::distance(rows.values[row], rows.values[target], metric);
                    found += distance <= worst + 1e-6 * std::max(1.0, std::abs(worst));
                    // Weights are the canonical ones, whatever index found the link.
                    const double weight = oracle::weight(distance, 24, options);
                    CHECK(std::abs(static_cast<double>(graph.weights[i]) - weight) <=
                          2e-6 * std::max(1.0, std::abs(weight)));
                }
                wanted += static_cast<std::size_t>(options.n_nearest);
            }
            CHECK(static_cast<double>(found) / static_cast<double>(wanted) >= 0.99);
        }
    }
}

TEST_CASE("every list probed, or every node kept, is an exact search") {
    oracle::Rows rows = clustered(1100);
    const oracle::Packed packed(rows, ElementType::float32);
    for (const Metric metric : metrics) {
        CAPTURE(name(metric));
        LinkOptions options = generous(IndexKind::ivf, metric);
        options.ivf = {.nlist = 9, .nprobe = 1'000'000};
        LinkOptions exact = options;
        exact.index = IndexKind::flat;
        CHECK(same(link(packed, options).graph, link(packed, exact).graph));
        options = generous(IndexKind::hnsw, metric);
        options.hnsw = {.M = 64, .ef_construction = 1'000'000'000'000, .ef_search = 1'000'000'000'000};
        CHECK(recall_of(packed, options) >= 0.999);
    }
}

TEST_CASE("the same bytes come out at any number of threads; the seed matters") {
    oracle::Rows rows = clustered(4000, 2);
    for (std::size_t i = 0; i < 400; ++i) rows.values[3999 - i] = rows.values[i];
    const oracle::Packed packed(rows, ElementType::float32);
    std::vector<std::int64_t> codes(4000);
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::int64_t>(i % 5 % 3);
    const GroupColumn groups = encode_groups(codes);
    for (const IndexKind index : kinds) {
        CAPTURE(name(index));
        LinkOptions options = generous(index, Metric::angular);
        options.ivf.nprobe = 3;
        options.hnsw = {.M = 6, .ef_construction = 12, .ef_search = 12};
        options.partition = {.passes = 1, .fanout = 1, .refinements = 1};
        options.threads = 1;
        const CsrGraph first = build_links(packed.view(), groups, options).graph;
        for (const int threads : {1, 2, 3, 7}) {
            options.threads = threads;
            CHECK(same(build_links(packed.view(), groups, options).graph, first));
        }
        LinkOptions open = options;
        open.ivf = {};
        open.hnsw.ef_search = 0;
        open.partition = {};
        open.recall_target = 0.97;
        open.threads = 1;
        const LinkResult calibrated = build_links(packed.view(), groups, open);
        for (const int threads : {2, 3, 7}) {
            open.threads = threads;
            const LinkResult other = build_links(packed.view(), groups, open);
            CHECK(same(other.graph, calibrated.graph));
            CHECK(other.report.groups.front().search->recall.recall ==
                  calibrated.report.groups.front().search->recall.recall);
        }
        options.seed = 1;
        CHECK_FALSE(same(build_links(packed.view(), groups, options).graph, first));
    }
}

TEST_CASE("all element types") {
    oracle::Rows data = clustered(1200, 3);
    for (auto& row : data.values) {
        for (double& component : row) component *= 20;
    }
    for (const ElementType type :
         {ElementType::float16, ElementType::float32, ElementType::float64, ElementType::int8}) {
        oracle::Rows rows = data;
        const oracle::Packed packed(rows, type);
        for (const IndexKind index : kinds) {
            CAPTURE(name(index));
            CAPTURE(static_cast<int>(type));
            for (const Metric metric : metrics) CHECK(recall_of(packed, generous(index, metric)) >= 0.99);
        }
    }
}

TEST_CASE("rows far from the origin or very small do not lose recall") {
    for (const double scale : {1e-12, 1e12}) {
        oracle::Rows rows = clustered(1200, 4);
        for (auto& row : rows.values) {
            for (double& component : row) component = (component + 1000) * scale;
        }
        const oracle::Packed packed(rows, ElementType::float64);
        for (const IndexKind index : kinds) {
            CHECK(recall_of(packed, generous(index, Metric::euclidean)) >= 0.99);
        }
    }
}

TEST_CASE("duplicates are searched once and cost no recall; near duplicates cost little") {
    for (const IndexKind index : kinds) {
        CAPTURE(name(index));
        oracle::Rows rows = clustered(2000, 5);
        std::mt19937_64 random(6);
        for (std::size_t i = 0; i < 500; ++i) rows.values[1500 + i] = rows.values[random() % 100];
        const oracle::Packed packed(rows, ElementType::float32);
        for (const Metric metric : metrics) CHECK(recall_of(packed, generous(index, metric)) >= 0.99);
        const LinkResult result = link(packed, generous(index, Metric::angular));
        CHECK(result.report.duplicate_rows == 500);

        std::normal_distribution<double> noise(0.0, 1e-5);
        for (std::size_t i = 0; i < 500; ++i) {
            for (double& component : rows.values[1500 + i]) component += noise(random);
        }
        const oracle::Packed near(rows, ElementType::float32);
        for (const Metric metric : metrics) CHECK(recall_of(near, generous(index, metric)) >= 0.99);
    }
}

TEST_CASE("groups of nothing but a few distinct rows") {
    for (const IndexKind index : kinds) {
        for (const std::size_t distinct : {1U, 2U, 5U, 40U}) {
            CAPTURE(name(index));
            CAPTURE(distinct);
            oracle::Rows rows = clustered(1000, 7);
            for (std::size_t i = distinct; i < 1000; ++i) rows.values[i] = rows.values[i % distinct];
            const oracle::Packed packed(rows, ElementType::float32);
            for (const Metric metric : metrics) {
                LinkOptions options = generous(index, metric);
                options.ivf = {};
                options.recall_target = 1.0;
                CHECK(recall_of(packed, options) == 1.0);
                options.index = IndexKind::flat;
                const CsrGraph exact = link(packed, options).graph;
                options.index = index;
                CHECK(same(link(packed, options).graph, exact));
            }
        }
    }
}

TEST_CASE("stingy knobs still fill every row") {
    oracle::Rows rows = clustered(1500, 8);
    const oracle::Packed packed(rows, ElementType::float32);
    for (const Metric metric : metrics) {
        CAPTURE(name(metric));
        for (const std::int64_t nlist : {1, 2, 700, 1500, 1'000'000}) {
            LinkOptions options = generous(IndexKind::ivf, metric);
            options.ivf = {.nlist = nlist, .nprobe = 1};
            check_shape(link(packed, options).graph, options.n_nearest);
        }
        LinkOptions options = generous(IndexKind::hnsw, metric);
        options.hnsw = {.M = 2, .ef_construction = 1, .ef_search = 1};
        check_shape(link(packed, options).graph, options.n_nearest);
        options.n_nearest = 1500 / 8;
        check_shape(link(packed, options).graph, options.n_nearest);
        options = generous(IndexKind::partition, metric);
        options.partition = {.passes = 1, .fanout = 1, .refinements = 0};
        check_shape(link(packed, options).graph, options.n_nearest);
        options.n_nearest = 1500 / 8;  // leaves hold no more than that: some rows are compared with all
        check_shape(link(packed, options).graph, options.n_nearest);
    }
}

TEST_CASE("left to itself, an index reaches the recall target, and reports the recall it has") {
    std::mt19937_64 random(20);
    const std::pair<const char*, oracle::Rows> sets[] = {
        {"clustered", oracle::clustered_rows(6000, 24, 60, 0.5, random)},
        {"one cloud of many dimensions", oracle::clustered_rows(3000, 96, 1, 1.0, random)},
        {"two dimensions", oracle::clustered_rows(3000, 2, 5, 0.5, random)}};
    for (auto [what, rows] : sets) {
        const oracle::Packed packed(rows, ElementType::float32);
        for (const IndexKind index : kinds) {
            for (const Metric metric : metrics) {
                LinkOptions options{.n_nearest = 10,
                                    .similarity_min = no_threshold,
                                    .metric = metric,
                                    .index = IndexKind::flat};
                const CsrGraph exact = link(packed, options).graph;
                options.index = index;
                for (const double target : {0.8, 0.95, 0.99}) {
                    CAPTURE(what);
                    CAPTURE(name(index));
                    CAPTURE(name(metric));
                    CAPTURE(target);
                    options.recall_target = target;
                    const LinkResult result = link(packed, options);
                    check_shape(result.graph, options.n_nearest);
                    REQUIRE(result.report.groups.front().search);
                    const SearchReport& search = *result.report.groups.front().search;
                    CHECK(search.recall.rows == 512);
                    CHECK((search.recall.low >= target || search.exhaustive));
                    CHECK(search.recall.low <= search.recall.recall);
                    CHECK(search.recall.recall <= search.recall.high);
                    // Nearly all draws of a sample have the truth in an interval half as wide again.
                    const double truth = recall(result.graph, exact);
                    const double slack = (search.recall.high - search.recall.low) / 2;
                    CHECK(truth >= search.recall.low - slack);
                    CHECK(truth <= search.recall.high + slack);
                    if (search.exhaustive) CHECK(same(result.graph, exact));
                    switch (index) {
                        case IndexKind::ivf: CHECK(search.ivf.nprobe >= 1); break;
                        case IndexKind::hnsw: CHECK(search.hnsw.ef_search >= 1); break;
                        default: CHECK(search.partition.passes >= 1); break;
                    }
                }
            }
        }
    }
}

TEST_CASE("a target of 1 is exact, given knobs are held and their recall is told all the same") {
    oracle::Rows rows = clustered(3000, 21);
    for (std::size_t i = 0; i < 600; ++i) rows.values[i * 5] = rows.values[i * 5 + 1];
    const oracle::Packed packed(rows, ElementType::float32);
    LinkOptions options{.n_nearest = 10, .similarity_min = no_threshold, .index = IndexKind::flat};
    const CsrGraph exact = link(packed, options).graph;
    for (const IndexKind index : kinds) {
        CAPTURE(name(index));
        options = {.n_nearest = 10, .similarity_min = no_threshold, .index = index, .recall_target = 1.0};
        CHECK(recall(link(packed, options).graph, exact) >= 0.9999);
        options.ivf.nprobe = 1;
        options.hnsw = {.M = 4, .ef_construction = 8, .ef_search = 1};
        options.partition = {.passes = 1, .fanout = 1, .refinements = 0};
        const LinkResult result = link(packed, options);
        const SearchReport& search = *result.report.groups.front().search;
        CHECK_FALSE(search.exhaustive);
        CHECK(search.recall.recall < 0.99);
        const double slack = (search.recall.high - search.recall.low) / 2;
        const double truth = recall(result.graph, exact);
        CHECK(truth >= search.recall.low - slack);
        CHECK(truth <= search.recall.high + slack);
        CHECK(search.ivf.nprobe == (index == IndexKind::ivf ? 1 : 0));
        CHECK(search.partition.passes == (index == IndexKind::partition ? 1 : 0));
    }
}

TEST_CASE("rows of few levels, where many are equally near, do not drive the effort up") {
    std::mt19937_64 random(22);
    oracle::Rows rows = clustered(4000, 23);
    for (auto& row : rows.values) {
        for (double& component : row) component = random() % 4 == 0 ? 1.0 : 0.0;
        row[0] = 1.0;
    }
    const oracle::Packed packed(rows, ElementType::int8);
    LinkOptions options{
        .n_nearest = 10, .metric = Metric::euclidean, .index = IndexKind::flat, .recall_target = 0.9};
    const CsrGraph exact = link(packed, options).graph;
    options.index = IndexKind::ivf;
    const LinkResult result = link(packed, options);
    CHECK(recall(result.graph, exact) >= 0.88);
}

TEST_CASE("the order of the rows does not matter to recall") {
    oracle::Rows rows = clustered(1500, 9);
    // Sorted by their first component, so that rows of one region come together.
    std::sort(rows.values.begin(), rows.values.end());
    const oracle::Packed sorted(rows, ElementType::float32);
    for (const IndexKind index : kinds) CHECK(recall_of(sorted, generous(index, Metric::angular)) >= 0.99);
    std::mt19937_64 random(10);
    std::shuffle(rows.values.begin(), rows.values.end(), random);
    const oracle::Packed shuffled(rows, ElementType::float32);
    for (const IndexKind index : kinds) CHECK(recall_of(shuffled, generous(index, Metric::angular)) >= 0.99);
}

TEST_CASE("rows scattered over the input are linked as those side by side are") {
    constexpr std::size_t groups = 3;
    constexpr std::size_t of_group = 1100;
    const oracle::Rows apart = clustered(groups * of_group, 22);
    // Row i of the one is row place(i) of the other, in the same group and of the same rank there.
    const auto place = [](std::size_t i) { return i % of_group * groups + i / of_group; };
    oracle::Rows mixed = apart;
    GroupColumn apart_groups{std::vector<std::int32_t>(groups * of_group), {"a", "b", "c"}};
    GroupColumn mixed_groups = apart_groups;
    for (std::size_t i = 0; i < groups * of_group; ++i) {
        mixed.values[place(i)] = apart.values[i];
        apart_groups.codes[i] = mixed_groups.codes[place(i)] = static_cast<std::int32_t>(i / of_group);
    }
    for (const ElementType type : {ElementType::float16, ElementType::float64}) {
        oracle::Rows a = apart;
        oracle::Rows b = mixed;
        const oracle::Packed apart_rows(a, type);
        const oracle::Packed mixed_rows(b, type);
        for (const IndexKind index :
             {IndexKind::flat, IndexKind::ivf, IndexKind::hnsw, IndexKind::partition}) {
            for (const Metric metric : metrics) {
                CAPTURE(name(index));
                CAPTURE(name(metric));
                LinkOptions options{.n_nearest = 10, .similarity_min = no_threshold, .metric = metric};
                options.index = index;
                const CsrGraph one = build_links(apart_rows.view(), apart_groups, options).graph;
                const CsrGraph other = build_links(mixed_rows.view(), mixed_groups, options).graph;
                REQUIRE(one.targets.size() == other.targets.size());
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < groups * of_group; ++i) {
                    const auto from = static_cast<std::size_t>(one.offsets[i]);
                    const auto to = static_cast<std::size_t>(other.offsets[place(i)]);
                    for (std::size_t n = 0; n < 10; ++n) {
                        const auto target = place(static_cast<std::size_t>(one.targets[from + n]));
                        wrong += static_cast<std::size_t>(other.targets[to + n]) != target;
                        wrong += one.weights[from + n] != other.weights[to + n];
                    }
                }
                CHECK(wrong == 0);
            }
        }
    }
}

TEST_CASE("groups below the threshold stay flat, those at it do not") {
    std::vector<std::int64_t> codes(999, 0);
    codes.insert(codes.end(), 1000, 1);
    codes.insert(codes.end(), 20, 2);
    codes.insert(codes.end(), 1, 3);
    oracle::Rows rows = clustered(static_cast<std::int64_t>(codes.size()), 11);
    const oracle::Packed packed(rows, ElementType::float32);
    const GroupColumn groups = encode_groups(codes);
    for (const IndexKind index : kinds) {
        const LinkOptions options = generous(index, Metric::angular);
        const Report report = build_links(packed.view(), groups, options).report;
        CHECK(report.groups[0].index == IndexKind::flat);
        CHECK(report.groups[1].index == index);
        CHECK(report.groups[2].index == IndexKind::flat);
        CHECK(report.groups[3].index == IndexKind::flat);
        const Plan plan = plan_links(packed.view(), groups, options);
        for (const GroupPlan& group : plan.groups) {
            CHECK(group.index == report.groups[static_cast<std::size_t>(group.group)].index);
            CHECK((group.index == IndexKind::flat || group.path == FlatPath::none));
            CHECK((group.index == IndexKind::flat || (group.cost > 0 && group.memory_bytes > 1000 * 24 * 4)));
            CHECK((group.ivf.nlist > 0) == (group.index == IndexKind::ivf));
        }
        // More links than an eighth of the rows are better found exactly.
        LinkOptions many = options;
        many.n_nearest = 126;
        CHECK(build_links(packed.view(), groups, many).report.groups[1].index == IndexKind::flat);
    }
}

TEST_CASE("a stop is heard while an index is built") {
    oracle::Rows rows = clustered(3000, 12);
    const oracle::Packed packed(rows, ElementType::float32);
    for (const IndexKind index : kinds) {
        std::stop_source source;
        JobControl control;
        control.stop = source.get_token();
        control.on_progress = [&](const Progress& progress) {
            if (progress.stage == "knn") source.request_stop();
        };
        try {
            build_links(packed.view(), single_group(3000), generous(index, Metric::angular), control);
            FAIL("not stopped");
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::cancelled);
        }
    }
}

TEST_CASE("knobs out of range and metrics that do not go with an index") {
    CHECK(message({.metric = Metric::manhattan, .index = IndexKind::ivf}) ==
          "index: \"ivf\" works for angular, dot and euclidean, got \"manhattan\"");
    CHECK(message({.metric = Metric::hamming, .index = IndexKind::hnsw}) ==
          "index: \"hnsw\" works for angular, dot and euclidean, got \"hamming\"");
    CHECK(message({.metric = Metric::euclidean, .index = IndexKind::hnsw}).empty());
    CHECK(message({.ivf = {.nlist = -1}}) == "nlist: got -1, must be 0 (automatic) or more");
    CHECK(message({.ivf = {.nprobe = -1}}) == "nprobe: got -1, must be 0 (automatic) or more");
    CHECK(message({.hnsw = {.M = 1}}) == "M: got 1, must be from 2 to 512");
    CHECK(message({.hnsw = {.M = 513}}) == "M: got 513, must be from 2 to 512");
    CHECK(message({.hnsw = {.ef_construction = 0}}) == "ef_construction: got 0, must be at least 1");
    CHECK(message({.hnsw = {.ef_search = -1}}) == "ef_search: got -1, must be 0 (automatic) or more");
    CHECK(name(IndexKind::ivf) == "ivf");
    CHECK(name(IndexKind::hnsw) == "hnsw");
    CHECK(name(IndexKind::partition) == "partition");
    CHECK(message({.partition = {.passes = -1}}) == "passes: got -1, must be from 0 (automatic) to 100");
    CHECK(message({.partition = {.fanout = 33}}) == "fanout: got 33, must be from 0 (automatic) to 32");
    for (const double target : {0.0, -0.5, 1.01, std::nan("")}) {
        CHECK(message({.recall_target = target}) ==
              fmt::format("recall_target: got {}, must be above 0 and at most 1", target));
    }
    CHECK(message({.partition = {.refinements = -1}}) == "refinements: got -1, must be from 0 to 100");
}
