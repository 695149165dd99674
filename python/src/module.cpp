#include "arrow.hpp"
#include "found.hpp"
#include "groups.hpp"
#include "options.hpp"
#include "plans.hpp"
#include "results.hpp"
#include "rows.hpp"

#include <grouplink/error.hpp>
#include <grouplink/report.hpp>
#include <grouplink/version.hpp>

#include <nanobind/nanobind.h>

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace grouplink::python {
namespace {

PyObject* exception_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_options:
        case ErrorCode::bad_input: return PyExc_ValueError;
        case ErrorCode::over_budget: return PyExc_MemoryError;
        case ErrorCode::io: return PyExc_OSError;
        case ErrorCode::internal:
        case ErrorCode::cancelled: break;
    }
    return PyExc_RuntimeError;
}

void translate(const std::exception_ptr& thrown, void*) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error& error) {
        std::string text = error.what();
        // What to do, in the words of the command.
        constexpr std::string_view flag = "--on-bad-row drop";
        if (const std::size_t at = text.find(flag); at != std::string::npos) {
            text.replace(at, flag.size(), "on_bad_row=\"drop\"");
        }
        PyErr_SetString(exception_of(error.code()), text.c_str());
    }
}

nb::tuple row_statuses() {
    nb::list names;
    for (int s = 0; s < row_status_count; ++s) {
        const std::string_view text = name(static_cast<RowStatus>(s));
        names.append(nb::str(text.data(), text.size()));
    }
    return nb::tuple(names);
}

}  // namespace
}  // namespace grouplink::python

NB_MODULE(_core, module) {
    using namespace grouplink::python;
    nanobind::register_exception_translator(translate);
    module.attr("version") = grouplink::version();
    module.attr("row_statuses") = row_statuses();
    bind_rows(module);
    bind_groups(module);
    bind_arrow(module);
    bind_options(module);
    bind_results(module);
    bind_plans(module);
    bind_found(module);
}
