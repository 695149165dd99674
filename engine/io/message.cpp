#include "io/message.hpp"

#include "io/utf8.hpp"
#include "nearest_name.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

namespace grouplink::io {
namespace {

/// Control characters, and bytes that are not UTF-8, escaped.
std::string escaped(std::string_view value) {
    const bool utf8 = is_utf8(value);
    std::string text;
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
        } else if (c == '\r') {
            text += "\\r";
        } else if (c == '\t') {
            text += "\\t";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
                   (!utf8 && static_cast<unsigned char>(c) >= 0x80)) {
            text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            text += c;
        }
    }
    return text;
}

}  // namespace

void fail_system(std::string_view path, std::string_view what, int error_number) {
    fail(ErrorCode::io, "{}: {}: {}", path, what, std::generic_category().message(error_number));
}

std::string in_quotes(std::string_view value) {
    constexpr std::size_t longest = 80;
    const bool cut = value.size() > longest;
    if (cut) {
        value = value.substr(0, longest);
        // Not in the midst of a UTF-8 sequence.
        while (!value.empty() && (static_cast<unsigned char>(value.back()) & 0xC0) == 0x80) {
            value.remove_suffix(1);
        }
        if (!value.empty() && static_cast<unsigned char>(value.back()) >= 0xC0) value.remove_suffix(1);
    }
    return '"' + escaped(value) + (cut ? "...\"" : "\"");
}

std::string quoted_list(std::span<const std::string> values) {
    constexpr std::size_t most = 10;
    std::string text;
    for (std::size_t i = 0; i < std::min(values.size(), most); ++i) {
        if (i > 0) text += i + 1 == values.size() ? " and " : ", ";
        text += in_quotes(values[i]);
    }
    if (values.size() > most) text += fmt::format(" and {} more", values.size() - most);
    return text;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string> names) {
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const std::string_view meant = nearest_name(typed, candidates);
    return meant.empty() ? std::string() : fmt::format("; did you mean {}?", in_quotes(meant));
}

bool tells_of_memory(std::string_view text) { return text.find("bad_alloc") != std::string_view::npos; }

std::string first_line(std::string_view text) { return escaped(text.substr(0, text.find_first_of("\r\n"))); }

}  // namespace grouplink::io
