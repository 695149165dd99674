#include "found.hpp"

#include "job.hpp"
#include "links/similarity.hpp"
#include "options.hpp"
#include "parallel/workers.hpp"
#include "rows.hpp"
#include "rows/check.hpp"

#include <grouplink/link.hpp>
#include <grouplink/part.hpp>

#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace grouplink::python {
namespace {

/// The neighbors of all rows that take part, group by group.
struct FoundLinks {
    LinkPart part;
    std::vector<std::int64_t> offsets;  ///< of each of part.rows, and the end
    std::vector<float> weights;         ///< of each neighbor
};

FoundLinks with_weights(LinkPart part) {
    FoundLinks found{.part = std::move(part), .offsets = {0}, .weights = {}};
    found.weights.reserve(found.part.distances.size());
    for (std::size_t r = 0; r < found.part.ranges.size(); ++r) {
        const GroupReport& group = found.part.report.groups[r];
        const std::int64_t neighbors = std::min(found.part.report.options.n_nearest, group.valid_rows - 1);
        const WeightOf weight_of(found.part.report.options, static_cast<double>(group.dim));
        for (std::int64_t row = 0; row < found.part.ranges[r].count; ++row) {
            found.offsets.push_back(found.offsets.back() + neighbors);
        }
        while (std::ssize(found.weights) < found.offsets.back()) {
            found.weights.push_back(weight_of(found.part.distances[found.weights.size()]));
        }
    }
    return found;
}

FoundLinks find(const Rows& rows, const GroupColumn& groups, const nb::dict& given) {
    const LinkOptions options = options_of(given);
    return run_job(nb::none(), [&](const JobControl& control) {
        return with_weights(link_part(rows.view, groups, Shard{}, options, control));
    });
}

LinkResult finish(const FoundLinks& found) {
    return run_job(nb::none(), [&](const JobControl& control) {
        return merge_parts(std::span(&found.part, 1), found.part.report.options.threads, control);
    });
}

using Statuses = nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<1>>;

/// What is wrong with each row by itself. Each is a group of its own, so that none has a wrong dimension.
Statuses status_of_rows(const Rows& rows, const nb::dict& given) {
    const LinkOptions options = options_of(given);
    auto statuses = run_job(nb::none(), [&](const JobControl& control) {
        GroupColumn groups{.codes = std::vector<std::int32_t>(static_cast<std::size_t>(rows.view.rows)),
                           .keys = std::vector<std::string>(static_cast<std::size_t>(rows.view.rows))};
        std::iota(groups.codes.begin(), groups.codes.end(), 0);
        check_shapes(rows.view, groups);
        return check_rows(rows.view, groups, options.metric, parallel::resolve_threads(options.threads),
                          control)
            .status;
    });
    auto* kept = new std::vector<RowStatus>(std::move(statuses));
    const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<RowStatus>*>(p); });
    return {reinterpret_cast<std::uint8_t*>(kept->data()), {kept->size()}, owner};
}

template <typename Value>
auto array_of(std::span<const Value> values, nb::handle keeper) {
    return nb::ndarray<nb::numpy, const Value, nb::ndim<1>>(values.data(), {values.size()}, keeper);
}

}  // namespace

void bind_found(nb::module_& module) {
    using Self = nb::handle_t<FoundLinks>;
    nb::class_<FoundLinks>(module, "FoundLinks")
        .def_prop_ro("rows", [](Self self) { return array_of(nb::cast<FoundLinks&>(self).part.rows, self); })
        .def_prop_ro("offsets",
                     [](Self self) {
                         return array_of(std::span<const std::int64_t>(nb::cast<FoundLinks&>(self).offsets),
                                         self);
                     })
        .def_prop_ro("targets",
                     [](Self self) { return array_of(nb::cast<FoundLinks&>(self).part.targets, self); })
        .def_prop_ro("distances",
                     [](Self self) { return array_of(nb::cast<FoundLinks&>(self).part.distances, self); })
        .def_prop_ro("weights",
                     [](Self self) {
                         return array_of(std::span<const float>(nb::cast<FoundLinks&>(self).weights), self);
                     })
        .def("finish", &finish);
    module.def("find", &find, nb::arg("rows"), nb::arg("groups"), nb::arg("options"));
    module.def(
        "cut_of", [](const LinkResult& result) { return result.report.cut; }, nb::arg("result"));
    module.def("status_of_rows", &status_of_rows, nb::arg("rows"), nb::arg("options"));
}

}  // namespace grouplink::python
