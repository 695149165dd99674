#pragma once

#include <grouplink/groups.hpp>
#include <grouplink/job.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>

#include <cstdint>
#include <vector>

namespace grouplink::cli {

/// What the search of some rows under one index was reckoned to cost, and took.
struct IndexMeasure {
    IndexKind index = IndexKind::flat;
    std::int64_t rows = 0;
    double cost = 0.0;     ///< as a plan has it
    double seconds = 0.0;  ///< of processor time, all threads
    double recall = 1.0;   ///< of a sample; 1 for the flat index
};

/// Searches a sample of the rows of the plan's costliest group under each index that its metric allows; none
/// where that group is too small for any but the flat one. Throws as build_links.
std::vector<IndexMeasure> measure_indexes(const MatrixView& vectors, const GroupColumn& groups,
                                          const Plan& plan, const LinkOptions& options,
                                          const JobControl& control);

}  // namespace grouplink::cli
