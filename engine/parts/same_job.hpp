#pragma once

#include <grouplink/part.hpp>

#include <span>

namespace grouplink {

/// Throws Error(bad_input), which names the part and what is wrong, unless these are the parts of one job,
/// each share once. It looks at no more than what they say of themselves.
void check_same_job(std::span<const LinkPart> parts);

}  // namespace grouplink
