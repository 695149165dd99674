#include "knn/hnsw.hpp"

#include "knn/exhaustive.hpp"
#include "knn/key.hpp"
#include "knn/seed.hpp"
#include "knn/stage.hpp"
#include "parallel/openmp.hpp"

#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/utils/Heap.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace grouplink::knn {
namespace {

/// Nodes that are added at a time; between two times the job can be stopped.
constexpr std::size_t nodes_at_once = 512;
/// Rows compared with all others together.
constexpr std::size_t rows_again = 64;
/// Candidates that a search keeps, as tried one after another; past the last, all pairs are scored.
constexpr std::int64_t tried_ef_search[] = {24,  32,  45,  64,   90,   128,  181,  256,
                                            362, 512, 724, 1024, 1448, 2048, 2896, 4096};

/// Distances between nodes, whose rows lie elsewhere. They grow as nodes get farther apart, whatever
/// the metric: minus the inner product, or the squared distance.
class NodeDistance : public faiss::DistanceComputer {
public:
    using Kernel = float (*)(const float*, const float*, std::size_t);

    NodeDistance(const float* rows, std::size_t dim, const std::vector<std::uint32_t>& row_of, Kernel kernel,
                 float sign)
        : rows_(rows), dim_(dim), row_of_(row_of), kernel_(kernel), sign_(sign) {}

    void set_query(const float* x) override { query_ = x; }
    float operator()(idx_t node) override { return sign_ * kernel_(query_, row(node), dim_); }
    float symmetric_dis(idx_t a, idx_t b) override { return sign_ * kernel_(row(a), row(b), dim_); }

private:
    const float* row(idx_t node) const {
        return rows_ + static_cast<std::size_t>(row_of_[static_cast<std::size_t>(node)]) * dim_;
    }

    const float* rows_;
    std::size_t dim_;
    const std::vector<std::uint32_t>& row_of_;
    Kernel kernel_;
    float sign_;
    const float* query_ = nullptr;
};

}  // namespace

/// What FAISS takes for the index that holds the rows: it holds none. Its metric is
/// L2 to FAISS, which then leaves the sign of the distances alone.
class HnswStorage : public faiss::Index {
public:
    HnswStorage(const FlatIndex& flat, std::size_t dimension, const std::vector<std::uint32_t>& row_of,
                Metric metric, const kernels::Table& kernel)
        : faiss::Index(static_cast<idx_t>(dimension), faiss::METRIC_L2),
          rows_(flat.rows()),
          row_of_(row_of),
          kernel_(searched_as(metric) == Metric::euclidean ? kernel.squared_l2_f32 : kernel.dot_f32),
          sign_(searched_as(metric) == Metric::euclidean ? 1.0F : -1.0F) {}

    void add(idx_t, const float*) override {}
    void reset() override {}
    void search(idx_t, const float*, idx_t, float*, idx_t*, const faiss::SearchParameters*) const override {}
    faiss::DistanceComputer* get_distance_computer() const override {
        return new NodeDistance(rows_, static_cast<std::size_t>(d), row_of_, kernel_, sign_);
    }

private:
    const float* rows_;
    const std::vector<std::uint32_t>& row_of_;
    NodeDistance::Kernel kernel_;
    float sign_;
};

struct HnswSearch::Growth {
    Growth(const HnswStorage& storage, std::size_t rows)
        : distance(storage.get_distance_computer()), visited(static_cast<int>(rows)), locks(rows) {}

    std::unique_ptr<faiss::DistanceComputer> distance;
    faiss::VisitedTable visited;
    parallel::OpenMpLocks locks;
};

struct HnswSearch::Walk {
    Walk(const HnswStorage& storage, std::size_t rows, std::size_t wanted)
        : distance(storage.get_distance_computer()),
          visited(static_cast<int>(rows)),
          nodes(wanted),
          distances(wanted) {}

    std::unique_ptr<faiss::DistanceComputer> distance;
    faiss::VisitedTable visited;
    faiss::HNSWStats stats;
    std::vector<std::int64_t> nodes;
    std::vector<float> distances;
    std::vector<Key> candidates;
};

HnswSearch::HnswSearch(GroupJob job, std::span<Scratch> scratch, const GroupPlan& plan)
    : job_(job),
      scratch_(scratch),
      options_(plan.hnsw),
      recall_target_(plan.recall_target),
      effort_is_given_(plan.hnsw.ef_search > 0),
      all_pairs_(job, scratch),
      rows_(all_pairs_.rows()),
      ranker_(all_pairs_.ranker()),
      calibration_(job_, rows_, ranker_) {}

HnswSearch::~HnswSearch() = default;

std::vector<parallel::Stage> HnswSearch::stages() {
    std::vector<parallel::Stage> stages{
        make_stage(*this, scratch_, &HnswSearch::begin_measure, &HnswSearch::measure, 0.01),
        make_stage(*this, scratch_, &HnswSearch::begin_gather, &HnswSearch::gather, 0.02),
        make_stage(*this, scratch_, &HnswSearch::begin_graph, &HnswSearch::grow, 0.0)};
    const std::size_t times = (job_.rows.size() + nodes_at_once - 1) / nodes_at_once;
    for (std::size_t i = 0; i < times; ++i) {
        stages.push_back(make_stage(*this, scratch_, &HnswSearch::begin_grow, &HnswSearch::grow,
                                    0.6 / static_cast<double>(times)));
    }
    stages.push_back(
        make_stage(*this, scratch_, &HnswSearch::begin_sample, &HnswSearch::search_sample, 0.02));
    const std::size_t trials = effort_is_given_ ? 1 : std::size(tried_ef_search);
    for (std::size_t i = 0; i < trials; ++i) {
        stages.push_back(make_stage(*this, scratch_, &HnswSearch::begin_trial, &HnswSearch::try_sample, 0.0));
    }
    stages.push_back(make_stage(*this, scratch_, &HnswSearch::begin_exhaust, &HnswSearch::search, 0.0));
    for (parallel::Stage& stage : all_pairs_.stages_if(exhaustive_)) stages.push_back(std::move(stage));
    stages.push_back(make_stage(*this, scratch_, &HnswSearch::begin_search, &HnswSearch::search, 0.35));
    stages.push_back(make_stage(*this, scratch_, &HnswSearch::begin_complete, &HnswSearch::complete, 0.0));
    return stages;
}

std::int64_t HnswSearch::begin_measure(Scratch&) { return rows_.begin_measure(); }

void HnswSearch::measure(std::int64_t block, Scratch&) { rows_.measure(block); }

std::int64_t HnswSearch::begin_gather(Scratch& scratch) {
    rows_.finish(scratch);
    rows_.count_duplicates(scratch);
    flat_ =
        FlatIndex(rows_.size(), job_.dim, job_.scorer.metric(), rows_.frame(), job_.scorer.kernel(), false);
    return rows_.blocks();
}

void HnswSearch::gather(std::int64_t block, Scratch& scratch) { gather_block(rows_, block, flat_, scratch); }

std::int64_t HnswSearch::begin_graph(Scratch&) {
    row_of_.resize(rows_.size());
    std::iota(row_of_.begin(), row_of_.end(), 0U);
    std::sort(row_of_.begin(), row_of_.end(), [this](std::uint32_t a, std::uint32_t b) {
        return std::pair(mix(job_.seed ^ a), a) < std::pair(mix(job_.seed ^ b), b);
    });
    node_of_.resize(rows_.size());
    for (std::uint32_t node = 0; node < row_of_.size(); ++node) node_of_[row_of_[node]] = node;

    storage_ =
        std::make_unique<HnswStorage>(flat_, job_.dim, row_of_, job_.scorer.metric(), job_.scorer.kernel());
    graph_ = std::make_unique<faiss::IndexHNSW>(storage_.get(), static_cast<int>(options_.M));
    const auto rows = static_cast<std::int64_t>(rows_.size());
    faiss::HNSW& hnsw = graph_->hnsw;
    hnsw.rng = faiss::RandomGenerator(static_cast<std::int64_t>(mix(job_.seed) >> 1));
    hnsw.efConstruction = static_cast<int>(std::min(options_.ef_construction, rows));
    hnsw.levels.reserve(rows_.size());
    hnsw.offsets.reserve(rows_.size() + 1);
    // One node in M has a second level.
    const auto links = static_cast<std::size_t>(2 * options_.M + 2);
    hnsw.neighbors.reserve(rows_.size() * links);
    growth_ = std::make_unique<Growth>(*storage_, rows_.size());
    return 0;
}

std::int64_t HnswSearch::begin_grow(Scratch&) {
    return static_cast<std::size_t>(graph_->ntotal) < rows_.size() ? 1 : 0;
}

/// What IndexHNSW::add() does with the next nodes, in its order, but for its parallel regions: an exception
/// in one of these ends the process.
void HnswSearch::grow(std::int64_t, Scratch&) {
    const auto first = static_cast<std::size_t>(graph_->ntotal);
    const std::size_t count = std::min(nodes_at_once, rows_.size() - first);
    faiss::HNSW& hnsw = graph_->hnsw;
    hnsw.prepare_level_tab(count);
    std::vector<faiss::HNSW::storage_idx_t> order(count);
    std::iota(order.begin(), order.end(), static_cast<faiss::HNSW::storage_idx_t>(first));
    const auto level = [&hnsw](faiss::HNSW::storage_idx_t node) {
        return hnsw.levels[static_cast<std::size_t>(node)] - 1;
    };
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return level(a) < level(b); });

    faiss::RandomGenerator random(789);
    for (auto end = order.end(); end != order.begin();) {
        const int pt_level = level(*(end - 1));
        const auto begin =
            std::find_if(order.begin(), end, [&](auto node) { return level(node) == pt_level; });
        for (auto node = begin; node != end; ++node) {
            std::swap(*node, *(node + random.rand_int(static_cast<int>(end - node))));
        }
        for (auto node = begin; node != end; ++node) {
            growth_->distance->set_query(flat_.rows() + row_of_[static_cast<std::size_t>(*node)] * job_.dim);
            hnsw.add_with_locks(*growth_->distance, pt_level, *node, growth_->locks.all(), growth_->visited);
        }
        end = begin;
    }
    graph_->ntotal += static_cast<std::int64_t>(count);
}

std::int64_t HnswSearch::begin_sample(Scratch&) {
    growth_.reset();
    return calibration_.begin();
}

void HnswSearch::search_sample(std::int64_t unit, Scratch& scratch) {
    const auto offer = [&](std::span<const std::uint32_t> selected, CandidateLists& lists) {
        offer_index(selected, rows_, flat_, lists, job_.scorer.kernel(), scratch);
    };
    calibration_.search(unit, offer, scratch);
}

void HnswSearch::set_ef_search(std::int64_t ef_search) {
    // The row itself is found too.
    const auto wanted = static_cast<std::int64_t>(approximate_keep(job_.k, rows_.size())) + 1;
    options_.ef_search = std::min(std::max(ef_search, wanted), static_cast<std::int64_t>(rows_.size()));
    graph_->hnsw.efSearch = static_cast<int>(options_.ef_search);
}

std::int64_t HnswSearch::begin_trial(Scratch&) {
    if (found_.empty()) {
        found_.resize(calibration_.rows().size());
        set_ef_search(options_.ef_search > 0 ? options_.ef_search : tried_ef_search[0]);
        return calibration_.units();
    }
    reached_ = reached_ || effort_is_given_ || calibration_.estimate(found_).low >= recall_target_;
    const auto* next =
        std::upper_bound(std::begin(tried_ef_search), std::end(tried_ef_search), options_.ef_search);
    if (reached_ || next == std::end(tried_ef_search)) return 0;
    const std::int64_t before = options_.ef_search;
    set_ef_search(*next);
    return options_.ef_search > before ? calibration_.units() : 0;
}

void HnswSearch::try_sample(std::int64_t unit, Scratch&) {
    Walk walk(*storage_, rows_.size(), approximate_keep(job_.k, rows_.size()) + 1);
    const auto [first, last] = calibration_.range_of(unit);
    for (std::size_t s = first; s < last; ++s) {
        found_[s] = calibration_.count_found(s, search_graph(calibration_.rows()[s], walk));
    }
}

std::int64_t HnswSearch::begin_exhaust(Scratch&) {
    exhaustive_ = !effort_is_given_ && calibration_.estimate(found_).low < recall_target_;
    if (!exhaustive_) return 0;
    graph_.reset();
    storage_.reset();
    flat_ = {};
    return 0;
}

std::int64_t HnswSearch::begin_search(Scratch&) {
    if (exhaustive_) found_.assign(found_.size(), static_cast<std::int64_t>(job_.k));
    *job_.report = {.recall = calibration_.estimate(found_), .hnsw = options_, .exhaustive = exhaustive_};
    if (exhaustive_) return 0;
    short_.resize(static_cast<std::size_t>(rows_.blocks()));
    return rows_.blocks();
}

std::span<const Key> HnswSearch::search_graph(std::uint32_t row, Walk& walk) const {
    const std::size_t wanted = walk.nodes.size();
    walk.distance->set_query(flat_.rows() + row * job_.dim);
    const auto start = static_cast<faiss::HNSW::storage_idx_t>(node_of_[row]);
    const float start_distance = (*walk.distance)(start);
    faiss::maxheap_heapify(wanted, walk.distances.data(), walk.nodes.data());
    graph_->hnsw.search_level_0(*walk.distance, static_cast<int>(wanted), walk.nodes.data(),
                                walk.distances.data(), 1, &start, &start_distance, 1, walk.stats,
                                walk.visited);
    walk.visited.advance();
    walk.candidates.clear();
    for (std::size_t c = 0; c < wanted; ++c) {
        if (walk.nodes[c] < 0 || walk.nodes[c] == start) continue;
        walk.candidates.push_back(
            make_key(walk.distances[c], row_of_[static_cast<std::size_t>(walk.nodes[c])]));
    }
    return walk.candidates;
}

void HnswSearch::search(std::int64_t block, Scratch& scratch) {
    // The row itself is found too.
    Walk walk(*storage_, rows_.size(), approximate_keep(job_.k, rows_.size()) + 1);
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        const auto row = static_cast<std::uint32_t>(i);
        if (!ranker_.rank(row, search_graph(row, walk), scratch))
            short_[static_cast<std::size_t>(block)].push_back(row);
    }
}

std::int64_t HnswSearch::begin_complete(Scratch&) {
    graph_.reset();
    for (const auto& block : short_) again_.insert(again_.end(), block.begin(), block.end());
    return static_cast<std::int64_t>((again_.size() + rows_again - 1) / rows_again);
}

void HnswSearch::complete(std::int64_t batch, Scratch& scratch) {
    const std::size_t first = static_cast<std::size_t>(batch) * rows_again;
    const auto rows =
        std::span<const std::uint32_t>(again_).subspan(first, std::min(rows_again, again_.size() - first));
    scratch.counters.researched_rows += static_cast<std::int64_t>(rows.size());
    search_all(rows, job_, rows_, flat_, ranker_, scratch);
}

}  // namespace grouplink::knn
