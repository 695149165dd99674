#include "cli/completions.hpp"

#include "cli/choices.hpp"

#include <grouplink/io.hpp>

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

std::vector<std::string_view> operands(const Command& command) {
    std::vector<std::string_view> found;
    std::string_view usage = command.usage;
    const auto next = [&usage] {
        const std::string_view word = usage.substr(0, usage.find(' '));
        usage.remove_prefix(std::min(word.size() + 1, usage.size()));
        return word;
    };
    next();  // the program
    next();  // the command
    for (std::string_view word = next(); !word.empty() && word[0] != '-' && word[0] != '['; word = next()) {
        found.push_back(word);
    }
    return found;
}

Values values_of(std::string_view placeholder) {
    if (placeholder == "INPUT") return {.extensions = file_extensions(FileRole::rows)};
    if (placeholder == "OUTPUT") return {.extensions = file_extensions(FileRole::links)};
    if (placeholder == "FILE" || placeholder == "IN" || placeholder == "OUT") {
        return {.extensions = file_extensions(FileRole::any)};
    }
    Values values;
    if (placeholder == "SHELL") {
        for (const std::string_view shell : shells) values.names.push_back({shell, {}});
    }
    if (!placeholder.starts_with("FILE") && !placeholder.starts_with("PART")) return values;
    for (std::size_t dot = placeholder.find('.'); dot != std::string_view::npos;
         dot = placeholder.find('.', dot + 1)) {
        const std::size_t end = placeholder.find_first_not_of("abcdefghijklmnopqrstuvwxyz", dot + 1);
        if (end != dot + 1 && dot + 1 < placeholder.size()) {
            values.extensions.push_back(placeholder.substr(dot, end - dot));
        }
    }
    values.any_file = values.extensions.empty();
    return values;
}

Values values_of(const Flag& flag) {
    return flag.choices.empty() ? values_of(flag.value) : Values{.names = flag.choices};
}

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
        if (!flag.takes_value()) continue;
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
