#include <grouplink/link.hpp>

#include "kernels/kernels.hpp"
#include "knn/knn.hpp"
#include "links/cut.hpp"
#include "links/histogram.hpp"
#include "links/mode.hpp"
#include "links/similarity.hpp"
#include "machine.hpp"
#include "parallel/workers.hpp"
#include "plan/plan.hpp"
#include "rows/check.hpp"
#include "rows/groups.hpp"

#include <chrono>
#include <fstream>
#include <string>
#include <utility>

namespace grouplink {
namespace {

/// Times a stage at a time and, when the caller follows the job, announces each as it starts.
class StageClock {
public:
    StageClock(Report& report, const JobControl& control) : report_(report), control_(control) {}

    template <typename Stage>
    auto operator()(const char* stage_name, Stage stage) {
        parallel::check_stop(control_);
        if (control_.on_progress) control_.on_progress({.stage = stage_name});
        const auto start = Clock::now();
        auto result = stage();
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        report_.stages.push_back({stage_name, seconds});
        report_.seconds += seconds;
        return result;
    }

private:
    using Clock = std::chrono::steady_clock;
    Report& report_;
    const JobControl& control_;
};

std::vector<GroupShape> shapes_of(const RowsByGroup& grouped, const RowCheck& check) {
    std::vector<GroupShape> shapes(check.group_dim.size());
    for (std::size_t g = 0; g < shapes.size(); ++g) {
        shapes[g] = {grouped.offsets[g + 1] - grouped.offsets[g], check.group_dim[g]};
    }
    return shapes;
}

CsrGraph to_graph(Neighbors links, const GroupColumn& groups, const RowCheck& check,
                  const LinkOptions& options, int threads, const JobControl& control) {
    constexpr std::int64_t rows_a_block = 1 << 16;
    const auto rows = static_cast<std::int64_t>(check.status.size());
    parallel::for_blocks(
        rows, rows_a_block, threads, control, "weights", [&](std::int64_t first, std::int64_t last, int) {
            for (std::int64_t row = first; row < last; ++row) {
                const auto group = groups.codes[static_cast<std::size_t>(row)];
                if (group < 0) continue;
                const WeightOf weight_of(
                    options, static_cast<double>(check.group_dim[static_cast<std::size_t>(group)]));
                const auto end = static_cast<std::size_t>(links.offsets[static_cast<std::size_t>(row) + 1]);
                for (auto i = static_cast<std::size_t>(links.offsets[static_cast<std::size_t>(row)]); i < end;
                     ++i) {
                    links.distances[i] = weight_of(links.distances[i]);
                }
            }
        });
    return {std::move(links.offsets), std::move(links.targets), std::move(links.distances)};
}

std::vector<GroupReport> group_reports(const GroupColumn& groups, const Plan& plan, const KnnResult& knn,
                                       const Cut& cut, const CsrGraph& graph) {
    std::vector<GroupReport> reports(groups.keys.size());
    for (const GroupPlan& group : plan.groups) {
        const auto g = static_cast<std::size_t>(group.group);
        reports[g].key = groups.keys[g];
        reports[g].valid_rows = group.rows;
        reports[g].dim = group.dim;
        reports[g].index = group.index;
        reports[g].search = knn.searches[g];
        reports[g].cut = cut.of_group[g];
        reports[g].planned_cost = group.cost;
        reports[g].planned_memory_bytes = group.memory_bytes;
    }
    for (std::size_t row = 0; row < groups.codes.size(); ++row) {
        if (groups.codes[row] < 0) continue;
        GroupReport& report = reports[static_cast<std::size_t>(groups.codes[row])];
        ++report.rows;
        report.links += graph.offsets[row + 1] - graph.offsets[row];
    }
    return reports;
}

/// The process's own peak; getrusage's may be that of the process that started it. 0 = not known.
std::int64_t peak_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::int64_t kibibytes = 0;
        if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
    }
    return 0;
}

}  // namespace

LinkResult build_links(const MatrixView& vectors, const GroupColumn& groups, const LinkOptions& options,
                       const JobControl& job) {
    validate(options);
    check_shapes(vectors, groups);
    const JobControl control = parallel::count_rows(job, vectors.rows);
    const int threads = parallel::resolve_threads(options.threads);
    LinkResult result;
    StageClock stage(result.report, control);

    RowCheck check =
        stage("check", [&] { return check_rows(vectors, groups, options.metric, threads, control); });
    if (options.on_bad_row == BadRowPolicy::error && check.bad_rows() > 0) {
        throw Error(ErrorCode::bad_input, describe_bad_rows(check, vectors, groups) +
                                              "; mend them, or leave them without links: --on-bad-row drop");
    }
    const RowsByGroup grouped = stage("group", [&] { return rows_by_group(groups, check.status); });
    const Plan plan = stage("plan", [&] { return make_plan(shapes_of(grouped, check), options); });
    KnnResult knn = stage("knn", [&] {
        return find_neighbors(vectors, grouped, groups.keys, plan, options, threads, control);
    });
    result.report.links_found = static_cast<std::int64_t>(knn.neighbors.targets.size());
    result.report.weights = stage("histogram", [&] {
        return histogram_of_weights(knn.neighbors, groups.codes, check.group_dim, options, threads, control);
    });
    const Cut cut =
        stage("cut", [&] { return find_cut(knn.neighbors, grouped, check.group_dim, options, control); });
    const std::vector<std::int64_t> kept = stage("threshold", [&] {
        return kept_neighbors(knn.neighbors, grouped, check.group_dim, cut, options, threads, control);
    });
    Neighbors links = stage(
        "links", [&] { return apply_mode(std::move(knn.neighbors), kept, options.links, threads, control); });
    result.graph = stage(
        "weights", [&] { return to_graph(std::move(links), groups, check, options, threads, control); });
    result.row_status = std::move(check.status);

    Report& report = result.report;
    report.version = version();
    report.faiss_version = faiss_version();
    report.options = options;
    report.mapping = mapping_name(options);
    report.isa = kernels::name(kernels::best().isa);
    report.threads = threads;
    report.rows = vectors.rows;
    report.links = result.graph.links();
    report.cut = cut.lowest;
    report.row_status = check.counts;
    report.duplicate_rows = knn.counters.duplicate_rows;
    report.scored_pairs = knn.counters.scored_pairs;
    report.researched_rows = knn.counters.researched_rows;
    report.links_from = histogram_of_links_from(result.graph, result.row_status);
    report.links_to = histogram_of_links_to(result.graph, result.row_status);
    report.groups = group_reports(groups, plan, knn, cut, result.graph);
    report.workers = std::move(knn.workers);
    report.peak_memory_bytes = peak_memory();
    report.machine = describe_machine();
    return result;
}

Plan plan_links(const MatrixView& vectors, const GroupColumn& groups, const LinkOptions& options,
                const JobControl& job) {
    validate(options);
    check_shapes(vectors, groups);
    const JobControl control = parallel::count_rows(job, vectors.rows);
    const RowCheck check =
        check_rows(vectors, groups, options.metric, parallel::resolve_threads(options.threads), control);
    Plan plan = make_plan(shapes_of(rows_by_group(groups, check.status), check), options);
    plan.row_status = check.counts;
    return plan;
}

}  // namespace grouplink
