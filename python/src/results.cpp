#include "results.hpp"

#include "job.hpp"
#include "options.hpp"
#include "rows.hpp"

#include <grouplink/link.hpp>
#include <grouplink/part.hpp>
#include <grouplink/report_page.hpp>
#include <grouplink/search.hpp>

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace grouplink::python {
namespace {

/// An array over a vector of the result, which it keeps.
template <typename Value, typename Element>
nb::ndarray<nb::numpy, Value, nb::ndim<1>> array_of(std::vector<Element>& values, nb::handle keeper) {
    static_assert(sizeof(Value) == sizeof(Element));
    return {reinterpret_cast<Value*>(values.data()), {values.size()}, keeper};
}

LinkResult link(const Rows& rows, const GroupColumn& groups, const nb::dict& given,
                const nb::object& progress) {
    const LinkOptions options = options_of(given);
    return run_job(progress, [&](const JobControl& control) {
        return build_links(rows.view, groups, options, control);
    });
}

/// An array that has a vector for its own.
template <typename Value>
nb::object array_with(std::vector<Value> values, std::initializer_list<std::size_t> shape) {
    auto* kept = new std::vector<Value>(std::move(values));
    const nb::capsule keeper(
        kept, [](void* pointer) noexcept { delete static_cast<std::vector<Value>*>(pointer); });
    return nb::cast(nb::ndarray<nb::numpy, Value>(kept->data(), shape, keeper));
}

/// offsets, targets and distances of the nearest rows of each row: links before any threshold and mode.
nb::tuple neighbors(const Rows& rows, const GroupColumn& groups, const nb::dict& given,
                    const nb::object& progress) {
    const LinkOptions options = options_of(given);
    auto [offsets, targets, distances] = run_job(progress, [&](const JobControl& control) {
        const LinkPart part = link_part(rows.view, groups, {}, options, control);
        std::vector<std::int64_t> ends(static_cast<std::size_t>(rows.view.rows) + 1, 0);
        for (std::size_t i = 0, row = 0; i < part.ranges.size(); ++i) {
            const std::int64_t k = std::min(options.n_nearest, part.report.groups[i].valid_rows - 1);
            for (std::int64_t j = 0; j < part.ranges[i].count; ++j, ++row) {
                ends[static_cast<std::size_t>(part.rows[row]) + 1] = k;
            }
        }
        std::partial_sum(ends.begin(), ends.end(), ends.begin());
        std::vector<std::int64_t> near(part.targets.size());
        std::vector<float> far(part.distances.size());
        for (std::size_t row = 0, from = 0; row < part.rows.size(); ++row) {
            const auto at = static_cast<std::size_t>(part.rows[row]);
            const auto count = static_cast<std::size_t>(ends[at + 1] - ends[at]);
            std::copy_n(part.targets.data() + from, count, near.data() + ends[at]);
            std::copy_n(part.distances.data() + from, count, far.data() + ends[at]);
            from += count;
        }
        return std::tuple(std::move(ends), std::move(near), std::move(far));
    });
    const std::size_t count = targets.size();
    const std::size_t size = offsets.size();
    return nb::make_tuple(array_with(std::move(offsets), {size}), array_with(std::move(targets), {count}),
                          array_with(std::move(distances), {count}));
}

using RowNumbers = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// targets and distances, each of a row a query.
nb::tuple find_nearest_rows(const Rows& queries, const Rows& base, const nb::dict& given,
                            std::optional<RowNumbers> own, const nb::object& progress) {
    const LinkOptions options = options_of(given);
    const auto own_rows = own ? std::span(own->data(), own->shape(0)) : std::span<const std::int64_t>();
    NearestRows found = run_job(progress, [&](const JobControl& control) {
        return find_nearest(queries.view, base.view, options, own_rows, control);
    });
    const auto rows = static_cast<std::size_t>(queries.view.rows);
    const auto k = static_cast<std::size_t>(found.k);
    return nb::make_tuple(array_with(std::move(found.targets), {rows, k}),
                          array_with(std::move(found.distances), {rows, k}));
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
    module.def("neighbors", &neighbors, nb::arg("rows"), nb::arg("groups"), nb::arg("options"),
               nb::arg("progress").none() = nb::none());
    module.def("find_nearest", &find_nearest_rows, nb::arg("queries"), nb::arg("base"), nb::arg("options"),
               nb::arg("own").none() = nb::none(), nb::arg("progress").none() = nb::none());
    module.def("link", &link, nb::arg("rows"), nb::arg("groups"), nb::arg("options"),
               nb::arg("progress").none() = nb::none());
}

}  // namespace grouplink::python
