#include "cli/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <system_error>

namespace grouplink::cli {
namespace {

template <typename Number>
std::optional<Number> parse_whole(std::string_view text) {
    Number number{};
    const char* const last = text.data() + text.size();
    const auto [end, fault] = std::from_chars(text.data(), last, number);
    if (fault != std::errc() || end != last) return std::nullopt;
    return number;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) { return parse_whole<std::int64_t>(text); }

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
    return parse_whole<std::uint64_t>(text);
}

std::optional<double> parse_real(std::string_view text) {
    const std::optional<double> number = parse_whole<double>(text);
    return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::optional<double> number = parse_real(text.substr(0, digits));
    if (!number) return std::nullopt;
    std::string unit;
    for (const char letter : text.substr(digits)) {
        if (letter == ' ' && unit.empty()) continue;
        unit += static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
    }
    double factor = 1.0;
    constexpr std::string_view prefixes = "KMGT";
    const std::size_t power = unit.empty() ? std::string_view::npos : prefixes.find(unit.front());
    if (power != std::string_view::npos) {
        const std::string_view rest = std::string_view(unit).substr(1);
        if (!rest.empty() && rest != "B" && rest != "IB") return std::nullopt;
        factor = std::pow(rest == "B" ? 1000.0 : 1024.0, static_cast<double>(power + 1));
    } else if (!unit.empty() && unit != "B") {
        return std::nullopt;
    }
    const double bytes = *number * factor;
    // 2^63 as a double; the largest integer is not one.
    if (!(bytes < 9223372036854775808.0)) return std::nullopt;
    return static_cast<std::int64_t>(bytes);
}

}  // namespace grouplink::cli
