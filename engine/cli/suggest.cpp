#include "cli/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace grouplink::cli {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            now[j] = std::min({replaced, last[j] + 1, now[j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[b.size()];
}

std::string_view nearest_name(std::string_view typed, std::span<const std::string_view> candidates) {
    // Long enough to say something, short enough to compare.
    constexpr std::size_t longest = 64;
    if (typed.empty() || typed.size() > longest) return {};
    std::string_view best;
    std::size_t best_distance = 0;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(typed, candidate);
        if (best.empty() || distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    const auto bare = [](std::string_view text) {
        return text.substr(std::min(text.find_first_not_of('-'), text.size()));
    };
    const std::size_t length = std::max(bare(typed).size(), bare(best).size());
    if (!best.empty() && best_distance <= std::max<std::size_t>(1, length / 3)) return best;
    // A beginning, or an abbreviation that left out the end.
    for (const std::string_view candidate : candidates) {
        if (bare(typed).size() >= 3 && bare(candidate).starts_with(bare(typed))) return candidate;
    }
    return {};
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> candidates) {
    const std::string_view meant = nearest_name(typed, candidates);
    return meant.empty() ? std::string() : fmt::format("; did you mean {}?", meant);
}

}  // namespace grouplink::cli
