#include "cli/job.hpp"
#include "cli/resume.hpp"
#include "cli/run.hpp"
#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <grouplink/part.hpp>
#include <grouplink/report.hpp>

#include <fmt/format.h>

#include <utility>

namespace grouplink::cli {
namespace {

std::string summary_text(const LinkPart& part) {
    const Report& report = part.report;
    return fmt::format("share {} of {}: {} of {} in {} of {}: {} found, in {:.1f} s, peak {} -> {}\n",
                       count_text(report.shard.index), count_text(report.shard.count),
                       count_text(std::ssize(part.rows)), plural(report.rows, "row"),
                       count_text(std::ssize(part.ranges)), plural(part.groups, "group"),
                       plural(report.links_found, "link"), report.seconds,
                       bytes_text(report.peak_memory_bytes), printable(report.output));
}

/// Writes the part, and says what was done since `start`; reading took the first `read_seconds` of that.
void deliver_part(const LinkArguments& arguments, const Table& table, LinkPart part, Clock::time_point start,
                  double read_seconds, ProgressLine& line, const JobControl& control) {
    Report& report = part.report;
    add_command(report, arguments, read_seconds);

    const auto write_start = Clock::now();
    line.update({"write", 0.0});
    write_part(arguments.output, arguments.input, table, part, control);
    report.stages.push_back({"write", seconds_since(write_start)});
    report.seconds = seconds_since(start);
    report.peak_memory_bytes = peak_memory();
    line.clear();

    if (!arguments.quiet) {
        print_error(summary_text(part) + resumed_text(report) + recall_text(report) + dropped_text(report) +
                    shared_id_text(table) + notes_text(report.notes));
    }
    if (arguments.reports.empty() && !arguments.json) return;
    const std::string json = to_json(report);
    for (const std::string& path : arguments.reports) write_text(path, json, arguments.output.force);
    if (arguments.json) print(json);
}

}  // namespace

void run_share(const LinkArguments& arguments, const std::stop_token& stop) {
    const auto start = Clock::now();
    check_part_output(arguments.output, arguments.input);
    check_reports(arguments);
    Journal journal = open_journal(arguments);

    ProgressLine line(!arguments.quiet && error_is_terminal());
    JobControl control{line.callback(), stop};
    line.update({"read", 0.0});
    const InputSpec input = with_spill(arguments);
    Table table = read_table(input, control);
    control.checkpoints = journal.open(table, control);
    const double read_seconds = seconds_since(start);

    keep_journal(journal, [&] {
        LinkPart part = within_budget(input, table, [&] {
            return link_part(table.vectors, table.groups, *arguments.shard, with_writing(arguments), control);
        });
        add_note(part.report, journal);
        deliver_part(arguments, table, std::move(part), start, read_seconds, line, control);
    });
}

}  // namespace grouplink::cli
