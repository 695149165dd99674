#include "plans.hpp"

#include "each_option.hpp"
#include "job.hpp"
#include "options.hpp"
#include "rows.hpp"

#include <grouplink/link.hpp>
#include <grouplink/verify.hpp>
#include <grouplink/version.hpp>

#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace grouplink::python {
namespace {

nb::str text(std::string_view value) { return nb::str(value.data(), value.size()); }

nb::dict group_dict(const GroupPlan& group, const GroupColumn& groups) {
    nb::dict dict;
    dict["key"] = text(groups.keys[static_cast<std::size_t>(group.group)]);
    dict["rows"] = group.rows;
    dict["dim"] = group.dim;
    dict["index"] = text(name(group.index));
    dict["path"] = text(name(group.path));
    dict["tiles"] = group.tiles;
    dict["cost"] = group.cost;
    dict["memory_bytes"] = group.memory_bytes;
    if (group.index != IndexKind::flat) dict["recall_target"] = group.recall_target;
    for_each_knob(group.index, group.ivf, group.hnsw, group.partition,
                  [&dict](const char* knob, std::int64_t value) { dict[knob] = value; });
    return dict;
}

/// What the command prints for `explain --json`.
nb::dict explain(const Rows& rows, const GroupColumn& groups, const nb::dict& given) {
    const LinkOptions options = options_of(given);
    const Plan plan = run_job(nb::none(), [&](const JobControl& control) {
        return plan_links(rows.view, groups, options, control);
    });
    nb::list planned;
    for (const GroupPlan& group : plan.groups) planned.append(group_dict(group, groups));
    nb::dict status;
    for (std::size_t s = 0; s < plan.row_status.size(); ++s) {
        status[text(name(static_cast<RowStatus>(s)))] = plan.row_status[s];
    }
    nb::dict memory;
    memory["budget_bytes"] = plan.memory.budget_bytes;
    memory["planned_bytes"] = plan.memory.planned_bytes;
    memory["least_bytes"] = plan.memory.least_bytes;
    memory["waves"] = plan.memory.waves;
    nb::dict dict;
    dict["version"] = version();
    dict["rows"] = rows.view.rows;
    dict["cost"] = plan.cost;
    dict["result_bytes"] = plan.result_bytes;
    dict["memory"] = memory;
    dict["row_status"] = status;
    dict["groups"] = planned;
    return dict;
}

nb::dict verify(const Rows& rows, const GroupColumn& groups, const LinkResult& links, std::int64_t sample,
                double recall_min, std::uint64_t seed, const nb::object& progress) {
    VerifyOptions options;
    options.links = links.report.options;
    options.cut = links.report.cut;
    options.sample = sample;
    options.recall_min = recall_min;
    options.seed = seed;
    const VerifyResult result = run_job(progress, [&](const JobControl& control) {
        return verify_links(rows.view, groups, links.graph, options, control);
    });
    nb::list checks;
    for (const VerifyCheck& check : result.checks) {
        nb::dict dict;
        dict["name"] = text(check.name);
        dict["result"] = text(name(check.state));
        dict["broken"] = check.broken;
        dict["first"] = text(check.first);
        checks.append(dict);
    }
    nb::dict dict;
    dict["ok"] = result.ok();
    dict["checks"] = checks;
    dict["recall"] = nb::none();
    if (const VerifyRecall& recall = result.recall; recall.rows > 0) {
        nb::dict measured;
        measured["recall"] = recall.recall;
        measured["low"] = recall.low;
        measured["high"] = recall.high;
        measured["rows"] = recall.rows;
        measured["expected"] = recall.expected;
        measured["found"] = recall.found;
        dict["recall"] = measured;
    }
    return dict;
}

}  // namespace

void bind_plans(nb::module_& module) {
    module.def("explain", &explain, nb::arg("rows"), nb::arg("groups"), nb::arg("options"));
    module.def("verify", &verify, nb::arg("rows"), nb::arg("groups"), nb::arg("links"), nb::arg("sample"),
               nb::arg("recall_min"), nb::arg("seed"), nb::arg("progress").none() = nb::none());
}

}  // namespace grouplink::python
