#include "cli/job.hpp"
#include "cli/run.hpp"
#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <grouplink/part.hpp>
#include <grouplink/report.hpp>

#include <fmt/format.h>

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

}  // namespace

void run_share(const LinkArguments& arguments, const std::stop_token& stop) {
    const auto start = Clock::now();
    check_part_output(arguments.output, arguments.input);
    check_reports(arguments);

    ProgressLine line(!arguments.quiet && error_is_terminal());
    const JobControl control{line.callback(), stop};
    line.update({"read", 0.0});
    const InputSpec input = with_spill(arguments);
    Table table = read_table(input, control);
    const double read_seconds = seconds_since(start);

    LinkPart part = within_budget(input, table, [&] {
        return link_part(table.vectors, table.groups, *arguments.shard, with_writing(arguments), control);
    });
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
        print_error(summary_text(part) + recall_text(report) + dropped_text(report) + shared_id_text(table) +
                    notes_text(report.notes));
    }
    if (arguments.reports.empty() && !arguments.json) return;
    const std::string json = to_json(report);
    for (const std::string& path : arguments.reports) write_text(path, json, arguments.output.force);
    if (arguments.json) print(json);
}

}  // namespace grouplink::cli
