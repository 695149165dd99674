#include "cli/suggest.hpp"

#include "nearest_name.hpp"

#include <fmt/format.h>

namespace grouplink::cli {

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> candidates) {
    const std::string_view meant = nearest_name(typed, candidates);
    return meant.empty() ? std::string() : fmt::format("; did you mean {}?", meant);
}

}  // namespace grouplink::cli
