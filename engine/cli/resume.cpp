#include "cli/resume.hpp"

#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

namespace grouplink::cli {

Journal open_journal(const LinkArguments& arguments) {
    Journal journal({.output = arguments.output.path,
                     .options = arguments.options,
                     .shard = arguments.shard.value_or(Shard{}),
                     .resume = arguments.resume});
    if (journal.waiting() && !arguments.quiet) {
        print_error(fmt::format("note: {} has what an earlier run found; --resume goes on from there\n",
                                printable(journal.path())));
    }
    return journal;
}

void add_note(Report& report, const Journal& journal) {
    const std::string note = journal.note();
    if (!note.empty()) report.notes.push_back(note);
}

std::string resumed_text(const Report& report) {
    if (!report.resumed || report.resumed->groups == 0) return {};
    return fmt::format("resumed: {} of {} had been searched by an earlier run\n",
                       plural(report.resumed->groups, "group"), plural(report.resumed->rows, "row"));
}

std::string with_hint(std::string_view what) {
    return fmt::format("{}; the same command with --resume goes on from what was found", what);
}

}  // namespace grouplink::cli
