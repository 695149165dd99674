#pragma once

#include <grouplink/part.hpp>

#include <optional>
#include <span>
#include <string>

namespace grouplink {

struct JobDifference {
    std::string what;  ///< such as "metric"; of the input, such as "vectors"
    std::string one;   ///< what it is in each; empty of the input
    std::string other;
    bool input = false;
};

/// In what two parts cannot be of one job, by what they say of themselves; which share they are does not
/// matter.
std::optional<JobDifference> find_difference(const LinkPart& one, const LinkPart& other);

/// Throws Error(bad_input), which names the part and what is wrong, unless these are the parts of one job,
/// each share once. It looks at no more than what they say of themselves.
void check_same_job(std::span<const LinkPart> parts);

}  // namespace grouplink
