#include "cli/measure.hpp"

#include <grouplink/link.hpp>

#include <algorithm>
#include <string>

namespace grouplink::cli {
namespace {

/// Rows that are searched at most: a second or so for each index.
constexpr std::int64_t most_rows = 40'000;
/// Below this every index stays flat.
constexpr std::int64_t least_rows = 1'000;

/// Rows of one group, evenly spaced, as a group of their own; all others are in none.
GroupColumn sample_of(const GroupColumn& groups, std::int32_t group, std::int64_t rows) {
    const std::int64_t every = std::max<std::int64_t>(1, (rows + most_rows - 1) / most_rows);
    GroupColumn sample{.codes = std::vector<std::int32_t>(groups.codes.size(), -1),
                       .keys = {groups.keys[static_cast<std::size_t>(group)]}};
    std::int64_t seen = 0;
    for (std::size_t row = 0; row < groups.codes.size(); ++row) {
        if (groups.codes[row] == group && seen++ % every == 0) sample.codes[row] = 0;
    }
    return sample;
}

/// The same control, its stages named after the index that is measured: of a job that is one stage of
/// another only the search is told.
JobControl control_of(const JobControl& control, IndexKind index) {
    if (!control.on_progress) return control;
    const auto report = [report_stage = control.on_progress, index](const Progress& progress) {
        if (progress.stage == "knn")
            report_stage({name(index), progress.done, progress.total, progress.unit});
    };
    return {report, control.stop};
}

}  // namespace

std::vector<IndexMeasure> measure_indexes(const MatrixView& vectors, const GroupColumn& groups,
                                          const Plan& plan, const LinkOptions& options,
                                          const JobControl& control) {
    std::vector<IndexMeasure> measures;
    if (plan.groups.empty() || plan.groups.front().rows < least_rows) return measures;
    const GroupColumn sample = sample_of(groups, plan.groups.front().group, plan.groups.front().rows);
    for (const IndexKind index : {IndexKind::flat, IndexKind::partition, IndexKind::ivf, IndexKind::hnsw}) {
        if (index != IndexKind::flat &&
            (options.metric == Metric::manhattan || options.metric == Metric::hamming)) {
            continue;
        }
        LinkOptions one = options;
        one.index = index;
        one.on_bad_row = BadRowPolicy::drop;
        const JobControl followed = control_of(control, index);
        const GroupPlan planned = plan_links(vectors, sample, one, followed).groups.front();
        if (planned.index != index) continue;
        const Report report = build_links(vectors, sample, one, followed).report;
        const GroupReport& group = report.groups.front();
        double seconds = 0.0;
        for (const WorkerReport& worker : report.workers) seconds += worker.busy_seconds;
        measures.push_back({.index = index,
                            .rows = planned.rows,
                            .cost = planned.cost,
                            .seconds = seconds,
                            .recall = group.search ? group.search->recall.recall : 1.0});
    }
    return measures;
}

}  // namespace grouplink::cli
