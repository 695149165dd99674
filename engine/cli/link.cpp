#include "cli/job.hpp"
#include "cli/progress.hpp"
#include "cli/resume.hpp"
#include "cli/run.hpp"
#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <grouplink/io.hpp>
#include <grouplink/link.hpp>
#include <grouplink/report_page.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <sys/resource.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace grouplink::cli {
namespace {

/// Throws what write_text would, before the work and not after it.
void check_report(const std::string& path, const LinkArguments& arguments) {
    check_text_output(path, arguments.output.force);
    std::error_code ignored;
    if (std::filesystem::equivalent(path, arguments.input.path, ignored)) {
        throw Error(ErrorCode::invalid_options, fmt::format("{}: the report would replace the input", path));
    }
}

std::string time_now() {
    return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::now()));
}

/// The report as a page, with examples of the links.
std::string page_of(const LinkArguments& arguments, const Table& table, const LinkResult& result,
                    const JobControl& control) {
    const LinkSample sample = sample_links(result.graph, table.groups, arguments.options.seed);
    StringColumn texts;
    if (!arguments.input.text.empty()) texts = read_texts(arguments.input, sample.rows, control);
    return to_html(result.report, sample, table.groups, table.ids, texts);
}

}  // namespace

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Of this process, resident. getrusage() counts the process that started this one as well, as far
/// as its memory was shared until exec: hundreds of MiB under Python.
std::int64_t peak_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::int64_t kib = 0;
        if (word == "VmHWM:" && status >> kib) return kib * 1024;
    }
    rusage usage{};
    return ::getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::int64_t>(usage.ru_maxrss) * 1024 : 0;
}

namespace {

/// A given budget may be small: freed blocks are to go back to the system, not to wait for others of their
/// size.
void keep_to_budget(const LinkOptions& options) {
#if defined(__GLIBC__)
    constexpr int kept = 1 << 20;
    if (options.memory_bytes == 0) return;
    ::mallopt(M_MMAP_THRESHOLD, kept);
    ::mallopt(M_TRIM_THRESHOLD, kept);
#endif
}

}  // namespace

void check_reports(const LinkArguments& arguments) {
    for (const std::string& path : arguments.reports) check_report(path, arguments);
}

std::string dropped_text(const Report& report) {
    std::int64_t dropped = 0;
    std::vector<std::string> parts;
    for (std::size_t s = 1; s < report.row_status.size(); ++s) {
        if (report.row_status[s] == 0) continue;
        dropped += report.row_status[s];
        parts.push_back(
            fmt::format("{} {}", count_text(report.row_status[s]), name(static_cast<RowStatus>(s))));
    }
    if (dropped == 0) return {};
    return fmt::format("dropped {}: {}\n", plural(dropped, "row"), fmt::join(parts, ", "));
}

/// Distinct ids are the user's affair, but links that cannot be told apart should not surprise.
std::string shared_id_text(const Table& table) {
    if (!table.shared_id) return {};
    const auto [first, second] = *table.shared_id;
    std::string id;
    if (const auto* texts = std::get_if<StringColumn>(&table.ids)) {
        id = printable(std::string((*texts)[first]));
    } else if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&table.ids)) {
        id = std::to_string((*numbers)[static_cast<std::size_t>(first)]);
    }
    return fmt::format("note: ids are not distinct: rows {} and {} are both \"{}\"\n", first, second, id);
}

namespace {

std::string summary_text(const Report& report) {
    std::vector<std::string> stages;
    for (const StageTime& stage : report.stages) {
        if (stage.seconds >= 0.05) stages.push_back(fmt::format("{} {:.1f}", stage.name, stage.seconds));
    }
    return fmt::format("{} in {}: {}, cut {:.4g}, in {:.1f} s{}, peak {} -> {}\n", plural(report.rows, "row"),
                       plural(static_cast<std::int64_t>(report.groups.size()), "group"),
                       plural(report.links, "link"), report.cut, report.seconds,
                       stages.empty() ? "" : fmt::format(" ({})", fmt::join(stages, ", ")),
                       bytes_text(report.peak_memory_bytes), printable(report.output));
}

}  // namespace

/// The recall of the approximate groups: the lowest, where there are several.
std::string recall_text(const Report& report) {
    constexpr std::size_t widest_key = 40;
    std::int64_t approximate = 0;
    std::int64_t below = 0;
    const GroupReport* lowest = nullptr;
    for (const GroupReport& group : report.groups) {
        if (!group.search) continue;
        ++approximate;
        if (group.search->recall.low < report.options.recall_target && !group.search->exhaustive) ++below;
        if (!lowest || group.search->recall.low < lowest->search->recall.low) lowest = &group;
    }
    if (approximate == 0) return {};
    const RecallEstimate& recall = lowest->search->recall;
    std::string text = fmt::format("recall {:.4f} ({:.4f} to {:.4f}) in a sample of {}", recall.recall,
                                   recall.low, recall.high, plural(recall.rows, "row"));
    if (approximate > 1) {
        text += fmt::format(" of \"{}\", the lowest of {} approximate groups",
                            shorten(lowest->key, widest_key), count_text(approximate));
    }
    if (below > 0) {
        text += fmt::format("; {} below the recall target of {}, since the effort was given",
                            approximate == 1 ? "it is" : plural(below, "group") + " may be",
                            report.options.recall_target);
    }
    return text + '\n';
}

void add_command(Report& report, const LinkArguments& arguments, double read_seconds) {
    report.input = arguments.input.path;
    report.output = arguments.output.path;
    report.notes.insert(report.notes.begin(), arguments.notes.begin(), arguments.notes.end());
    report.stages.push_back({"read", read_seconds});
    std::rotate(report.stages.begin(), std::prev(report.stages.end()), report.stages.end());
}

void deliver(const LinkArguments& arguments, const Table& table, LinkResult result, Clock::time_point start,
             double read_seconds, ProgressLine& line, const JobControl& control) {
    Report& report = result.report;
    add_command(report, arguments, read_seconds);

    const auto write_start = Clock::now();
    line.update({"write", 0.0});
    write_links(arguments.output, arguments.input, table, result, control);
    report.stages.push_back({"write", seconds_since(write_start)});
    report.seconds = seconds_since(start);
    report.peak_memory_bytes = peak_memory();
    report.finished = time_now();
    const bool json_wanted =
        arguments.json || !std::all_of(arguments.reports.begin(), arguments.reports.end(), is_page);
    const std::string json = json_wanted ? to_json(report) : std::string();
    std::vector<std::string> texts;
    for (const std::string& path : arguments.reports) {
        texts.push_back(is_page(path) ? page_of(arguments, table, result, control) : json);
    }
    line.clear();

    if (!arguments.quiet) {
        print_error(summary_text(report) + resumed_text(report) + recall_text(report) + dropped_text(report) +
                    shared_id_text(table) + notes_text(report.notes));
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        write_text(arguments.reports[i], texts[i], arguments.output.force);
    }
    if (arguments.json) print(json);
}

LinkOptions with_writing(const LinkArguments& arguments) {
    LinkOptions options = arguments.options;
    options.memory_afterwards_bytes = writing_bytes(arguments.output);
    return options;
}

InputSpec with_spill(const LinkArguments& arguments) {
    const std::string folder = std::filesystem::path(arguments.output.path).parent_path().string();
    return with_spill(arguments.input, arguments.options, folder.empty() ? std::string(1, '.') : folder);
}

InputSpec with_spill(InputSpec input, const LinkOptions& options, std::string folder) {
    keep_to_budget(options);
    // Less is worth its place in memory, whatever the rest takes.
    constexpr std::int64_t least_share = 4;
    input.spill = {.above_bytes = memory_budget(options) / least_share, .folder = std::move(folder)};
    return input;
}

void run_link(const LinkArguments& arguments, const std::stop_token& stop) {
    if (arguments.shard) return run_share(arguments, stop);
    const auto start = Clock::now();
    check_output(arguments.output, arguments.input);
    check_reports(arguments);
    Journal journal = open_journal(arguments);

    ProgressLine line(!arguments.quiet && error_is_terminal());
    JobControl control{line.callback(), stop};
    line.update({"read", 0.0});
    const InputSpec input = with_spill(arguments);
    Table table = read_table(input, control);
    if (!arguments.input.text.empty()) check_texts(arguments.input, table.vectors.rows, control);
    control.checkpoints = journal.open(table, control);
    const double read_seconds = seconds_since(start);

    keep_journal(journal, [&] {
        LinkResult result = within_budget(input, table, [&] {
            return build_links(table.vectors, table.groups, with_writing(arguments), control);
        });
        add_note(result.report, journal);
        deliver(arguments, table, std::move(result), start, read_seconds, line, control);
    });
}

}  // namespace grouplink::cli
