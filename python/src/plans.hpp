#pragma once

#include <nanobind/nanobind.h>

namespace grouplink::python {

namespace nb = nanobind;

/// What would be done, and whether what was done is right.
void bind_plans(nb::module_& module);

}  // namespace grouplink::python
