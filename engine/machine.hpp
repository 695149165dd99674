#pragma once

#include <grouplink/report.hpp>

namespace grouplink {

/// What the system tells of itself; fields that it does not tell stay empty or 0.
Machine describe_machine();

}  // namespace grouplink
