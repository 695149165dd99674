#include "io/report_json.hpp"

#include "io/metadata.hpp"
#include "io/outputs.hpp"

#include <limits>

using namespace grouplink;

TEST_CASE("a report as JSON") {
    Report report;
    report.version = "1.2.3";
    report.options.similarity = Similarity::half_cosine;
    report.options.seed = std::numeric_limits<std::uint64_t>::max();
    report.mapping = "half-cosine";
    report.row_status = {5, 0, 0, 0, 1, 0};
    report.cut = -std::numeric_limits<double>::infinity();
    report.groups.push_back({.key = "a\xff", .rows = 3, .cut = std::numeric_limits<double>::quiet_NaN()});
    report.stages.push_back({"knn", 0.5});
    report.workers = {{.busy_seconds = 0.25, .busy = 0.5, .trace = {1.0, 0.00049}},
                      {.busy_seconds = std::numeric_limits<double>::infinity(), .busy = 0.0, .trace = {}}};
    report.weights = {{0.14, 0.16}, {7}};
    report.machine = {.cpu = "a\xff", .system = "Linux", .cpus = 4, .memory_bytes = 1024};
    const std::string text = to_json(report);
    CHECK(text.starts_with("{\n  \"version\": \"1.2.3\",\n"));
    CHECK(text.ends_with("}\n"));
    const auto json = nlohmann::json::parse(text);
    CHECK(json["options"]["similarity"] == "half-cosine");
    CHECK(json["options"]["seed"] == std::numeric_limits<std::uint64_t>::max());
    CHECK(json["cut"].is_null());
    CHECK(json["row_status"]["ok"] == 5);
    CHECK_FALSE(json.contains("resumed"));
    CHECK(json["row_status"]["non_finite"] == 1);
    CHECK(json["groups"][0]["key"] == "a\xEF\xBF\xBD");
    CHECK_FALSE(json["groups"][0].contains("recall"));
    CHECK(json["options"]["recall_target"] == 0.95);
    CHECK(json["groups"][0]["cut"].is_null());
    CHECK(json["stages"][0] == nlohmann::json{{"name", "knn"}, {"seconds", 0.5}});
    CHECK(json["workers"][0] == nlohmann::json{{"busy_seconds", 0.25}, {"busy", 0.5}, {"trace", {1.0, 0.0}}});
    CHECK(json["workers"][1]["busy_seconds"].is_null());
    CHECK(json["weights"] == nlohmann::json{{"edges", {0.14, 0.16}}, {"counts", {7}}});
    CHECK(json["links_to"]["counts"] == nlohmann::json::array());
    CHECK(json["machine"]["cpus"] == 4);
    CHECK(text.find("      0.14,\n") != std::string::npos);
}

TEST_CASE("what was taken over from an earlier run stands in the report") {
    Report report;
    report.resumed = ResumeReport{.groups = 3, .rows = 70, .scored_pairs = 500};
    const auto json = nlohmann::json::parse(to_json(report));
    CHECK(json["resumed"] == nlohmann::json{{"groups", 3}, {"rows", 70}, {"scored_pairs", 500}});
}

TEST_CASE("metadata says how links were made, and nothing that differs between equal runs") {
    Report report = test::small_result().report;
    const std::string text = io::metadata_json(report);
    const auto json = nlohmann::json::parse(text);
    CHECK(json["version"] == "1.2.3");
    CHECK(json["metric"] == "angular");
    CHECK(json["mapping"] == "angular");
    CHECK(json["options"]["links"] == "directed");
    report.options.threads = 7;
    report.threads = 7;
    report.seconds = 3;
    CHECK(io::metadata_json(report) == text);
}

TEST_CASE("the knobs and the recall of an approximate group stand in its report") {
    Report report;
    GroupReport group{.key = "g", .index = IndexKind::ivf};
    group.search = SearchReport{.recall = {.rows = 1024, .recall = 0.96, .low = 0.95, .high = 0.97},
                                .ivf = {.nlist = 40, .nprobe = 7}};
    report.groups = {group, group, group};
    report.groups[1].index = IndexKind::hnsw;
    report.groups[1].search->hnsw.ef_search = 90;
    report.groups[2].index = IndexKind::partition;
    report.groups[2].search->partition = {.passes = 2, .fanout = 6, .refinements = 1};
    report.groups[2].search->exhaustive = true;
    const auto json = nlohmann::json::parse(to_json(report))["groups"];
    CHECK(json[0]["nlist"] == 40);
    CHECK(json[0]["nprobe"] == 7);
    CHECK(json[0]["exhaustive"] == false);
    CHECK(json[0]["recall"] ==
          nlohmann::json({{"sampled_rows", 1024}, {"recall", 0.96}, {"low", 0.95}, {"high", 0.97}}));
    CHECK(json[1]["M"] == 32);
    CHECK(json[1]["ef_search"] == 90);
    CHECK_FALSE(json[1].contains("nprobe"));
    CHECK(json[2]["passes"] == 2);
    CHECK(json[2]["fanout"] == 6);
    CHECK(json[2]["refinements"] == 1);
    CHECK(json[2]["exhaustive"] == true);
}
