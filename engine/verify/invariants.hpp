#pragma once

#include <grouplink/job.hpp>
#include <grouplink/verify.hpp>

#include "verify/subject.hpp"

#include <functional>
#include <string>
#include <vector>

namespace grouplink::verify {

/// The checks that every link and row goes through, in the order of the report. Where the offsets are
/// broken no link has a place, and the others are skipped. `least_weight` is what a link has to weigh.
std::vector<VerifyCheck> check_links(const Subject& subject, double least_weight,
                                     const std::function<std::string(std::int64_t)>& row_name, int threads,
                                     const JobControl& control);

}  // namespace grouplink::verify
