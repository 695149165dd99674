#include <grouplink/report_page.hpp>

#include "page/text.hpp"

#include "io/outputs.hpp"

#include <cmath>
#include <limits>

using namespace grouplink;

namespace {

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
    return found;
}

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

/// Rows in a ring of one group, each linked to the next two.
struct World {
    LinkResult result;
    GroupColumn groups;

    explicit World(std::int64_t rows, const std::string& key = "ring") {
        groups = {.codes = std::vector<std::int32_t>(static_cast<std::size_t>(rows), 0), .keys = {key}};
        result.graph.offsets = {0};
        for (std::int64_t row = 0; row < rows; ++row) {
            for (const std::int64_t step : {1, 2}) {
                result.graph.targets.push_back((row + step) % rows);
                result.graph.weights.push_back(0.9F - 0.2F * static_cast<float>(step) +
                                               0.0001F * static_cast<float>(row % 7));
            }
            result.graph.offsets.push_back(static_cast<std::int64_t>(result.graph.targets.size()));
        }
        Report& report = result.report;
        report.rows = rows;
        report.links = report.links_found = result.graph.links();
        report.row_status[0] = rows;
        report.mapping = "angular";
        report.weights = {{0.5, 0.6, 0.7}, {rows, rows}};
        report.links_from = {{0, 1, 2, 3}, {0, 0, rows}};
        report.links_to = report.links_from;
        report.groups = {{.key = key, .rows = rows, .valid_rows = rows, .dim = 4, .links = report.links}};
        report.stages = {{"knn", 0.5}};
        report.workers = {{.busy_seconds = 0.4, .busy = 0.8, .trace = {1.0, 0.25}},
                          {.busy_seconds = 0.45, .busy = 0.9, .trace = {1.0, 0.5}}};
        report.seconds = 0.6;
        report.threads = 2;
    }

    std::string page(const IdColumn& ids = {}, bool with_texts = false, std::string_view text = {}) const {
        const LinkSample sample = sample_links(result.graph, groups);
        StringColumn texts;
        for (std::size_t i = 0; with_texts && i < sample.rows.size(); ++i) texts.push_back(text);
        return to_html(result.report, sample, groups, ids, texts);
    }
};

}  // namespace

TEST_CASE("a page reads and runs nothing") {
    const std::string page = World(40).page();
    CHECK(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    CHECK(page.ends_with("</html>\n"));
    CHECK(has(page, "default-src 'none'"));
    CHECK_FALSE(has(page, "<script"));
    CHECK_FALSE(has(page, "<img"));
    CHECK_FALSE(has(page, "http:"));
    CHECK_FALSE(has(page, "https:"));
    CHECK_FALSE(has(page, "url("));
    CHECK_FALSE(has(page, "@import"));
    CHECK(count(page, "href=\"") == count(page, "href=\"#") + count(page, "href=\"data:,\""));
}

TEST_CASE("data is text on the page, whatever it looks like") {
    const std::string bad = "<script>alert('1')</script>\"&\x01\xff";
    const std::string safe = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp; \xEF\xBF\xBD";
    World world(12, bad);
    Report& report = world.result.report;
    report.input = report.output = bad;
    report.notes = {bad};
    report.finished = report.version = report.faiss_version = report.isa = report.mapping = bad;
    report.machine = {.cpu = bad, .system = bad, .cpus = 1, .memory_bytes = 1};
    report.stages = {{bad, 1.0}};
    StringColumn ids;
    for (int i = 0; i < 12; ++i) ids.push_back(bad);
    const std::string page = world.page(ids, true, bad);
    CHECK_FALSE(has(page, "<script"));
    CHECK_FALSE(has(page, "\xff"));
    CHECK_FALSE(has(page, "\x01"));
    CHECK(count(page, safe) > 30);
}

TEST_CASE("texts are clipped by characters, runs of blanks and controls count as one") {
    using page::escaped;
    CHECK(escaped("abc", 3) == "abc");
    CHECK(escaped("abcd", 3) == "abc\xE2\x80\xA6");
    CHECK(escaped("<<<<", 2) == "&lt;&lt;\xE2\x80\xA6");
    CHECK(escaped("\xE6\x9D\xB1\xE4\xBA\xAC", 1) == "\xE6\x9D\xB1\xE2\x80\xA6");
    CHECK(escaped("  a \t\r\n b\x7F") == "a b");
    CHECK(escaped("a\xC2\x85\xC2\xA0") == "a \xC2\xA0");
    CHECK(escaped("\xE6\x9D") == "\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(escaped("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(escaped("a\u202Eb\u2066c\u2029d") == "a b c d");
    CHECK(escaped("a\u2013b\u2060c") == "a\u2013b\u2060c");
    CHECK(escaped("") == "");
    CHECK(page::width_of("ab\xE6\x9D\xB1", 9) == 4);
    CHECK(page::width_of("abcdef", 3) == 4);
}

TEST_CASE("numbers for people") {
    CHECK(page::count_text(1764885) == "1,764,885");
    CHECK(page::count_text(-1000) == "-1,000");
    CHECK(page::short_count(1764885) == "1.76M");
    CHECK(page::short_count(20) == "20");
    CHECK(page::plural(1, "row") == "1 row");
    CHECK(page::plural(0, "row") == "0 rows");
    CHECK(page::bytes_text(409 << 20) == "409 MiB");
    CHECK(page::bytes_text(0) == "0 B");
    CHECK(page::seconds_text(0.00042) == "0.4 ms");
    CHECK(page::seconds_text(0.25) == "250 ms");
    CHECK(page::seconds_text(1.239) == "1.24 s");
    CHECK(page::seconds_text(59.95) == "60.0 s");
    CHECK(page::seconds_text(185) == "3 min 5 s");
    CHECK(page::seconds_text(3720) == "1 h 2 min");
    CHECK(page::seconds_text(0) == "0 ms");
    CHECK(page::seconds_text(std::nan("")) == "none");
    CHECK(page::number_text(-0.0) == "0");
    CHECK(page::number_text(0.61234) == "0.6123");
    CHECK(page::number_text(-23456.4) == "-23,456");
    CHECK(page::number_text(std::numeric_limits<double>::infinity()) == "none");
    CHECK(page::percent_text(0.5) == "50.0 %");
    CHECK(page::percent_text(1.0) == "100 %");
    CHECK(page::percent_text(0.99999) == "> 99.9 %");
    CHECK(page::percent_text(0.00001) == "< 0.1 %");
}

TEST_CASE("a page has the numbers of its report") {
    World world(1200);
    world.result.report.cut = 0.61;
    world.result.report.row_status[4] = 3;
    world.result.report.peak_memory_bytes = 5 << 20;
    const std::string page = world.page();
    CHECK(has(page, R"(<data id="rows" value="1200">1,200</data>)"));
    CHECK(has(page, R"(<data id="links" value="2400">2,400</data>)"));
    CHECK(has(page, R"(<data id="cut" value="0.61">0.61</data>)"));
    CHECK(has(page, R"(<data id="seconds" value="0.6">600 ms</data>)"));
    CHECK(has(page, R"(<data id="memory" value="5242880">5.0 MiB</data>)"));
    CHECK(has(page, R"(<data id="status-non_finite" value="3">3</data>)"));
    CHECK(has(page, "3 rows could not be linked and were left out"));
    CHECK(has(page, "Every group was searched exactly"));
    CHECK(has(page, "row 17"));
}

TEST_CASE("the cut is drawn where it is, or named where it lies outside") {
    World world(50);
    Report& report = world.result.report;
    CHECK(has(world.page(), "cut 0, below all"));
    report.cut = 0.65;
    std::string page = world.page();
    CHECK(has(page, ">cut 0.65</text>"));
    CHECK(has(page, "<line class=\"cut\""));
    report.cut = 0.9;
    CHECK(has(world.page(), "cut 0.9, above all"));
    report.cut = 0.6;
    page = world.page();
    CHECK(count(page, "class=\"bar dropped\"") == 1);  // the bin below 0.6
    report.options.quantile_scope = QuantileScope::group;
    report.options.similarity_min_q = 0.5;
    report.groups[0].cut = 0.68;
    CHECK(has(world.page(), "cut 0.6 to 0.68"));
    report.cut = std::numeric_limits<double>::infinity();  // no group has links
    report.weights = {};
    CHECK(has(world.page(), "No links were found."));
}

TEST_CASE("recall of approximate groups, the lowest ones where there are many") {
    World world(50);
    Report& report = world.result.report;
    GroupReport group{.key = "g", .rows = 900, .valid_rows = 900, .index = IndexKind::ivf};
    group.search = SearchReport{.recall = {.rows = 512, .recall = 0.97, .low = 0.96, .high = 0.98},
                                .ivf = {.nlist = 40, .nprobe = 7}};
    for (int i = 0; i < 60; ++i) {
        group.key = "g" + std::to_string(i);
        group.search->recall.low = 0.96 - 0.001 * i;
        report.groups.push_back(group);
    }
    std::string page = world.page();
    CHECK(has(page,
              "60 groups searched approximately, 1 exactly. The 14 with the lowest recall are drawn. "
              "The table lists the first 40."));
    CHECK(has(page, "7 of 40 lists"));
    CHECK(has(page, "may be below the recall target of 0.95"));
    CHECK(count(page, "<line class=\"interval\"") == 14);
    report.groups.back().search->exhaustive = true;
    CHECK(has(world.page(), "all pairs, as nothing less reached the target"));
}

TEST_CASE("a hundred thousand groups make a page of the size of any other") {
    World world(50);
    Report& report = world.result.report;
    for (int i = 0; i < 100000; ++i) {
        report.groups.push_back({.key = "group " + std::to_string(i), .rows = 1 + i % 300, .valid_rows = 1});
    }
    const std::string page = world.page();
    CHECK(page.size() < 200000);
    CHECK(has(page, "99,976 smaller"));
    CHECK(has(page, "Sizes of the groups"));
}

TEST_CASE("nothing at all") {
    const std::string page = to_html({}, {}, {}, {});
    CHECK(has(page, "There are no links to show."));
    CHECK(has(page, "There are no groups."));
    CHECK(has(page, "The result has no links."));
    CHECK_FALSE(has(page, "nan"));
    World alone(1);
    alone.result.graph = {{0, 0}, {}, {}};
    alone.result.report.links = 0;
    CHECK(has(alone.page(), "There are no links to draw."));
}

TEST_CASE("many threads are drawn up to a point") {
    World world(50);
    world.result.report.workers.assign(4096, {.busy_seconds = 0.4, .busy = 0.8, .trace = {0.8}});
    const std::string page = world.page();
    CHECK(has(page, "on 4,096 threads. The first 128 are drawn."));
    CHECK(count(page, ": 80.0 % busy") == 32);
}

TEST_CASE("a sample that does not fit is refused") {
    const World world(10);
    const LinkSample sample = sample_links(world.result.graph, world.groups);
    const auto error = [&](const GroupColumn& groups, const IdColumn& ids, const StringColumn& texts) {
        return test::error_of([&] { to_html(world.result.report, sample, groups, ids, texts); });
    };
    CHECK(error({.codes = {0, 0}, .keys = {"a"}}, {}, {}) ==
          std::pair(ErrorCode::bad_input, std::string("page: the sample names row 9, there are 2 rows")));
    CHECK(error(world.groups, std::vector<std::int64_t>{1}, {}).second == "page: got 1 ids for 10 rows");
    CHECK(error(world.groups, {}, test::texts({"a"})).second == "page: got 1 texts, the sample has 10 rows");
}
