#include "cli/job.hpp"
#include "cli/run.hpp"
#include "cli/streams.hpp"

#include <grouplink/part.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace grouplink::cli {
namespace {

/// Where the input is: what the part says, but for what the arguments do.
InputSpec input_of(const InputSpec& recorded, const InputSpec& given) {
    InputSpec input = recorded;
    if (!given.path.empty()) input.path = given.path;
    if (!given.groups_file.empty()) input.groups_file = given.groups_file;
    if (!given.ids_file.empty()) input.ids_file = given.ids_file;
    input.text = given.text;
    return input;
}

/// Whether the output, or a page about it, holds more of the rows than their numbers.
bool needs_input(const LinkPart& part, const LinkArguments& job) {
    if (job.output.layout == Layout::lists) return true;
    if (std::any_of(job.reports.begin(), job.reports.end(), is_page)) return true;
    return part.input.ids != 0 && !job.output.path.ends_with(".npz");
}

/// The rows as the job had them, or, where they are not needed, no more than how many there are.
Table table_of(const LinkPart& part, const LinkArguments& job, const JobControl& control) {
    if (!needs_input(part, job)) {
        MatrixView rows;
        rows.rows = part.report.rows;
        return {nullptr, rows, {}, {}};
    }
    try {
        Table table = read_table(job.input, control);
        check_part_table(part, table, job.input.path, control);
        if (!job.input.text.empty()) check_texts(job.input, table.vectors.rows, control);
        return table;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::io) throw;
        throw Error(error.code(),
                    fmt::format("{}; ids and columns are read from the input: where has it gone? "
                                "Pass --input, --groups or --ids",
                                error.what()));
    }
}

}  // namespace

void run_merge(const MergeArguments& arguments, const std::stop_token& stop) {
    const auto start = Clock::now();
    ProgressLine line(!arguments.job.quiet && error_is_terminal());
    const JobControl control{line.callback(), stop};
    line.update({"read", 0.0});
    std::vector<LinkPart> parts;
    std::vector<std::function<void()>> checks;  // that the parts' files stay as they are
    LinkArguments job = arguments.job;
    for (const std::string& path : arguments.parts) {
        PartFile file = read_part(path, control);
        if (parts.empty()) job.input = input_of(file.input, arguments.job.input);
        parts.push_back(std::move(file.part));
        checks.push_back(std::move(file.check_unchanged));
        if (parts.size() > 1) continue;
        // As soon as it is known whether there is an input to be read.
        check_output(job.output, job.input);
        check_reports(job);
    }
    const double read_seconds = seconds_since(start);

    LinkResult result = merge_parts(parts, job.options.threads, control);
    for (const auto& check : checks) check();
    checks.clear();
    const Table table = table_of(parts.front(), job, control);
    parts.clear();
    deliver(job, table, std::move(result), start, read_seconds, line, control);
}

}  // namespace grouplink::cli
