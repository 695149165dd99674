#include <grouplink/link.hpp>
#include <grouplink/part.hpp>

#include "budget.hpp"
#include "kernels/kernels.hpp"
#include "knn/knn.hpp"
#include "knn/waves.hpp"
#include "links/cut.hpp"
#include "links/histogram.hpp"
#include "links/mode.hpp"
#include "links/similarity.hpp"
#include "machine.hpp"
#include "parallel/workers.hpp"
#include "parts/parts.hpp"
#include "plan/plan.hpp"
#include "rows/check.hpp"
#include "rows/each_row.hpp"
#include "rows/fingerprint.hpp"
#include "rows/groups.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace grouplink {
namespace {

/// Times a stage at a time and, when the caller follows the job, announces each as it starts.
class StageClock {
public:
    explicit StageClock(const JobControl& control) : control_(control) {}

    template <typename Stage>
    auto operator()(const char* stage_name, Stage stage) {
        parallel::check_stop(control_);
        if (control_.on_progress) control_.on_progress({.stage = stage_name});
        const auto start = Clock::now();
        auto result = stage();
        stages_.push_back({stage_name, std::chrono::duration<double>(Clock::now() - start).count()});
        return result;
    }

    /// Adds to a report how long all took.
    void finish(Report& report) const {
        for (const StageTime& stage : stages_) report.seconds += stage.seconds;
        report.stages = stages_;
        report.peak_memory_bytes = peak_memory();
    }

private:
    using Clock = std::chrono::steady_clock;
    std::vector<StageTime> stages_;
    const JobControl& control_;
};

std::vector<GroupShape> shapes_of(const RowsByGroup& grouped, const RowCheck& check) {
    std::vector<GroupShape> shapes(check.group_dim.size());
    for (std::size_t g = 0; g < shapes.size(); ++g) {
        shapes[g] = {grouped.offsets[g + 1] - grouped.offsets[g], check.group_dim[g]};
    }
    return shapes;
}

/// Of each group, all but its links and its cut; of those that the plan has no part in, no more than the key.
std::vector<GroupReport> group_reports(const GroupColumn& groups, const Plan& plan, const KnnResult& knn) {
    std::vector<GroupReport> reports(groups.keys.size());
    for (std::size_t i = 0; i < plan.groups.size(); ++i) {
        const GroupPlan& group = plan.groups[i];
        GroupReport& report = reports[static_cast<std::size_t>(group.group)];
        report.key = groups.keys[static_cast<std::size_t>(group.group)];
        report.valid_rows = group.rows;
        report.dim = group.dim;
        report.index = group.index;
        report.search = knn.searches[i];
        report.planned_cost += group.cost;
        report.planned_memory_bytes = std::max(report.planned_memory_bytes, group.memory_bytes);
    }
    std::vector<std::int64_t> rows(reports.size(), 0);
    for (const std::int32_t code : groups.codes) {
        if (code >= 0) ++rows[static_cast<std::size_t>(code)];
    }
    for (std::size_t g = 0; g < reports.size(); ++g) reports[g].rows = rows[g];
    return reports;
}

/// Distances become weights in their place.
CsrGraph to_graph(Neighbors links, const Found& found, int threads, const JobControl& control) {
    for_each_row(found.grouped, threads, control, "weights", [&](std::size_t row, std::size_t g, int) {
        const WeightOf weight_of(found.report.options, static_cast<double>(found.group_dim[g]));
        const auto end = static_cast<std::size_t>(links.offsets[row + 1]);
        for (auto i = static_cast<std::size_t>(links.offsets[row]); i < end; ++i) {
            links.distances[i] = weight_of(links.distances[i]);
        }
    });
    return {std::move(links.offsets), std::move(links.targets), std::move(links.distances)};
}

/// From the rows to their neighbors: those of all rows, or of one share's.
Found find(const MatrixView& vectors, const GroupColumn& groups, const LinkOptions& options,
           StageClock& stage, const JobControl& control, const Shard& shard = {}) {
    validate(options);
    validate(shard);
    check_shapes(vectors, groups);
    const int threads = parallel::resolve_threads(options.threads);
    Found found;

    RowCheck check = stage("check", [&] {
        return check_rows(read_once(vectors, options), groups, options.metric, threads, control);
    });
    if (options.on_bad_row == BadRowPolicy::error && check.bad_rows() > 0) {
        throw Error(ErrorCode::bad_input, describe_bad_rows(check, vectors, groups) +
                                              "; mend them, or leave them without links: --on-bad-row drop");
    }
    found.grouped = stage("group", [&] { return rows_by_group(groups, check.status); });
    const Plan plan = stage("plan", [&] {
        Plan whole = make_plan(shapes_of(found.grouped, check), options);
        if (shard.count == 1) return whole;
        return std::move(cut_plan(whole, options, shard.count)[static_cast<std::size_t>(shard.index - 1)]);
    });
    const Waves waves = waves_that_fit(plan, vectors, groups, options);
    KnnResult knn = stage("knn", [&] {
        return find_neighbors(vectors, found.grouped, groups.keys, plan, waves, options, threads, control);
    });

    Report& report = found.report;
    report.version = version();
    report.faiss_version = faiss_version();
    report.options = options;
    report.shard = shard;
    report.mapping = mapping_name(options);
    report.isa = kernels::name(kernels::best().isa);
    report.threads = threads;
    report.rows = vectors.rows;
    report.memory = memory_report(waves, options);
    report.row_status = check.counts;
    report.duplicate_rows = knn.counters.duplicate_rows;
    report.scored_pairs = knn.counters.scored_pairs;
    report.researched_rows = knn.counters.researched_rows;
    report.resumed = knn.resumed;
    report.groups = group_reports(groups, plan, knn);
    report.workers = std::move(knn.workers);
    found.row_status = std::move(check.status);
    found.group_dim = std::move(check.group_dim);
    for (const GroupPlan& group : plan.groups) {
        found.searched.push_back({group.group, group.first_query, group.queries});
    }
    found.neighbors = std::move(knn.neighbors);
    return found;
}

/// From the neighbors of all rows to their links.
LinkResult finish(Found found, StageClock& stage, const JobControl& control) {
    const LinkOptions& options = found.report.options;
    const int threads = found.report.threads;
    found.report.links_found = std::ssize(found.neighbors.targets);
    found.report.weights = stage("histogram", [&] {
        return histogram_of_weights(found.neighbors, found.grouped, found.group_dim, options, threads,
                                    control);
    });
    const Cut cut = stage(
        "cut", [&] { return find_cut(found.neighbors, found.grouped, found.group_dim, options, control); });
    const std::vector<std::int64_t> kept = stage("threshold", [&] {
        return kept_neighbors(found.neighbors, found.grouped, found.group_dim, cut, options, threads,
                              control);
    });
    Neighbors links = stage("links", [&] {
        return apply_mode(std::move(found.neighbors), kept, options.links, threads, control);
    });
    CsrGraph graph = stage("weights", [&] { return to_graph(std::move(links), found, threads, control); });

    Report& report = found.report;
    report.links = graph.links();
    report.links_from = histogram_of_links_from(graph, found.row_status);
    report.links_to = histogram_of_links_to(graph, found.row_status);
    report.machine = describe_machine();
    report.cut = cut.lowest;
    for (std::size_t g = 0; g < report.groups.size(); ++g) {
        report.groups[g].cut = cut.of_group[g];
        report.groups[g].links = 0;
        for (const std::int64_t row : found.grouped.group(static_cast<std::int32_t>(g))) {
            const auto r = static_cast<std::size_t>(row);
            report.groups[g].links += graph.offsets[r + 1] - graph.offsets[r];
        }
    }
    stage.finish(report);
    return {std::move(graph), std::move(found.row_status), std::move(report)};
}

}  // namespace

LinkResult build_links(const MatrixView& vectors, const GroupColumn& groups, const LinkOptions& options,
                       const JobControl& job) {
    const JobControl control = parallel::count_rows(job, vectors.rows);
    StageClock stage(control);
    return finish(find(vectors, groups, options, stage, control), stage, control);
}

LinkPart link_part(const MatrixView& vectors, const GroupColumn& groups, const Shard& shard,
                   const LinkOptions& options, const JobControl& job) {
    const JobControl control = parallel::count_rows(job, vectors.rows);
    StageClock stage(control);
    Found found = find(vectors, groups, options, stage, control, shard);
    const int threads = found.report.threads;
    LinkPart part = stage("part", [&] { return make_part(std::move(found)); });
    part.input = stage("fingerprint", [&] {
        return InputFingerprint{.vectors = hash_vectors(read_once(vectors, options), threads, control),
                                .groups = hash_groups(groups),
                                .ids = 0};
    });
    stage.finish(part.report);
    return part;
}

LinkResult merge_parts(std::span<const LinkPart> parts, int threads, const JobControl& job) {
    const JobControl control = parallel::count_rows(job, parts.empty() ? 0 : parts.front().report.rows);
    StageClock stage(control);
    threads = parallel::resolve_threads(threads);
    Found found = stage("join", [&] { return join_parts(parts, threads, control); });
    found.report.threads = threads;
    return finish(std::move(found), stage, control);
}

Plan plan_links(const MatrixView& vectors, const GroupColumn& groups, const LinkOptions& options,
                const JobControl& job) {
    validate(options);
    check_shapes(vectors, groups);
    const JobControl control = parallel::count_rows(job, vectors.rows);
    const RowCheck check = check_rows(read_once(vectors, options), groups, options.metric,
                                      parallel::resolve_threads(options.threads), control);
    const RowsByGroup grouped = rows_by_group(groups, check.status);
    Plan plan = make_plan(shapes_of(grouped, check), options);
    plan.row_status = check.counts;
    plan.memory = memory_report(waves_of(plan, vectors, options), options);
    return plan;
}

}  // namespace grouplink
