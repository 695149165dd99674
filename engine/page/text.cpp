#include "page/text.hpp"

#include "io/utf8.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace grouplink::page {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::string_view ellipsis = "\xE2\x80\xA6";

/// Bytes of the character that `text` begins with; 0 when it begins with none.
std::size_t character_size(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return 1;
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    return io::is_utf8(text.substr(0, size)) ? size : 0;
}

/// What moves the place of writing, or turns its direction: C0, DEL, C1, the separators of lines and
/// paragraphs, and the embeddings, overrides and isolates of scripts from right to left.
bool controls(std::string_view character) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return byte(0) <= 0x20 || byte(0) == 0x7F;
    if (character.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
    if (byte(0) != 0xE2) return false;
    if (byte(1) == 0x80) return byte(2) >= 0xA8 && byte(2) <= 0xAE;
    return byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
}

/// Calls visit(character) for at most `most` of them, a blank for controls, whole runs of which count as one;
/// true when some were left.
template <typename Visit>
bool for_each_character(std::string_view text, std::size_t most, Visit visit) {
    bool blank = true;  // none at the beginning
    std::size_t count = 0;
    while (!text.empty()) {
        const std::size_t size = character_size(text);
        const std::string_view character = size > 0 ? text.substr(0, size) : replacement;
        text.remove_prefix(size > 0 ? size : 1);
        const bool control = controls(character);
        if (control && blank) continue;
        if (count++ == most) return true;
        visit(control ? std::string_view(" ") : character);
        blank = control;
    }
    return false;
}

}  // namespace

std::string escaped(std::string_view data, std::size_t most) {
    std::string out;
    const bool cut = for_each_character(data, most, [&](std::string_view character) {
        switch (character.front()) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += character;
        }
    });
    while (out.ends_with(' ')) out.pop_back();
    return cut ? out.append(ellipsis) : out;
}

std::size_t width_of(std::string_view data, std::size_t most) {
    std::size_t width = 0;
    const bool cut = for_each_character(data, most, [&](std::string_view character) {
        width += character.size() >= 3 ? 2U : 1U;  // CJK and symbols; too much for some, which does no harm
    });
    return cut ? width + 1 : width;
}

std::string short_count(double number) {
    constexpr std::array<std::string_view, 5> units{"", "k", "M", "G", "T"};
    std::size_t unit = 0;
    for (; number >= 1000.0 && unit + 1 < units.size(); ++unit) number /= 1000.0;
    return fmt::format("{:.3g}{}", number, units[unit]);
}

std::string seconds_text(double seconds) {
    if (!std::isfinite(seconds)) return "none";
    if (seconds < 0.00995) return seconds < 0.00005 ? "0 ms" : fmt::format("{:.1f} ms", seconds * 1e3);
    if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1e3);
    if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
    if (seconds < 99.95) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", count_text(whole / 3600), whole % 3600 / 60);
}

std::string number_text(double number) {
    if (!std::isfinite(number)) return "none";
    if (std::abs(number) >= 1e4 && std::abs(number) < 1e15) return count_text(std::llround(number));
    return fmt::format("{:.4g}", number == 0.0 ? 0.0 : number);
}

std::string percent_text(double share) {
    if (share > 0.0 && share < 0.0005) return "< 0.1 %";
    if (share < 1.0 && share >= 0.9995) return "> 99.9 %";
    return share == 0.0 || share == 1.0 ? fmt::format("{:.0f} %", share * 100)
                                        : fmt::format("{:.1f} %", share * 100);
}

std::string data_text(std::string_view id, double value, std::string_view text) {
    return fmt::format(R"(<data id="{}" value="{}">{}</data>)", id, value, text);
}

std::string data_text(std::string_view id, std::int64_t value) {
    return fmt::format(R"(<data id="{}" value="{}">{}</data>)", id, value, count_text(value));
}

}  // namespace grouplink::page
