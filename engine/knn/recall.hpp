#pragma once

#include <grouplink/report.hpp>

#include <cstdint>
#include <vector>

namespace grouplink::knn {

/// How many of the neighbors that a row should have were found.
struct RowRecall {
    std::int64_t found = 0;
    std::int64_t expected = 0;
};

/// The share found by the rows of a sample, with Wilson's interval (1927) at the sample's effective size:
/// that which independent draws of single neighbors would need for the same variance (Korn and Graubard,
/// "Confidence intervals for proportions with small expected number of positive counts estimated from
/// survey data", Survey Methodology 24, 1998). A row's neighbors are found or missed together to a degree,
/// so that is less than the number of neighbors; where all rows are alike it is the number of rows.
RecallEstimate estimate_recall(const std::vector<RowRecall>& rows);

}  // namespace grouplink::knn
