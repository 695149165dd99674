#include "cli/manual.hpp"

#include "cli/flags.hpp"
#include "cli/help.hpp"
#include "cli/numbers.hpp"
#include "cli/text.hpp"

#include <grouplink/version.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace grouplink::cli {
namespace {

constexpr std::string_view description = R"(.SH DESCRIPTION
Rows with an embedding and a group go in; links come out, from each row to
its most similar rows of the same group.
No row is compared across groups; without groups all rows are one.
Links are exact, or in the largest groups of the recall that is asked for,
and the same on every run.
.PP
What a file is goes by its extension.
Standard output carries what was asked for and nothing else; progress, on a
terminal alone, a summary and errors go to standard error.
An output is written beside its place and renamed when it is complete: it
appears whole or not at all, and replaces nothing without
.BR \-\-force .
)";

constexpr std::string_view environment = R"(.SH ENVIRONMENT
.TP
.B TERM
Where it is
.B dumb
or not set, no progress is shown.
.TP
.B NO_COLOR
Is honoured: there are no colours in any case.
.TP
.B GROUPLINK_ISA
The most that is used of the processor:
.BR baseline ,
.BR avx2 ,
.BR avx512 ,
.B avx512vnni
or
.BR avx512amx .
The links of an exact search are the same under each.
.SH SEE ALSO
.BR llm (1),
.BR datasette (1)
)";

/// Of the page: today, or what builds that are to be reproduced set.
std::string date() {
    const char* const set =
        std::getenv("SOURCE_DATE_EPOCH");  // NOLINT(concurrency-mt-unsafe): nothing sets it
    const auto seconds = set != nullptr ? parse_integer(set) : std::nullopt;
    // Up to the year 9999.
    const bool usable = seconds && *seconds >= 0 && *seconds < 253'402'300'800;
    const std::time_t time = usable ? static_cast<std::time_t>(*seconds) : std::time(nullptr);
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(time));
}

/// Text in which every character is itself.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
    }
    return out;
}

/// The same as lines of their own, which a dot at the beginning makes no request.
std::string lines_of(std::string_view text) {
    constexpr std::size_t width = 72;
    std::string out;
    for (const std::string& line : wrap(text, width)) {
        if (line.starts_with('.') || line.starts_with('\'')) out += "\\&";
        out += plain(line) + '\n';
    }
    return out;
}

std::string example_text(const Command& command) {
    std::string out = ".PP\nExamples:\n";
    for (const Example& example : command.examples) {
        out += fmt::format(".PP\n.RS 4\n.nf\n{}\n.fi\n.RS 4\n{}.RE\n.RE\n", plain(example.line),
                           lines_of(example.meaning));
    }
    return out;
}

std::string flag_text(const Flag& flag) {
    std::string names;
    for (std::size_t first = 0; first < flag.names.size();) {
        const std::size_t end = std::min(flag.names.find(',', first), flag.names.size());
        if (first > 0) names += ", ";
        names += fmt::format("\\fB{}\\fR", plain(flag.names.substr(first, end - first)));
        first = end + 1;
    }
    if (!flag.value.empty()) names += fmt::format(" \\fI{}\\fR", plain(flag.value));
    std::string out = fmt::format(".TP\n{}\n{}", names, lines_of(flag.help));
    const bool explained = std::any_of(flag.choices.begin(), flag.choices.end(),
                                       [](const Choice& choice) { return !choice.meaning.empty(); });
    if (!explained) return out;
    out += ".RS\n";
    for (const Choice& choice : flag.choices) {
        out += fmt::format(".TP\n.B {}\n{}", plain(choice.value), lines_of(choice.meaning));
    }
    return out + ".RE\n";
}

std::string command_text(const Command& command) {
    std::string out = fmt::format(".SS \"{}\"\n{}.\n.PP\n{}{}", plain(command.usage), plain(command.summary),
                                  lines_of(command.about), example_text(command));
    std::string_view section;
    for (const Flag& flag : command.flags) {
        if (flag.section != section) {
            section = flag.section;
            out += fmt::format(".PP\n{}:\n", plain(section));
        }
        out += flag_text(flag);
    }
    return out;
}

}  // namespace

std::string manual() {
    std::string out = fmt::format(
        ".TH GROUPLINK 1 {} \"grouplink {}\" \"User Commands\"\n"
        ".SH NAME\ngrouplink \\- link rows by the similarity of their embeddings, within groups\n"
        ".SH SYNOPSIS\n",
        date(), version());
    for (const Command& command : commands()) out += fmt::format("{}\n.br\n", plain(command.usage));
    out += "grouplink \\-\\-help\n.br\ngrouplink \\-\\-version\n";
    out += description;
    out += ".SH COMMANDS\n";
    for (const Command& command : commands()) out += command_text(command);
    out += ".SH EXIT STATUS\n";
    for (const ExitStatus& status : exit_statuses()) {
        out += fmt::format(".TP\n.B {}\n{}", status.code, lines_of(status.meaning));
    }
    return out + std::string(environment);
}

}  // namespace grouplink::cli
