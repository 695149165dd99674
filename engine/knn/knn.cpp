#include "knn/knn.hpp"

#include "kernels/kernels.hpp"
#include "knn/checkpoints.hpp"
#include "knn/flat.hpp"
#include "knn/group.hpp"
#include "knn/hnsw.hpp"
#include "knn/ivf.hpp"
#include "knn/large_pages.hpp"
#include "knn/partition.hpp"
#include "knn/seed.hpp"
#include "parallel/workers.hpp"
#include "plan/plan.hpp"

#include <faiss/Index.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace grouplink {
namespace {

using knn::FlatSearch;
using knn::GroupJob;
using knn::Scratch;

/// Where each row's neighbors go: rows that are not searched have none.
std::vector<std::int64_t> neighbor_offsets(const RowsByGroup& grouped, const Plan& plan, std::int64_t rows,
                                           std::int64_t n_nearest, int threads) {
    constexpr std::int64_t groups_at_once = 256;
    std::vector<std::int64_t> offsets(static_cast<std::size_t>(rows) + 1, 0);
    const auto count = [&](std::int64_t first, std::int64_t last, int) {
        for (std::int64_t position = first; position < last; ++position) {
            const GroupPlan& group = plan.groups[static_cast<std::size_t>(position)];
            const auto queries = grouped.group(group.group)
                                     .subspan(static_cast<std::size_t>(group.first_query),
                                              static_cast<std::size_t>(group.queries));
            const std::int64_t neighbors = std::min(n_nearest, group.rows - 1);
            for (const std::int64_t row : queries) offsets[static_cast<std::size_t>(row) + 1] = neighbors;
        }
    };
    parallel::for_blocks(std::ssize(plan.groups), groups_at_once, threads, {}, "memory", count);
    for (std::size_t row = 1; row < offsets.size(); ++row) offsets[row] += offsets[row - 1];
    return offsets;
}

/// The search of one large group: its state exists from its first stage to its last.
template <typename Search, typename... Plan>
parallel::Work work_of(const GroupJob& job, std::span<Scratch> scratch, double cost, const Plan&... plan) {
    auto search = std::make_shared<std::optional<Search>>();
    search->emplace(job, scratch, plan...);
    parallel::Work work{.stages = (*search)->stages(), .cost = cost};
    work.stages.push_back(
        {.begin = [search](int) { return search->reset(), std::int64_t{0}; }, .run = {}, .share = 0.0});
    return work;
}

parallel::Work large_work(const GroupPlan& group, const GroupJob& job, std::span<Scratch> scratch) {
    switch (group.index) {
        case IndexKind::ivf: return work_of<knn::IvfSearch>(job, scratch, group.cost, group);
        case IndexKind::hnsw: return work_of<knn::HnswSearch>(job, scratch, group.cost, group);
        case IndexKind::partition: return work_of<knn::PartitionSearch>(job, scratch, group.cost, group);
        default: return work_of<FlatSearch>(job, scratch, group.cost);
    }
}

void search_here(const GroupJob& job, FlatPath path, std::span<Scratch> scratch, int worker) {
    if (path == FlatPath::direct && search_direct(job, scratch[static_cast<std::size_t>(worker)])) return;
    FlatSearch search(job, scratch.subspan(static_cast<std::size_t>(worker), 1));
    for (const parallel::Stage& stage : search.stages()) {
        const std::int64_t units = stage.begin(0);
        for (std::int64_t unit = 0; unit < units; ++unit) stage.run(unit, 0);
    }
}

}  // namespace

Neighbors room_for_neighbors(const RowsByGroup& grouped, const Plan& plan, std::int64_t rows,
                             std::int64_t n_nearest, int threads) {
    Neighbors neighbors;
    neighbors.offsets = neighbor_offsets(grouped, plan, rows, n_nearest, threads);
    const auto links = static_cast<std::size_t>(neighbors.offsets.back());
    knn::resize_on_large_pages(neighbors.targets, links, threads);
    knn::resize_on_large_pages(neighbors.distances, links, threads);
    // A large group takes the most memory before it has results.
    if (!plan.groups.empty() && is_memory_short(plan.groups.front().rows, plan.groups.front().dim)) {
        knn::give_back_zeros(neighbors.targets.data(), links * sizeof(std::int64_t));
        knn::give_back_zeros(neighbors.distances.data(), links * sizeof(float));
    }
    return neighbors;
}

KnnResult find_neighbors(const MatrixView& vectors, const RowsByGroup& grouped,
                         std::span<const std::string> keys, const Plan& plan, const LinkOptions& options,
                         int threads, const JobControl& control) {
    KnnResult result;
    result.neighbors = room_for_neighbors(grouped, plan, vectors.rows, options.n_nearest, threads);

    const knn::RowScorer scorer(vectors, options.metric, kernels::best());
    std::vector<Scratch> scratch(static_cast<std::size_t>(threads));
    result.searches.resize(plan.groups.size());
    const Checkpoints* const checkpoints = control.checkpoints.get();
    knn::Restored restored;
    if (checkpoints) restored = knn::restore(*checkpoints, grouped, plan, options.n_nearest, result);
    knn::Keeper keeper(checkpoints, grouped, plan, options.n_nearest, result);
    const auto job_of = [&](std::size_t position) {
        const GroupPlan& group = plan.groups[position];
        auto& search = result.searches[position];
        if (group.index != IndexKind::flat) search.emplace();
        return GroupJob{.scorer = scorer,
                        .rows = grouped.group(group.group),
                        .dim = static_cast<std::size_t>(group.dim),
                        .k = static_cast<std::size_t>(std::min(options.n_nearest, group.rows - 1)),
                        .first_query = static_cast<std::size_t>(group.first_query),
                        .last_query = static_cast<std::size_t>(group.first_query + group.queries),
                        .seed = knn::group_seed(options.seed, keys[static_cast<std::size_t>(group.group)]),
                        .neighbors = result.neighbors,
                        .report = search ? &*search : nullptr};
    };

    std::vector<parallel::Work> works;
    for (const Batch& batch : make_batches(plan, restored.finished)) {
        const GroupPlan& first = plan.groups[batch.first];
        if (first.tiles > 1) {
            works.push_back(large_work(first, job_of(batch.first), scratch));
            keeper.follow(works.back(), batch.first, scratch);
            continue;
        }
        parallel::Stage stage;
        stage.begin = [](int) { return std::int64_t{1}; };
        stage.run = [batch, job_of, &plan, &restored, &keeper, &scratch](std::int64_t, int worker) {
            std::vector<std::size_t> searched;
            for (std::size_t i = batch.first; i < batch.first + batch.count; ++i) {
                if (!restored.finished.empty() && restored.finished[i]) continue;
                keeper.counted(i, scratch[static_cast<std::size_t>(worker)],
                               [&] { search_here(job_of(i), plan.groups[i].path, scratch, worker); });
                searched.push_back(i);
            }
            keeper.finish(searched);
        };
        parallel::Work work{.stages = {}, .cost = batch.cost, .most_units = 1};
        work.stages.push_back(std::move(stage));
        works.push_back(std::move(work));
    }
    result.workers = parallel::run_all(std::move(works), threads, control, "knn", restored.cost);
    for (const Scratch& worker : scratch) result.counters += worker.counters;
    return result;
}

std::string faiss_version() {
    return fmt::format("{}.{}.{}", FAISS_VERSION_MAJOR, FAISS_VERSION_MINOR, FAISS_VERSION_PATCH);
}

}  // namespace grouplink
