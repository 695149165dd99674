#include "cli/help.hpp"

#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace grouplink::cli {
namespace {

constexpr std::size_t line_width = 80;
constexpr std::size_t help_column = 28;

/// "  -k, --n-nearest N", with the long names in one column.
std::string heading(const Flag& flag) {
    std::string text = flag.names.starts_with("--") ? "      " : "  ";
    for (const char c : flag.names) {
        text += c;
        if (c == ',') text += ' ';
    }
    if (!flag.value.empty()) text += fmt::format(" {}", flag.value);
    return text;
}

/// A line for each of the values that have a meaning, behind what the flag does.
std::string text_of(const Flag& flag) {
    std::string text = flag.help;
    std::size_t widest = 0;
    for (const Choice& choice : flag.choices) widest = std::max(widest, choice.value.size());
    for (const Choice& choice : flag.choices) {
        if (!choice.meaning.empty())
            text += fmt::format("\n  {:<{}}  {}", choice.value, widest, choice.meaning);
    }
    return text;
}

void add_flag(std::string& out, const Flag& flag) {
    std::string line = heading(flag);
    for (const std::string& part : wrap(text_of(flag), line_width - help_column)) {
        if (line.size() + 2 > help_column) {
            out += line + '\n';
            line.clear();
        }
        out += fmt::format("{:<{}}{}\n", line, help_column, part);
        line.clear();
    }
}

}  // namespace

std::span<const ExitStatus> exit_statuses() {
    static constexpr auto all = std::to_array<ExitStatus>({
        {0, "done"},
        {1, "failed; of verify: something is broken"},
        {2, "usage: an option that is unknown, out of range, or contradicts another"},
        {3, "bad input: a malformed file, an unknown column, bad rows"},
        {4, "out of memory"},
        {5, "reading or writing failed"},
        {130, "interrupted"},
    });
    return all;
}

std::string help() {
    std::string out =
        "grouplink links rows by the similarity of their embeddings, within groups.\n"
        "\n"
        "Usage: grouplink COMMAND ...\n"
        "\n"
        "Commands:\n";
    for (const Command& one : commands()) out += fmt::format("  {:<13}{}\n", one.name, one.summary);
    out +=
        "\n"
        "Options:\n"
        "  -h, --help      Show this help; after a command, that of the command\n"
        "  -V, --version   Show the version\n"
        "\n"
        "Examples:\n"
        "  grouplink inspect words.parquet\n"
        "  grouplink link words.parquet -o links.parquet --group topic --id word\n"
        "\n";
    std::string codes = "Exit codes:";
    for (const ExitStatus& status : exit_statuses()) {
        const std::string_view first = status.meaning.substr(0, status.meaning.find_first_of(":;"));
        codes += fmt::format("{} {} {}", codes.ends_with(':') ? "" : ",", status.code, first);
    }
    for (const std::string& line : wrap(codes + '.', line_width)) out += line + '\n';
    return out;
}

std::string help(const Command& command) {
    std::string out =
        fmt::format("{}.\n\nUsage: {}\n\n{}\n\nExamples:\n", command.summary, command.usage, command.about);
    for (const Example& example : command.examples) {
        out += fmt::format("  {}\n      {}\n", example.line, example.meaning);
    }
    std::string_view section;
    for (const Flag& flag : command.flags) {
        if (flag.section != section) {
            section = flag.section;
            out += fmt::format("\n{}:\n", section);
        }
        add_flag(out, flag);
    }
    return out;
}

}  // namespace grouplink::cli
