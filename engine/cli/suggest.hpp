#pragma once

#include <span>
#include <string>
#include <string_view>

namespace grouplink::cli {

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that was most likely meant by `typed`; empty when none is near.
std::string_view nearest_name(std::string_view typed, std::span<const std::string_view> candidates);

/// "; did you mean CANDIDATE?", or nothing.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> candidates);

}  // namespace grouplink::cli
