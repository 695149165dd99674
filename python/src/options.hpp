#pragma once

#include <grouplink/options.hpp>

#include <nanobind/nanobind.h>

namespace grouplink::python {

namespace nb = nanobind;

/// The options by the command's names, dashes as underscores; None and what is missing are the defaults.
/// Throws TypeError, and Error(invalid_options) as the command does.
LinkOptions options_of(const nb::dict& given);

void bind_options(nb::module_& module);

}  // namespace grouplink::python
