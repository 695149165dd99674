#pragma once

#include <grouplink/groups.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>
#include <grouplink/report.hpp>

#include "plan/memory.hpp"

namespace grouplink {

/// The input for a pass that reads it once, front to back: what takes but little of the budget stays in
/// memory, the rest goes back to its file as it is read.
MatrixView read_once(MatrixView vectors, const LinkOptions& options);

/// The waves that a plan is carried out in once the rows are checked, by what the process holds now; whether
/// they fit or not.
Waves waves_of(const Plan& plan, const MatrixView& vectors, const LinkOptions& options);

/// The same. Throws Error(over_budget) when not even one group at a time fits.
Waves waves_that_fit(const Plan& plan, const MatrixView& vectors, const GroupColumn& groups,
                     const LinkOptions& options);

MemoryReport memory_report(const Waves& waves, const LinkOptions& options);

}  // namespace grouplink
