#pragma once

#include <nanobind/nanobind.h>

namespace grouplink::python {

namespace nb = nanobind;

/// What one machine of many needs: the neighbors of rows before any threshold and link mode, with their
/// canonical distances, and the status of rows without a search.
void bind_found(nb::module_& module);

}  // namespace grouplink::python
