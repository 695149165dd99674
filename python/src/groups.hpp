#pragma once

#include <grouplink/groups.hpp>

#include <nanobind/nanobind.h>

namespace grouplink::python {

namespace nb = nanobind;

void bind_groups(nb::module_& module);

}  // namespace grouplink::python
