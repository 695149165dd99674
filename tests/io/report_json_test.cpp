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
    report.busy_seconds = {0.25, std::numeric_limits<double>::infinity()};
    const std::string text = to_json(report);
    CHECK(text.starts_with("{\n  \"version\": \"1.2.3\",\n"));
    CHECK(text.ends_with("}\n"));
    const auto json = nlohmann::json::parse(text);
    CHECK(json["options"]["similarity"] == "half-cosine");
    CHECK(json["options"]["seed"] == std::numeric_limits<std::uint64_t>::max());
    CHECK(json["cut"].is_null());
    CHECK(json["row_status"]["ok"] == 5);
    CHECK(json["row_status"]["non_finite"] == 1);
    CHECK(json["groups"][0]["key"] == "a\xEF\xBF\xBD");
    CHECK(json["groups"][0]["cut"].is_null());
    CHECK(json["stages"][0] == nlohmann::json{{"name", "knn"}, {"seconds", 0.5}});
    CHECK(json["busy_seconds"][1].is_null());
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
