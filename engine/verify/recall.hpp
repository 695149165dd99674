#pragma once

#include <grouplink/job.hpp>
#include <grouplink/verify.hpp>

#include "rows/groups.hpp"
#include "verify/subject.hpp"

#include <cstdint>
#include <vector>

namespace grouplink::verify {

/// The recall of a sample of about `options.sample` rows, of links whose offsets are sound. `cut` is the
/// weight that a link of each group had to reach.
VerifyRecall measure_recall(const Subject& subject, const RowsByGroup& grouped,
                            const std::vector<double>& cut, const VerifyOptions& options, int threads,
                            const JobControl& control);

}  // namespace grouplink::verify
