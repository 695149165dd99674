#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace grouplink::cli {
namespace {

/// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none.
std::size_t character_size(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) return 1;
    const std::size_t size = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
    if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    }
    // Overlong forms, surrogates, and what lies past the last code point.
    if (byte(0) == 0xE0 && byte(1) < 0xA0) return 0;
    if (byte(0) == 0xED && byte(1) > 0x9F) return 0;
    if (byte(0) == 0xF0 && byte(1) < 0x90) return 0;
    if (byte(0) == 0xF4 && byte(1) > 0x8F) return 0;
    return size;
}

char32_t code_point(std::string_view character) {
    const auto byte = [&](std::size_t i) {
        return static_cast<char32_t>(static_cast<unsigned char>(character[i]));
    };
    switch (character.size()) {
        case 1: return byte(0);
        case 2: return ((byte(0) & 0x1FU) << 6) | (byte(1) & 0x3FU);
        case 3: return ((byte(0) & 0x0FU) << 12) | ((byte(1) & 0x3FU) << 6) | (byte(2) & 0x3FU);
        default:
            return ((byte(0) & 0x07U) << 18) | ((byte(1) & 0x3FU) << 12) | ((byte(2) & 0x3FU) << 6) |
                   (byte(3) & 0x3FU);
    }
}

bool controls(char32_t c) {
    // C0 and C1 controls, line separators, and the marks that turn the direction of writing.
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0x200E || c == 0x200F ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::size_t columns_of(char32_t c) {
    constexpr std::array<std::pair<char32_t, char32_t>, 3> combining{
        {{0x0300, 0x036F}, {0x200B, 0x200D}, {0xFE00, 0xFE0F}}};
    constexpr std::array<std::pair<char32_t, char32_t>, 7> wide{{{0x1100, 0x115F},
                                                                 {0x2E80, 0xA4CF},
                                                                 {0xAC00, 0xD7A3},
                                                                 {0xF900, 0xFAFF},
                                                                 {0xFE30, 0xFE6F},
                                                                 {0xFF00, 0xFF60},
                                                                 {0x1F300, 0x3FFFD}}};
    const auto within = [c](const auto& range) { return c >= range.first && c <= range.second; };
    if (std::any_of(combining.begin(), combining.end(), within)) return 0;
    return std::any_of(wide.begin(), wide.end(), within) ? 2 : 1;
}

/// Calls visit(character) for each UTF-8 character, and with one byte where there is none.
template <typename Visit>
void for_each_character(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::size_t size = character_size(text);
        if (!visit(text.substr(0, std::max<std::size_t>(size, 1)), size > 0)) return;
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
}

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

}  // namespace

std::string gflop_text(double operations) {
    const double gflop = operations / 1e9;
    if (gflop >= 100.0) return count_text(std::llround(gflop));
    if (gflop > 0.0 && gflop < 0.001) return "< 0.001";
    return fmt::format("{:.3g}", gflop);
}

std::string one_of(const std::vector<std::string_view>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
        text += names[i];
    }
    return text;
}

std::string printable(std::string_view text) {
    std::string out;
    for_each_character(text, [&](std::string_view character, bool valid) {
        if (valid && !controls(code_point(character))) {
            out += character;
        } else if (character == "\n") {
            out += "\\n";
        } else if (character == "\t") {
            out += "\\t";
        } else {
            for (const char byte : character) {
                fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
            }
        }
        return true;
    });
    return out;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for_each_character(text, [&](std::string_view character, bool valid) {
        width += valid ? columns_of(code_point(character)) : 1;
        return true;
    });
    return width;
}

std::string shorten(std::string_view text, std::size_t width) {
    std::string whole = printable(text);
    if (display_width(whole) <= width) return whole;
    constexpr std::string_view dots = "...";
    if (width <= dots.size()) return std::string(dots.substr(0, width));
    std::size_t used = 0;
    std::size_t bytes = 0;
    for_each_character(whole, [&](std::string_view character, bool) {
        const std::size_t columns = columns_of(code_point(character));
        if (used + columns + dots.size() > width) return false;
        used += columns;
        bytes += character.size();
        return true;
    });
    whole.resize(bytes);
    return whole.append(dots);
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

std::string notes_text(const std::vector<std::string>& notes) {
    std::string out;
    for (const std::string& note : notes) out += fmt::format("note: {}\n", printable(note));
    return out;
}

std::string table_text(const std::vector<TableColumn>& columns,
                       const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (std::size_t c = 0; c < columns.size(); ++c) {
        std::size_t width = display_width(columns[c].title);
        for (const auto& row : rows) width = std::max(width, display_width(row[c]));
        widths.push_back(width);
    }
    std::string out;
    const auto add_line = [&](const auto& cell) {
        std::string line;
        for (std::size_t c = 0; c < columns.size(); ++c) {
            const std::string& text = cell(c);
            const std::string pad(widths[c] - display_width(text), ' ');
            if (c > 0) line += "  ";
            line += columns[c].right ? pad + text : text + pad;
        }
        line.resize(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    };
    add_line([&](std::size_t c) -> const std::string& { return columns[c].title; });
    for (const auto& row : rows) add_line([&](std::size_t c) -> const std::string& { return row[c]; });
    return out;
}

}  // namespace grouplink::cli
