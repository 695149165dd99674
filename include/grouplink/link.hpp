#pragma once

#include <grouplink/csr.hpp>
#include <grouplink/error.hpp>
#include <grouplink/export.hpp>
#include <grouplink/groups.hpp>
#include <grouplink/job.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>
#include <grouplink/report.hpp>
#include <grouplink/version.hpp>

#include <vector>

namespace grouplink {

struct LinkResult {
    CsrGraph graph;                     ///< rows = rows of the input
    std::vector<RowStatus> row_status;  ///< one a row
    Report report;
};

/// Links each row of `vectors` to its most similar rows of the same group.
///
/// `groups` has one code a row. The result depends on the input and the options alone: never on
/// threads, batch sizes or the machine. Exact: what brute force in double precision returns.
///
/// Throws Error: invalid_options; bad_input (sizes that do not fit together, or bad rows under
/// BadRowPolicy::error); over_budget; cancelled.
GROUPLINK_EXPORT LinkResult build_links(const MatrixView& vectors, const GroupColumn& groups,
                                        const LinkOptions& options = {}, const JobControl& control = {});

}  // namespace grouplink
