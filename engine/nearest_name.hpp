#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink {

// What was meant by a name that was mistyped. A header alone: the library and the command both use it,
// and the command sees nothing of the library but its public symbols.

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
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

/// The name without what is often got wrong and says nothing: case, the dashes or the dot in front, and
/// which of "-", "_" and " " joins its words.
inline std::string plain_name(std::string_view name) {
    name.remove_prefix(std::min(name.find_first_not_of("-."), name.size()));
    std::string plain(name);
    for (char& c : plain) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '_' || c == ' ') c = '-';
    }
    return plain;
}

/// The candidate that was most likely meant by `typed`, the first of equally near ones; empty when none
/// is near: a third of the letters may differ, of five letters one, of two none.
inline std::string_view nearest_name(std::string_view typed, std::span<const std::string_view> candidates) {
    // Long enough to say something, short enough to compare.
    constexpr std::size_t longest = 64;
    const std::string wanted = plain_name(typed);
    if (wanted.empty() || typed.size() > longest) return {};
    std::string_view best;
    std::size_t best_distance = longest;
    for (const std::string_view candidate : candidates) {
        if (candidate.empty() || candidate.size() > longest) continue;
        const std::string name = plain_name(candidate);
        const std::size_t distance = edit_distance(wanted, name);
        const std::size_t length = std::max(wanted.size(), name.size());
        const bool swap_of_two =
            length == 2 && std::equal(wanted.rbegin(), wanted.rend(), name.begin(), name.end());
        const std::size_t most = swap_of_two ? 1 : length / 3;
        if (distance <= most && distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    if (!best.empty()) return best;
    // A beginning, or an abbreviation that left out the end.
    for (const std::string_view candidate : candidates) {
        if (wanted.size() >= 3 && plain_name(candidate).starts_with(wanted)) return candidate;
    }
    return {};
}

}  // namespace grouplink
