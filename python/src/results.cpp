#include "results.hpp"

#include "job.hpp"
#include "options.hpp"
#include "rows.hpp"

#include <grouplink/link.hpp>
#include <grouplink/report_page.hpp>

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <string>

namespace grouplink::python {
namespace {

/// An array over a vector of the result, which it keeps.
template <typename Value, typename Element>
nb::ndarray<nb::numpy, Value, nb::ndim<1>> array_of(std::vector<Element>& values, nb::handle keeper) {
    static_assert(sizeof(Value) == sizeof(Element));
    return {reinterpret_cast<Value*>(values.data()), {values.size()}, keeper};
}

LinkResult link(const Rows& rows, const GroupColumn& groups, const nb::dict& given, const nb::object& progress) {
    const LinkOptions options = options_of(given);
    return run_job(progress, [&](const JobControl& control) {
        return build_links(rows.view, groups, options, control);
    });
}

std::string page_of(const LinkResult& result, const GroupColumn& groups) {
    const nb::gil_scoped_release released;
    return to_html(result.report, sample_links(result.graph, groups, result.report.options.seed), groups, {});
}

}  // namespace

void bind_results(nb::module_& module) {
    nb::class_<LinkResult>(module, "LinkResult")
        .def_prop_ro("offsets",
                     [](nb::handle_t<LinkResult> self) {
                         return array_of<std::int64_t>(nb::cast<LinkResult&>(self).graph.offsets, self);
                     })
        .def_prop_ro("targets",
                     [](nb::handle_t<LinkResult> self) {
                         return array_of<std::int64_t>(nb::cast<LinkResult&>(self).graph.targets, self);
                     })
        .def_prop_ro("weights",
                     [](nb::handle_t<LinkResult> self) {
                         return array_of<float>(nb::cast<LinkResult&>(self).graph.weights, self);
                     })
        .def_prop_ro("row_status",
                     [](nb::handle_t<LinkResult> self) {
                         return array_of<std::uint8_t>(nb::cast<LinkResult&>(self).row_status, self);
                     })
        .def_prop_ro("report_json", [](const LinkResult& result) { return to_json(result.report); })
        .def("page", &page_of, nb::arg("groups"));
    module.def("link", &link, nb::arg("rows"), nb::arg("groups"), nb::arg("options"),
               nb::arg("progress").none() = nb::none());
}

}  // namespace grouplink::python
