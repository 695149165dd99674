#include "cli/explain_shares.hpp"
#include "cli/job.hpp"
#include "cli/measure.hpp"
#include "cli/progress.hpp"
#include "cli/run.hpp"
#include "cli/streams.hpp"
#include "cli/text.hpp"
#include "each_option.hpp"

#include <grouplink/io.hpp>
#include <grouplink/plan.hpp>
#include <grouplink/version.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::cli {
namespace {

constexpr std::size_t most_groups_shown = 30;
constexpr std::size_t widest_key = 40;

/// How many rows cannot be linked.
std::int64_t bad_rows(const Plan& plan) {
    std::int64_t bad = 0;
    for (std::size_t s = 1; s < plan.row_status.size(); ++s) bad += plan.row_status[s];
    return bad;
}

std::string bad_rows_text(const Plan& plan, BadRowPolicy policy) {
    const std::int64_t bad = bad_rows(plan);
    if (bad == 0) return {};
    std::string out = fmt::format("\n{} cannot be linked:\n", plural(bad, "row"));
    for (std::size_t s = 1; s < plan.row_status.size(); ++s) {
        if (plan.row_status[s] == 0) continue;
        const auto status = static_cast<RowStatus>(s);
        out += fmt::format("  {} {}: {}\n", count_text(plan.row_status[s]), name(status), meaning(status));
    }
    out += policy == BadRowPolicy::drop
               ? "They would be left without links.\n"
               : "link stops on these; --on-bad-row drop leaves them without links.\n";
    return out;
}

/// How the group is searched, in a few words.
std::string path_text(const GroupPlan& group) {
    switch (group.index) {
        case IndexKind::ivf:
            return group.ivf.nprobe > 0 ? fmt::format("{} of {} lists", count_text(group.ivf.nprobe),
                                                      count_text(group.ivf.nlist))
                                        : fmt::format("some of {} lists", count_text(group.ivf.nlist));
        case IndexKind::hnsw: return fmt::format("graph of {} links", count_text(group.hnsw.M));
        case IndexKind::partition:
            return fmt::format("{}{} a row", group.fanout_is_free ? "up to " : "",
                               plural(group.partition.fanout, "cell"));
        default: return std::string(name(group.path));
    }
}

/// Whether the effort of some group is found out as it is searched.
bool effort_is_open(const GroupPlan& group) {
    switch (group.index) {
        case IndexKind::ivf: return group.ivf.nprobe == 0;
        case IndexKind::hnsw: return group.hnsw.ef_search == 0;
        case IndexKind::partition: return group.partition.passes == 0;
        default: return false;
    }
}

/// How a job fits its budget.
std::string memory_text(const MemoryReport& memory) {
    const std::string budget = bytes_text(memory.budget_bytes);
    if (memory.planned_bytes > memory.budget_bytes) {
        return fmt::format(
            "The process needs {} at least, more than the budget of {}: link would stop with exit "
            "code 4; allow more: --memory {}MiB\n",
            bytes_text(memory.least_bytes), budget, memory.least_bytes >> 20);
    }
    return fmt::format("The process takes {} at its peak, of a budget of {}{}.\n",
                       bytes_text(memory.planned_bytes), budget,
                       memory.waves > 1 ? fmt::format(", in {}", plural(memory.waves, "wave")) : "");
}

std::string plan_text(const std::string& path, const Table& table, const Plan& plan,
                      const ExplainArguments& arguments) {
    const std::vector<std::string>& keys = table.groups.keys;
    const bool one_group = arguments.input.group.empty() && arguments.input.groups_file.empty();
    std::string out = fmt::format("{}: {} in {}\n\n", printable(path), plural(table.vectors.rows, "row"),
                                  plural(static_cast<std::int64_t>(keys.size()), "group"));
    std::vector<std::vector<std::string>> rows;
    std::int64_t linked_rows = 0;
    std::int64_t kept_flat = 0;
    std::int64_t tiles = 0;
    std::int64_t largest_memory = 0;
    for (const GroupPlan& group : plan.groups) {
        linked_rows += group.rows;
        if (arguments.options.index != IndexKind::automatic && group.index != arguments.options.index)
            ++kept_flat;
        tiles += group.tiles;
        largest_memory = std::max(largest_memory, group.memory_bytes);
        if (rows.size() == most_groups_shown) continue;
        const std::string& key = keys[static_cast<std::size_t>(group.group)];
        rows.push_back({one_group ? "(all rows)" : shorten(key, widest_key), count_text(group.rows),
                        count_text(group.dim), std::string(name(group.index)), path_text(group),
                        count_text(group.tiles), gflop_text(group.cost), bytes_text(group.memory_bytes)});
    }
    if (plan.groups.size() > rows.size()) {
        const auto more = static_cast<std::int64_t>(plan.groups.size() - rows.size());
        rows.push_back({fmt::format("... and {} more", count_text(more)), "", "", "", "", "", "", ""});
    }
    rows.push_back(
        {"total", count_text(linked_rows), "", "", "", count_text(tiles), gflop_text(plan.cost), ""});
    out += table_text({{"group"},
                       {"rows", true},
                       {"dim", true},
                       {"index"},
                       {"path"},
                       {"tiles", true},
                       {"GFLOP", true},
                       {"memory", true}},
                      rows);
    out += fmt::format("\nLinks take {}, and a group while it is searched {} at most.\n",
                       bytes_text(plan.result_bytes), bytes_text(largest_memory));
    out += memory_text(plan.memory);
    if (std::any_of(plan.groups.begin(), plan.groups.end(), effort_is_open)) {
        out += fmt::format(
            "Approximate groups raise their effort until a sample's recall is {} or more; GFLOP is a guess "
            "at that.\n",
            arguments.options.recall_target);
    }
    if (kept_flat > 0) {
        out +=
            fmt::format("{} too small for --index {} and searched flat, which is exact.\n",
                        kept_flat == 1 ? "1 group is" : fmt::format("{} groups are", count_text(kept_flat)),
                        name(arguments.options.index));
    }
    return out + bad_rows_text(plan, arguments.options.on_bad_row);
}

/// How an index's time compares with that of the flat one, against how its cost does: above 1 it was slower
/// than reckoned.
double fit_of(const IndexMeasure& measure, const IndexMeasure& flat) {
    return measure.seconds / flat.seconds / (measure.cost / flat.cost);
}

std::string measures_text(const std::vector<IndexMeasure>& measures) {
    if (measures.empty()) return "\nNo group is large enough to measure: 1,000 rows and up.\n";
    std::vector<std::vector<std::string>> rows;
    for (const IndexMeasure& measure : measures) {
        rows.push_back({std::string(name(measure.index)), count_text(measure.rows), gflop_text(measure.cost),
                        fmt::format("{:.3f}", measure.seconds),
                        fmt::format("{:.1f}", measure.cost / measure.seconds / 1e9),
                        fmt::format("{:.4f}", measure.recall),
                        fmt::format("{:.2f}", fit_of(measure, measures.front()))});
    }
    return "\n" +
           table_text({{"measured"},
                       {"rows", true},
                       {"GFLOP", true},
                       {"CPU s", true},
                       {"GFLOP/s", true},
                       {"recall", true},
                       {"fit", true}},
                      rows) +
           "\nfit: time over time of the flat index, against GFLOP over GFLOP; above 1 is slower than "
           "planned.\n";
}

nlohmann::ordered_json measures_json(const std::vector<IndexMeasure>& measures) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const IndexMeasure& measure : measures) {
        json.push_back({{"index", name(measure.index)},
                        {"rows", measure.rows},
                        {"cost", measure.cost},
                        {"cpu_seconds", measure.seconds},
                        {"recall", measure.recall},
                        {"fit", fit_of(measure, measures.front())}});
    }
    return json;
}

std::string plan_json(const std::string& path, const Table& table, const Plan& plan,
                      const std::optional<std::vector<IndexMeasure>>& measures,
                      const std::optional<CutPlan>& cut) {
    nlohmann::ordered_json groups = nlohmann::ordered_json::array();
    for (const GroupPlan& group : plan.groups) {
        nlohmann::ordered_json& json = groups.emplace_back();
        json = {{"key", table.groups.keys[static_cast<std::size_t>(group.group)]},
                {"rows", group.rows},
                {"dim", group.dim},
                {"index", name(group.index)},
                {"path", name(group.path)},
                {"tiles", group.tiles},
                {"cost", group.cost},
                {"memory_bytes", group.memory_bytes}};
        if (group.index != IndexKind::flat) json["recall_target"] = group.recall_target;
        for_each_knob(group.index, group.ivf, group.hnsw, group.partition,
                      [&json](const char* knob, std::int64_t value) { json[knob] = value; });
    }
    nlohmann::ordered_json status = nlohmann::ordered_json::object();
    for (std::size_t s = 0; s < plan.row_status.size(); ++s) {
        status[std::string(name(static_cast<RowStatus>(s)))] = plan.row_status[s];
    }
    nlohmann::ordered_json document{{"version", version()},
                                    {"input", path},
                                    {"rows", table.vectors.rows},
                                    {"cost", plan.cost},
                                    {"result_bytes", plan.result_bytes},
                                    {"memory",
                                     {{"budget_bytes", plan.memory.budget_bytes},
                                      {"planned_bytes", plan.memory.planned_bytes},
                                      {"least_bytes", plan.memory.least_bytes},
                                      {"waves", plan.memory.waves}}},
                                    {"row_status", status},
                                    {"groups", groups}};
    if (measures) document["measured"] = measures_json(*measures);
    if (cut) document["shares"] = shares_json(*cut);
    // Keys and paths may hold any bytes.
    return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace

void run_explain(const ExplainArguments& arguments, const std::stop_token& stop) {
    const std::string& path = arguments.input.path;
    ProgressLine line(!arguments.quiet && error_is_terminal());
    const JobControl control{line.callback(), stop};
    line.update({"read", 0.0});
    const InputSpec input =
        with_spill(arguments.input, arguments.options, std::filesystem::temp_directory_path().string());
    Table table = read_table(input, control);
    line.update({"plan", 0.0});
    const auto make_plan = [&] {
        return about_file(
            path, [&] { return plan_links(table.vectors, table.groups, arguments.options, control); });
    };
    Plan plan = make_plan();
    if (plan.memory.planned_bytes > plan.memory.budget_bytes && !table.vectors.file_backed) {
        spill_vectors(table, input.spill.folder);  // as link would
        plan = make_plan();
    }
    std::optional<std::vector<IndexMeasure>> measures;
    if (arguments.measure) {
        measures = about_file(path, [&] {
            return measure_indexes(table.vectors, table.groups, plan, arguments.options, control);
        });
    }
    std::optional<CutPlan> cut;
    if (const auto& shares = arguments.shares) {
        cut.emplace(CutPlan{plan, table.groups, cut_plan(plan, arguments.options, shares->count), *shares});
    }
    table.check_unchanged();
    line.clear();
    if (const std::string times = line.times_text(); measures && !times.empty()) {
        print_error(fmt::format("measured in {}\n", times));
    }
    if (!arguments.quiet) print_error(notes_text(arguments.notes));
    if (arguments.json) {
        print(plan_json(path, table, plan, measures, cut));
    } else {
        print(plan_text(path, table, plan, arguments) + (cut ? shares_text(*cut) : "") +
              (measures ? measures_text(*measures) : ""));
    }
}

}  // namespace grouplink::cli
