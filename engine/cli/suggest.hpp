#pragma once

#include <span>
#include <string>
#include <string_view>

namespace grouplink::cli {

/// "; did you mean CANDIDATE?", or nothing.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> candidates);

}  // namespace grouplink::cli
