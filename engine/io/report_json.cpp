#include "io/report_json.hpp"

#include "each_option.hpp"

#include <grouplink/report.hpp>

#include <cmath>
#include <string>
#include <string_view>

namespace grouplink {
namespace io {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no word for a number that is not finite.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

void add_knobs(Json& json, IndexKind index, const IvfOptions& ivf, const HnswOptions& hnsw,
               const PartitionOptions& partition) {
    for_each_knob(index, ivf, hnsw, partition,
                  [&json](const char* knob, std::int64_t value) { json[knob] = value; });
}

Json group_json(const GroupReport& group) {
    Json json{{"key", group.key},
              {"rows", group.rows},
              {"valid_rows", group.valid_rows},
              {"dim", group.dim},
              {"index", name(group.index)}};
    if (group.search) {
        const SearchReport& search = *group.search;
        add_knobs(json, group.index, search.ivf, search.hnsw, search.partition);
        json["exhaustive"] = search.exhaustive;
        json["recall"] = {{"sampled_rows", search.recall.rows},
                          {"recall", search.recall.recall},
                          {"low", search.recall.low},
                          {"high", search.recall.high}};
    }
    json["links"] = group.links;
    json["cut"] = number(group.cut);
    json["planned_cost"] = number(group.planned_cost);
    json["planned_memory_bytes"] = group.planned_memory_bytes;
    return json;
}

Json worker_json(const WorkerReport& worker) {
    Json json{{"busy_seconds", number(worker.busy_seconds)}, {"busy", number(worker.busy)}};
    Json& trace = json["trace"] = Json::array();
    for (const double share : worker.trace) trace.push_back(std::round(share * 1e3) / 1e3);
    return json;
}

Json histogram_json(const Histogram& histogram) {
    return {{"edges", histogram.edges}, {"counts", histogram.counts}};
}

/// Keys and paths are any bytes; what is not UTF-8 becomes U+FFFD.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

}  // namespace

Json options_json(const LinkOptions& options) {
    Json json{{"n_nearest", options.n_nearest},
              {"similarity_min", number(options.similarity_min)},
              {"similarity_min_q", number(options.similarity_min_q)},
              {"quantile_scope", name(options.quantile_scope)},
              {"metric", name(options.metric)},
              {"similarity", name(options.similarity)},
              {"links", name(options.links)},
              {"index", name(options.index)},
              {"on_bad_row", name(options.on_bad_row)},
              {"seed", options.seed}};
    // Groups that are flat all the same have no use for a target.
    if (options.index != IndexKind::flat) json["recall_target"] = options.recall_target;
    add_knobs(json, options.index, options.ivf, options.hnsw, options.partition);
    return json;
}

}  // namespace io

std::string to_json(const Report& report) {
    using io::Json;
    // Made an object at once: a null that becomes one while memory runs out is left half of each.
    Json json = Json::object();
    json["version"] = report.version;
    json["faiss_version"] = report.faiss_version;
    json["input"] = report.input;
    json["output"] = report.output;
    json["finished"] = report.finished;
    if (!report.notes.empty()) json["notes"] = report.notes;
    json["options"] = io::options_json(report.options);
    json["options"]["threads"] = report.options.threads;
    if (report.shard.count > 1)
        json["shard"] = {{"index", report.shard.index}, {"count", report.shard.count}};
    json["mapping"] = report.mapping;
    json["isa"] = report.isa;
    json["threads"] = report.threads;
    json["rows"] = report.rows;
    json["links_found"] = report.links_found;
    json["links"] = report.links;
    json["cut"] = io::number(report.cut);
    Json& statuses = json["row_status"] = Json::object();
    for (std::size_t s = 0; s < report.row_status.size(); ++s) {
        statuses[std::string(name(static_cast<RowStatus>(s)))] = report.row_status[s];
    }
    json["duplicate_rows"] = report.duplicate_rows;
    json["scored_pairs"] = report.scored_pairs;
    json["researched_rows"] = report.researched_rows;
    if (report.resumed) {
        json["resumed"] = {{"groups", report.resumed->groups},
                           {"rows", report.resumed->rows},
                           {"scored_pairs", report.resumed->scored_pairs}};
    }
    json["weights"] = io::histogram_json(report.weights);
    json["links_from"] = io::histogram_json(report.links_from);
    json["links_to"] = io::histogram_json(report.links_to);
    json["groups"] = Json::array();  // to be filled in below
    Json& stages = json["stages"] = Json::array();
    for (const StageTime& stage : report.stages) {
        stages.push_back({{"name", stage.name}, {"seconds", io::number(stage.seconds)}});
    }
    Json& workers = json["workers"] = Json::array();
    for (const WorkerReport& worker : report.workers) workers.push_back(io::worker_json(worker));
    json["seconds"] = io::number(report.seconds);
    json["peak_memory_bytes"] = report.peak_memory_bytes;
    json["memory"] = {{"budget_bytes", report.memory.budget_bytes},
                      {"planned_bytes", report.memory.planned_bytes},
                      {"least_bytes", report.memory.least_bytes},
                      {"waves", report.memory.waves}};
    json["machine"] = {{"cpu", report.machine.cpu},
                       {"cpus", report.machine.cpus},
                       {"memory_bytes", report.machine.memory_bytes},
                       {"system", report.machine.system}};
    std::string text = io::dump(json) + '\n';
    if (report.groups.empty()) return text;

    // Group by group: a tree of a hundred thousand of them would take more memory than their search.
    constexpr std::string_view no_groups = "\n  \"groups\": []";
    const std::size_t place = text.find(no_groups) + no_groups.size() - 1;
    std::string groups;
    for (const GroupReport& group : report.groups) {
        groups += groups.empty() ? "\n    " : ",\n    ";
        for (const char letter : io::dump(io::group_json(group))) {
            groups += letter;
            if (letter == '\n') groups += "    ";
        }
    }
    groups += "\n  ";
    text.insert(place, groups);
    return text;
}

}  // namespace grouplink
