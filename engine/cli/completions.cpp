#include "cli/completions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace grouplink::cli {
namespace {

void add_word(std::string& text, std::string_view word) {
    if (!text.empty()) text += ' ';
    text += word;
}

}  // namespace

std::string_view short_name(const Flag& flag) {
    return flag.names.starts_with("--") ? std::string_view() : flag.names.substr(0, flag.names.find(','));
}

std::string_view brief(const Flag& flag) {
    constexpr auto ends = std::to_array<std::string_view>({" [default", "\n", "; ", ". "});
    const std::string_view help = flag.help;
    std::size_t size = help.size();
    for (const std::string_view end : ends) size = std::min(size, help.find(end));
    return help.substr(0, size);
}

std::string value_flags(const Command& command) {
    std::string text;
    for (const Flag& flag : command.flags) {
        if (flag.text == nullptr) continue;
        if (!short_name(flag).empty()) add_word(text, short_name(flag));
        add_word(text, long_name(flag));
    }
    return text;
}

std::string joined(const std::vector<Choice>& choices) {
    std::string text;
    for (const Choice& choice : choices) add_word(text, choice.value);
    return text;
}

std::string joined(const std::vector<std::string_view>& extensions) {
    std::string text;
    for (const std::string_view extension : extensions) add_word(text, extension.substr(1));
    return text;
}

}  // namespace grouplink::cli
