#include <grouplink/report_page.hpp>

#include "page/label.hpp"
#include "page/sections.hpp"
#include "page/style.hpp"
#include "page/text.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

namespace grouplink {
namespace page {
namespace {

constexpr std::size_t most_path = 200;

std::string tile(std::string_view title, const std::string& figure, const std::string& more) {
    return fmt::format("<div class=\"tile\"><dt>{}</dt><dd>{}<span class=\"more\">{}</span></dd></div>\n",
                       title, figure, more);
}

const GroupReport* lowest_recall(const Report& report) {
    const GroupReport* lowest = nullptr;
    for (const GroupReport& group : report.groups) {
        if (!group.search) continue;
        if (!lowest || group.search->recall.low < lowest->search->recall.low) lowest = &group;
    }
    return lowest;
}

std::int64_t left_out(const Report& report) {
    std::int64_t bad = 0;
    for (std::size_t s = 1; s < report.row_status.size(); ++s) bad += report.row_status[s];
    return bad;
}

std::string tiles(const Report& report) {
    const std::int64_t bad = left_out(report);
    const auto good = static_cast<double>(report.row_status[0]);
    const double a_row = good > 0.0 ? static_cast<double>(report.links) / good : 0.0;
    std::int64_t largest = 0;
    for (const GroupReport& group : report.groups) largest = std::max(largest, group.rows);
    const GroupReport* lowest = lowest_recall(report);
    std::string out = "<dl class=\"tiles\">\n";
    out += tile("Rows", data_text("rows", report.rows),
                bad == 0 ? "all took part" : count_text(bad) + " left out");
    out += tile("Groups", data_text("groups-count", static_cast<std::int64_t>(report.groups.size())),
                (report.groups.size() == 1 ? "of " : "up to ") + plural(largest, "row"));
    out += tile("Links", data_text("links", report.links), std::string(name(report.options.links)));
    out += tile("Links a row", fmt::format("{:.1f}", a_row),
                fmt::format("at most {} asked for", count_text(report.options.n_nearest)));
    if (lowest) {
        const RecallEstimate& recall = lowest->search->recall;
        out += tile("Recall", data_text("recall-lowest", recall.recall, fmt::format("{:.4f}", recall.recall)),
                    fmt::format("{}{:.4f} to {:.4f}", report.groups.size() > 1 ? "lowest group, " : "",
                                recall.low, recall.high));
    } else {
        out += tile("Recall", "1", "every group exact");
    }
    out += tile("Cut", data_text("cut", report.cut, number_text(report.cut)),
                report.options.quantile_scope == QuantileScope::group ? "lowest of the groups"
                                                                      : "weight that links reach");
    out += tile("Time", data_text("seconds", report.seconds, seconds_text(report.seconds)),
                "on " + plural(report.threads, "thread"));
    out += tile("Peak memory",
                data_text("memory", static_cast<double>(report.peak_memory_bytes),
                          bytes_text(report.peak_memory_bytes)),
                report.memory.budget_bytes > 0 ? "of a budget of " + bytes_text(report.memory.budget_bytes)
                                               : "of the process");
    return out + "</dl>\n";
}

/// What a reader should not overlook.
std::string notes(const Report& report) {
    std::vector<std::string> lines = report.notes;
    const std::int64_t bad = left_out(report);
    if (bad > 0) {
        lines.push_back(fmt::format("{} could not be linked and {} left out: see Rows.", plural(bad, "row"),
                                    bad == 1 ? "was" : "were"));
    }
    std::int64_t below = 0;
    for (const GroupReport& group : report.groups) {
        if (group.search && !group.search->exhaustive &&
            group.search->recall.low < report.options.recall_target) {
            ++below;
        }
    }
    if (below > 0) {
        lines.push_back(fmt::format("{} may be below the recall target of {}: see Recall.",
                                    plural(below, "group"), report.options.recall_target));
    }
    if (report.resumed && report.resumed->groups > 0) {
        lines.push_back(
            fmt::format("{} of {} had been searched by an earlier run, whose time is not counted.",
                        plural(report.resumed->groups, "group"), plural(report.resumed->rows, "row")));
    }
    if (report.links == 0) lines.emplace_back("The result has no links.");
    if (lines.empty()) return {};
    std::string out = "<ul class=\"notes\">";
    for (const std::string& one : lines) out += "<li>" + escaped(one) + "</li>";
    return out + "</ul>\n";
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::string head(const Report& report) {
    const std::string title = report.output.empty() ? "Links" : file_name(report.output);
    const auto groups = static_cast<std::int64_t>(report.groups.size());
    std::string lead = fmt::format(
        "{} of <bdi>{}</bdi> linked to their nearest rows of the same group, in {}.",
        plural(report.rows, "row"), escaped(file_name(report.input), most_path), plural(groups, "group"));
    if (groups == 1 && report.groups.front().key.empty()) {
        lead = fmt::format("{} of <bdi>{}</bdi> linked to their nearest rows, as one group.",
                           plural(report.rows, "row"), escaped(file_name(report.input), most_path));
    }
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<meta name=\"generator\" content=\"grouplink {0}\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n"
        "<title>{1}: links by grouplink</title>\n<style>{2}</style>\n</head>\n<body>\n<header>\n"
        "<div class=\"brand\">grouplink report</div>\n<h1><bdi>{1}</bdi></h1>\n<p class=\"lead\">{3}</p>\n"
        "<nav aria-label=\"Sections\"><a href=\"#quality\">Quality</a><a href=\"#groups\">Groups</a>"
        "<a href=\"#plan\">Plan</a><a href=\"#time\">Time</a><a href=\"#examples\">Examples</a>"
        "<a href=\"#graph\">Graph</a><a href=\"#settings\">Settings</a></nav>\n",
        escaped(report.version), escaped(title, most_path), style, lead);
}

void check_sizes(const LinkSample& sample, const GroupColumn& groups, const IdColumn& ids,
                 const StringColumn& texts) {
    const auto rows = static_cast<std::int64_t>(groups.codes.size());
    if (!sample.rows.empty() && (sample.rows.front() < 0 || sample.rows.back() >= rows)) {
        throw Error(ErrorCode::bad_input, fmt::format("page: the sample names row {}, there are {} rows",
                                                      sample.rows.back(), rows));
    }
    if (texts.size() != 0 && texts.size() != static_cast<std::int64_t>(sample.rows.size())) {
        throw Error(ErrorCode::bad_input, fmt::format("page: got {} texts, the sample has {} rows",
                                                      texts.size(), sample.rows.size()));
    }
    std::int64_t named = rows;
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) {
        named = static_cast<std::int64_t>(numbers->size());
    } else if (const auto* strings = std::get_if<StringColumn>(&ids)) {
        named = strings->size();
    }
    if (named != rows) {
        throw Error(ErrorCode::bad_input, fmt::format("page: got {} ids for {} rows", named, rows));
    }
}

}  // namespace

std::string settings_section(const Report& report) {
    std::string out = "<section id=\"settings\"><h2>Settings</h2>\n";
    const auto list = [&](const char* title,
                          const std::vector<std::pair<std::string_view, std::string>>& facts) {
        out += fmt::format("<h3>{}</h3><dl class=\"facts\">", title);
        for (const auto& [what, value] : facts) {
            if (value.empty()) continue;
            out += fmt::format("<div><dt>{}</dt><dd><bdi>{}</bdi></dd></div>\n", what,
                               escaped(value, most_path));
        }
        out += "</dl>\n";
    };
    const LinkOptions& options = report.options;
    std::vector<std::pair<std::string_view, std::string>> links{
        {"n_nearest", count_text(options.n_nearest)},
        {"metric", std::string(name(options.metric))},
        {"weight", report.mapping},
        {"similarity_min", number_text(options.similarity_min)},
        {"similarity_min_q", number_text(options.similarity_min_q)},
        {"quantile_scope", std::string(name(options.quantile_scope))},
        {"links", std::string(name(options.links))},
        {"index", std::string(name(options.index))},
        {"recall_target", number_text(options.recall_target)},
        {"on_bad_row", std::string(name(options.on_bad_row))},
        {"seed", fmt::format("{}", options.seed)},
    };
    const auto knob = [&](std::string_view what, std::int64_t value) {
        links.emplace_back(what, value == 0 ? "automatic" : count_text(value));
    };
    if (options.index == IndexKind::ivf) {
        knob("nlist", options.ivf.nlist);
        knob("nprobe", options.ivf.nprobe);
    } else if (options.index == IndexKind::hnsw) {
        knob("M", options.hnsw.M);
        knob("ef_construction", options.hnsw.ef_construction);
        knob("ef_search", options.hnsw.ef_search);
    } else if (options.index == IndexKind::partition) {
        knob("passes", options.partition.passes);
        knob("fanout", options.partition.fanout);
        if (options.partition.passes > 0) knob("refinements", options.partition.refinements);
    }
    list("Linking", links);
    list("Files", {{"input", report.input}, {"output", report.output}, {"finished", report.finished}});
    const Machine& machine = report.machine;
    list("Versions and machine",
         {{"grouplink", report.version},
          {"FAISS", report.faiss_version},
          {"instruction set", report.isa},
          {"threads", fmt::format("{}{}", report.threads, options.threads == 0 ? ", all there are" : "")},
          {"processor", machine.cpu},
          {"CPUs", machine.cpus > 0 ? count_text(machine.cpus) : ""},
          {"memory", machine.memory_bytes > 0 ? bytes_text(machine.memory_bytes) : ""},
          {"system", machine.system}});
    const MemoryReport& memory = report.memory;
    const bool budget = memory.budget_bytes > 0;
    list("Work", {{"waves of groups", budget ? count_text(memory.waves) : ""},
                  {"memory planned", budget ? bytes_text(memory.planned_bytes) : ""},
                  {"pairs scored canonically", count_text(report.scored_pairs)},
                  {"rows searched again", count_text(report.researched_rows)},
                  {"duplicate rows", count_text(report.duplicate_rows)}});
    return out + "</section>\n";
}

}  // namespace page

std::string to_html(const Report& report, const LinkSample& sample, const GroupColumn& groups,
                    const IdColumn& ids, const StringColumn& texts) {
    page::check_sizes(sample, groups, ids, texts);
    const page::Subject subject{report, sample, groups, ids, texts};
    return page::head(report) + page::tiles(report) + page::notes(report) + "</header>\n<main>\n" +
           page::quality_section(report) + page::groups_section(report) + page::plan_section(report) +
           page::time_section(report) + page::examples_section(subject) +
           page::neighborhoods_section(subject) + page::settings_section(report) + "</main>\n<footer>" +
           (report.finished.empty() ? std::string() : "Finished " + page::escaped(report.finished) + ". ") +
           "This page is one file: it reads nothing else and runs nothing.</footer>\n</body>\n</html>\n";
}

}  // namespace grouplink
