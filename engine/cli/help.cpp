#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace grouplink::cli {
namespace {

constexpr std::size_t line_width = 80;
constexpr std::size_t help_column = 28;

/// The size of the first word; "[default: 15]" is one.
std::size_t word_size(std::string_view text) {
    const std::size_t from = text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0;
    return std::min(text.find(' ', from), text.size());
}

void wrap_line(std::vector<std::string>& lines, std::string_view text, std::size_t width) {
    lines.emplace_back();
    // What is indented is laid out already.
    if (text.starts_with(' ')) {
        lines.back() = text;
        return;
    }
    while (!text.empty()) {
        const std::string_view word = text.substr(0, word_size(text));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
        if (!lines.back().empty()) lines.back() += ' ';
        lines.back() += word;
    }
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    for (;;) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        wrap_line(lines, text.substr(0, end), width);
        if (end == text.size()) return lines;
        text.remove_prefix(end + 1);
    }
}

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

void add_flag(std::string& out, const Flag& flag) {
    std::string line = heading(flag);
    for (const std::string& part : wrap(flag.help, line_width - help_column)) {
        if (line.size() + 2 > help_column) {
            out += line + '\n';
            line.clear();
        }
        out += fmt::format("{:<{}}{}\n", line, help_column, part);
        line.clear();
    }
}

}  // namespace

std::string help() {
    std::string out =
        "grouplink links rows by the similarity of their embeddings, within groups.\n"
        "\n"
        "Usage: grouplink COMMAND ...\n"
        "\n"
        "Commands:\n";
    for (const Command& one : commands()) out += fmt::format("  {:<10}{}\n", one.name, one.summary);
    out +=
        "\n"
        "Options:\n"
        "  -h, --help      Show this help; after a command, that of the command\n"
        "  -V, --version   Show the version\n"
        "\n"
        "Examples:\n"
        "  grouplink inspect words.parquet\n"
        "  grouplink link words.parquet -o links.parquet --group topic --id word\n"
        "\n"
        "Exit codes: 0 done, 1 failed, 2 usage, 3 bad input, 4 out of memory,\n"
        "5 reading or writing failed, 130 interrupted.\n";
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
