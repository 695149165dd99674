#pragma once

#include <nanobind/nanobind.h>

namespace grouplink::python {

namespace nb = nanobind;

void bind_results(nb::module_& module);

}  // namespace grouplink::python
