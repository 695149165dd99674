#include <grouplink/verify.hpp>

#include <grouplink/link.hpp>

#include "support/oracle.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

using namespace grouplink;

namespace {

/// Rows in three groups, the last of one row; row 3 equals row 0.
struct Sample {
    oracle::Rows rows;
    GroupColumn groups;

    explicit Sample(std::int64_t count = 90, std::int64_t dim = 7) {
        std::mt19937_64 random(1);
        rows = oracle::gaussian_rows(count, dim, random);
        rows.values[3] = rows.values[0];
        for (std::int64_t row = 0; row < count; ++row) {
            groups.codes.push_back(row + 1 == count ? 2 : row % 3 == 0 ? 0 : 1);
        }
        groups.keys = {"a", "b", "c"};
    }
};

/// The names of the checks that are broken, parted by blanks.
std::string broken(const VerifyResult& result) {
    std::string names;
    for (const VerifyCheck& check : result.checks) {
        CHECK((check.state == CheckState::broken) == (check.broken > 0));
        CHECK((check.state == CheckState::broken) == !check.first.empty());
        CHECK(check.first.find('\n') == std::string::npos);
        if (check.state == CheckState::broken) names += (names.empty() ? "" : " ") + check.name;
    }
    CHECK(result.ok() == names.empty());
    return names;
}

const VerifyCheck& find(const VerifyResult& result, std::string_view name) {
    const auto found = std::find_if(result.checks.begin(), result.checks.end(),
                                    [&](const VerifyCheck& check) { return check.name == name; });
    REQUIRE(found != result.checks.end());
    return *found;
}

/// Sound links, to be broken.
struct Links {
    Sample sample;
    oracle::Packed packed{sample.rows, ElementType::float32};
    VerifyOptions options;
    CsrGraph graph;

    explicit Links(LinkMode mode = LinkMode::directed) {
        options.links.n_nearest = 4;
        options.links.links = mode;
        options.links.threads = 2;
        graph = build_links(packed.view(), sample.groups, options.links).graph;
    }
    VerifyResult verify() const { return verify_links(packed.view(), sample.groups, graph, options); }

    std::size_t place(std::int64_t row, std::int64_t i = 0) const {
        return static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row)] + i);
    }
    std::int64_t& target(std::int64_t row, std::int64_t i = 0) { return graph.targets[place(row, i)]; }
    float& weight(std::int64_t row, std::int64_t i = 0) { return graph.weights[place(row, i)]; }
    void insert(std::int64_t row, std::int64_t to, float weighing) {
        const auto at = static_cast<std::ptrdiff_t>(place(row + 1));
        graph.targets.insert(graph.targets.begin() + at, to);
        graph.weights.insert(graph.weights.begin() + at, weighing);
        for (auto i = static_cast<std::size_t>(row) + 1; i < graph.offsets.size(); ++i) ++graph.offsets[i];
    }
    void erase(std::int64_t row, std::int64_t i) {
        const auto at = static_cast<std::ptrdiff_t>(place(row, i));
        graph.targets.erase(graph.targets.begin() + at);
        graph.weights.erase(graph.weights.begin() + at);
        for (auto j = static_cast<std::size_t>(row) + 1; j < graph.offsets.size(); ++j) --graph.offsets[j];
    }
};

}  // namespace

TEST_CASE("what build_links gives is sound, whatever the options") {
    const Sample sample;
    for (const Metric metric :
         {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::hamming, Metric::dot}) {
        for (const LinkMode mode : {LinkMode::directed, LinkMode::mutual, LinkMode::symmetric}) {
            for (const double q : {0.0, 0.6}) {
                for (const QuantileScope scope : {QuantileScope::all, QuantileScope::group}) {
                    for (const ElementType type : {ElementType::float16, ElementType::float64}) {
                        oracle::Rows rows = sample.rows;
                        const oracle::Packed packed(rows, type);
                        VerifyOptions options;
                        options.links.metric = metric;
                        options.links.links = mode;
                        options.links.n_nearest = 5;
                        options.links.similarity_min = -1.0;
                        options.links.similarity_min_q = q;
                        options.links.quantile_scope = scope;
                        options.recall_min = 1.0;
                        const LinkResult links = build_links(packed.view(), sample.groups, options.links);
                        const auto verify = [&] {
                            return verify_links(packed.view(), sample.groups, links.graph, options);
                        };
                        CHECK(broken(verify()) == "");
                        options.cut = links.report.cut;
                        const VerifyResult result = verify();
                        CHECK(broken(result) == "");
                        CHECK(result.recall.rows > 0);
                        CHECK(result.recall.recall == 1.0);
                    }
                }
            }
        }
    }
}

TEST_CASE("each kind of error is told by its name") {
    Links links;
    REQUIRE(broken(links.verify()) == "");
    SUBCASE("a target that is no row") {
        links.target(6, 1) = 90;
        CHECK(broken(links.verify()) == "targets");
        CHECK(find(links.verify(), "targets").first == "row 6 links to row 90, the last row is 89");
        links.target(6, 1) = std::numeric_limits<std::int64_t>::min();
        CHECK(broken(links.verify()) == "targets");
    }
    SUBCASE("a row that links to itself") {
        links.target(6, 1) = 6;
        CHECK(broken(links.verify()) == "self-links");
        CHECK(find(links.verify(), "self-links").first == "row 6 links to itself");
    }
    SUBCASE("a link across groups") {
        links.target(6, 1) = 7;
        CHECK(broken(links.verify()) == "groups");
        CHECK(find(links.verify(), "groups").first == "row 6 of group \"a\" links to row 7 of group \"b\"");
    }
    SUBCASE("a target twice") {
        links.target(6, 1) = links.target(6, 0);
        links.weight(6, 1) = links.weight(6, 0);
        CHECK(broken(links.verify()) == "duplicates");
    }
    SUBCASE("weights that grow along a row") {
        std::swap(links.target(6, 0), links.target(6, 1));
        std::swap(links.weight(6, 0), links.weight(6, 1));
        CHECK(broken(links.verify()) == "order");
        CHECK(find(links.verify(), "order").broken == 1);
    }
    SUBCASE("a link too many") {
        links.insert(6, 9, 0.0F);
        CHECK(find(links.verify(), "degree").first == "row 6 has 5 links, n-nearest is 4");
    }
    SUBCASE("a weight that is not that of its rows") {
        links.weight(6, 3) -= 1e-5F;
        CHECK(broken(links.verify()) == "weights");
        links.weight(6, 3) = std::numeric_limits<float>::quiet_NaN();
        CHECK(broken(links.verify()) == "similarity-min weights");
    }
    SUBCASE("a weight below the least") {
        links.options.links.similarity_min = 0.99;
        const VerifyResult result = links.verify();
        CHECK(broken(result) == "similarity-min");
        CHECK(result.recall.expected == 2);  // the duplicates
        CHECK(result.recall.recall == 1.0);
    }
    SUBCASE("links left out") {
        links.erase(6, 0);
        links.erase(9, 3);
        CHECK(broken(links.verify()) == "");
        const VerifyRecall recall = links.verify().recall;
        CHECK(recall.rows == 89);
        CHECK(recall.expected == 89 * 4);
        CHECK(recall.found == 89 * 4 - 2);
        CHECK(recall.low == recall.recall);
        links.options.recall_min = 0.999;
        CHECK(broken(links.verify()) == "recall");
    }
    SUBCASE("names of rows") {
        links.target(6, 1) = 7;
        links.options.row_name = [](std::int64_t row) { return "no. " + std::to_string(row); };
        CHECK(find(links.verify(), "groups").first == "no. 6 of group \"a\" links to no. 7 of group \"b\"");
    }
    SUBCASE("the first example is that of the lowest row at any number of threads") {
        for (const std::int64_t row : {80, 40, 10, 60}) links.target(row, 1) = row;
        for (const int threads : {1, 2, 7}) {
            links.options.links.threads = threads;
            CHECK(find(links.verify(), "self-links").first == "row 10 links to itself");
            CHECK(find(links.verify(), "self-links").broken == 4);
        }
    }
}

TEST_CASE("broken offsets leave nothing else to check") {
    const auto fault = [](auto spoil) {
        Links links;
        spoil(links.graph);
        const VerifyResult result = links.verify();
        CHECK(broken(result) == "offsets");
        for (std::size_t i = 1; i < result.checks.size(); ++i) {
            CHECK(result.checks[i].state == CheckState::skipped);
        }
        CHECK(result.recall.rows == 0);
        return find(result, "offsets").first;
    };
    CHECK(fault([](CsrGraph& graph) { graph.offsets[0] = -1; }) == "they begin at -1, not at 0");
    CHECK(fault([](CsrGraph& graph) { graph.offsets[2] = 1; }) == "they decrease at row 1, from 4 to 1");
    CHECK(fault([](CsrGraph& graph) { graph.offsets.pop_back(); }) == "links of 89 rows, the input has 90");
    CHECK(fault([](CsrGraph& graph) { graph.offsets.clear(); }) == "links of 0 rows, the input has 90");
    CHECK(fault([](CsrGraph& graph) { graph.weights.pop_back(); }) ==
          "they end at 356, but there are 356 targets and 355 weights");
    CHECK(fault([](CsrGraph& graph) {
              graph.offsets.back() = std::numeric_limits<std::int64_t>::max();
          }).starts_with("they end at 9223372036854775807"));
}

TEST_CASE("equal scores stand by row") {
    std::vector<float> values{1, 0, 0, 1, 0, 1, 1, 1};
    const MatrixView view = matrix_view(values, 2);
    CsrGraph graph = build_links(view, single_group(4)).graph;
    CHECK(broken(verify_links(view, single_group(4), graph)) == "");
    REQUIRE(graph.targets[1] == 1);
    std::swap(graph.targets[1], graph.targets[2]);
    const VerifyResult result = verify_links(view, single_group(4), graph);
    CHECK(broken(result) == "order");
    CHECK(find(result, "order").first ==
          "row 0 links to row 1 after a row of a higher number and the same score");
}

TEST_CASE("links of either end are at both") {
    for (const LinkMode mode : {LinkMode::mutual, LinkMode::symmetric}) {
        Links links(mode);
        REQUIRE(broken(links.verify()) == "");
        const std::int64_t other = links.target(6, 0);
        Links one_way = links;
        one_way.erase(6, 0);
        CHECK(broken(one_way.verify()) == "both-ways");
        CHECK(find(one_way.verify(), "both-ways").first ==
              "row " + std::to_string(other) + " links to row 6, which does not link back");
        CHECK(one_way.verify().recall.recall < 1.0);
        links.weight(6, 0) = std::nextafter(links.weight(6, 0), 2.0F);
        CHECK(broken(links.verify()) == "both-ways");
    }
    Links mutual(LinkMode::mutual);
    mutual.options.links.links = LinkMode::symmetric;
    CHECK(find(mutual.verify(), "degree").state == CheckState::skipped);
    CHECK(mutual.verify().recall.recall < 1.0);
}

TEST_CASE("rows that cannot be linked have no part in links") {
    Links links;
    links.sample.rows.values[6][0] = std::numeric_limits<double>::quiet_NaN();
    links.sample.groups.codes[7] = -1;
    links.packed = oracle::Packed(links.sample.rows, ElementType::float32);
    const VerifyResult result = links.verify();
    CHECK(find(result, "bad-rows").state == CheckState::broken);
    links.options.links.on_bad_row = BadRowPolicy::drop;
    links.graph = build_links(links.packed.view(), links.sample.groups, links.options.links).graph;
    CHECK(broken(links.verify()) == "");
    links.insert(6, 9, 0.5F);
    CHECK(broken(links.verify()) == "bad-rows");
    CHECK(find(links.verify(), "bad-rows").first == "row 6 is non_finite, and has links");
    links.erase(6, 0);
    links.insert(7, 8, 0.5F);
    CHECK(find(links.verify(), "bad-rows").first == "row 7 is null_group, and has links");
    links.erase(7, 0);
    links.target(9, 0) = 6;
    CHECK(broken(links.verify()) == "bad-rows");
    CHECK(find(links.verify(), "bad-rows").first == "row 9 links to row 6, which is non_finite");
}

TEST_CASE("the sample is a matter of the seed alone") {
    Links links;
    for (std::int64_t row = 0; row < 89; row += 5) links.erase(row, 0);
    links.options.sample = 30;
    const VerifyRecall recall = links.verify().recall;
    CHECK(recall.rows == 30);
    CHECK(recall.expected == 120);
    CHECK(recall.low < recall.recall);
    CHECK(recall.recall < recall.high);
    CHECK(recall.high <= 1.0);
    links.options.links.threads = 5;
    CHECK(links.verify().recall.found == recall.found);
    std::vector<std::int64_t> found;
    for (links.options.seed = 0; links.options.seed < 20; ++links.options.seed) {
        found.push_back(links.verify().recall.found);
    }
    CHECK(*std::min_element(found.begin(), found.end()) < *std::max_element(found.begin(), found.end()));
    links.options.sample = 0;
    CHECK(links.verify().recall.rows == 0);
    CHECK(find(links.verify(), "recall").state == CheckState::skipped);
}

TEST_CASE("nothing to link") {
    const MatrixView none;
    CHECK(broken(verify_links(none, single_group(0), {})) == "");
    const std::vector<float> values{1, 0};
    const CsrGraph graph{.offsets = {0, 0}, .targets = {}, .weights = {}};
    const VerifyResult result = verify_links(matrix_view(values, 2), single_group(1), graph);
    CHECK(broken(result) == "");
    CHECK(result.recall.rows == 0);
}

TEST_CASE("options and shapes that cannot be") {
    const auto code = [](auto change) {
        Links links;
        change(links);
        try {
            links.verify();
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    };
    CHECK(code([](Links& links) { links.options.sample = -1; }) == ErrorCode::invalid_options);
    CHECK(code([](Links& links) { links.options.recall_min = 1.5; }) == ErrorCode::invalid_options);
    CHECK(code([](Links& links) { links.options.recall_min = std::numeric_limits<double>::quiet_NaN(); }) ==
          ErrorCode::invalid_options);
    CHECK(code([](Links& links) { links.options.links.n_nearest = 0; }) == ErrorCode::invalid_options);
    CHECK(code([](Links& links) { links.sample.groups.codes.pop_back(); }) == ErrorCode::bad_input);
    Links links;
    std::stop_source stop;
    stop.request_stop();
    JobControl control;
    control.stop = stop.get_token();
    CHECK_THROWS_AS(verify_links(links.packed.view(), links.sample.groups, links.graph, {}, control), Error);
}
