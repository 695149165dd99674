#include "knn/ivf.hpp"

#include "kernels/gemm.hpp"
#include "knn/exhaustive.hpp"
#include "knn/narrow.hpp"
#include "knn/seed.hpp"
#include "knn/stage.hpp"
#include "parallel/openmp.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace grouplink::knn {
namespace {

constexpr auto tile = static_cast<std::size_t>(largest_block);
/// Rows that one unit scores against a list.
constexpr std::size_t unit_rows = 8 * tile;
/// The first bytes are worth a look where no more than one query in so many has no threshold yet.
constexpr std::size_t open_share = 16;

faiss::MetricType faiss_metric(Metric metric) {
    return searched_as(metric) == Metric::euclidean ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
}

}  // namespace

IvfSearch::IvfSearch(GroupJob job, std::span<Scratch> scratch, const GroupPlan& plan)
    : job_(job),
      scratch_(scratch),
      options_(plan.ivf),
      recall_target_(plan.recall_target),
      all_pairs_(job, scratch),
      rows_(all_pairs_.rows()),
      ranker_(all_pairs_.ranker()),
      index_(all_pairs_.index()),
      calibration_(job_, rows_, ranker_) {}

std::vector<parallel::Stage> IvfSearch::stages() {
    std::vector<parallel::Stage> stages{
        make_stage(*this, scratch_, &IvfSearch::begin_measure, &IvfSearch::measure, 0.02),
        make_stage(*this, scratch_, &IvfSearch::begin_sample, &IvfSearch::sample, 0.01)};
    for (int round = 0; round < training_rounds; ++round) {
        stages.push_back(make_stage(*this, scratch_, &IvfSearch::begin_train, &IvfSearch::train,
                                    0.2 / static_cast<double>(training_rounds)));
    }
    stages.push_back(make_stage(*this, scratch_, &IvfSearch::begin_assign, &IvfSearch::assign, 0.05));
    stages.push_back(make_stage(*this, scratch_, &IvfSearch::begin_gather, &IvfSearch::gather, 0.02));
    stages.push_back(
        make_stage(*this, scratch_, &IvfSearch::begin_sample_search, &IvfSearch::search_sample, 0.02));
    stages.push_back(make_stage(*this, scratch_, &IvfSearch::begin_probe, &IvfSearch::probe, 0.05));
    for (parallel::Stage& stage : all_pairs_.stages_if(exhaustive_)) stages.push_back(std::move(stage));
    stages.push_back(make_stage(*this, scratch_, &IvfSearch::begin_join, &IvfSearch::join, 0.53));
    stages.push_back(make_stage(*this, scratch_, &IvfSearch::begin_rank, &IvfSearch::rank, 0.1));
    return stages;
}

std::int64_t IvfSearch::begin_measure(Scratch&) { return rows_.begin_measure(); }

void IvfSearch::measure(std::int64_t block, Scratch&) { rows_.measure(block); }

std::int64_t IvfSearch::begin_sample(Scratch& scratch) {
    rows_.finish(scratch);
    rows_.count_duplicates(scratch);
    // Duplicates may leave fewer rows than lists were wanted; k-means needs a row a list.
    const auto rows = static_cast<std::int64_t>(rows_.size());
    const std::int64_t nlist = std::min(options_.nlist, rows);
    const auto dim = static_cast<std::int64_t>(job_.dim);
    const faiss::MetricType metric = faiss_metric(job_.scorer.metric());
    quantizer_ = std::make_unique<faiss::IndexFlat>(dim, metric);
    options_.nlist = nlist;

    const auto count =
        static_cast<std::size_t>(rows / training_rows_a_list < nlist ? rows : training_rows_a_list * nlist);
    sampled_.resize(rows_.size());
    std::iota(sampled_.begin(), sampled_.end(), 0U);
    if (count < sampled_.size()) {
        const auto before = [this](std::uint32_t a, std::uint32_t b) {
            return std::pair(mix(job_.seed ^ a), a) < std::pair(mix(job_.seed ^ b), b);
        };
        std::nth_element(sampled_.begin(), sampled_.begin() + static_cast<std::ptrdiff_t>(count),
                         sampled_.end(), before);
        sampled_.resize(count);
        std::sort(sampled_.begin(), sampled_.end());
    }
    sample_.resize(count * job_.dim);

    faiss::ClusteringParameters parameters;
    parameters.spherical = metric == faiss::METRIC_INNER_PRODUCT;
    parameters.niter = 1;
    parameters.min_points_per_centroid = 1;  // fewer than it likes would have FAISS print a warning
    parameters.max_points_per_centroid = std::numeric_limits<int>::max();
    parameters.seed = static_cast<int>(mix(job_.seed) >> 33);
    clustering_ =
        std::make_unique<faiss::Clustering>(static_cast<int>(dim), static_cast<int>(nlist), parameters);
    return static_cast<std::int64_t>((count + tile - 1) / tile);
}

void IvfSearch::sample(std::int64_t block, Scratch& scratch) {
    const std::size_t first = static_cast<std::size_t>(block) * tile;
    for (std::size_t i = first; i < std::min(sampled_.size(), first + tile); ++i) {
        rows_.load(sampled_[i], scratch);
        place_row(rows_.frame(), job_.scorer.metric(), job_.dim, scratch.x.data(),
                  sample_.data() + i * job_.dim);
    }
}

std::int64_t IvfSearch::begin_train(Scratch&) { return 1; }

void IvfSearch::train(std::int64_t, Scratch&) {
    const parallel::SingleThreadedOpenMp openmp;
    // The centroids of the last round are where this one begins.
    clustering_->train(static_cast<std::int64_t>(sampled_.size()), sample_.data(), *quantizer_);
}

std::int64_t IvfSearch::begin_assign(Scratch&) {
    clustering_.reset();
    sample_ = {};
    sampled_ = {};
    centroid_offsets_.assign(nlist(), 0.0F);
    if (searched_as(job_.scorer.metric()) == Metric::euclidean) {
        for (std::size_t list = 0; list < nlist(); ++list) {
            const float* centroid = quantizer_->get_xb() + list * job_.dim;
            centroid_offsets_[list] = job_.scorer.kernel().dot_f32(centroid, centroid, job_.dim) / 2;
        }
    }
    list_of_.resize(rows_.size());
    return rows_.blocks();
}

void IvfSearch::offer_lists(const float* rows, std::size_t count, CandidateLists& best,
                            Scratch& scratch) const {
    const kernels::Table& kernel = job_.scorer.kernel();
    make_room(scratch.scores, count * tile);
    for (std::size_t first = 0; first < nlist(); first += tile) {
        const std::size_t lists = std::min(tile, nlist() - first);
        kernels::inner_products(kernel, rows, count, quantizer_->get_xb() + first * job_.dim, lists, job_.dim,
                                scratch.packed, scratch.scores.data());
        for (std::size_t i = 0; i < count; ++i) {
            offer_scores(best, i, scratch.scores.data() + i * lists, 0.0F, centroid_offsets_.data() + first,
                         lists, kernel, scratch,
                         [&](std::uint32_t j) { return static_cast<std::uint32_t>(first) + j; });
        }
    }
}

void IvfSearch::place(std::size_t first, std::size_t count, Scratch& scratch) const {
    make_room(scratch.gathered, count * job_.dim);
    for (std::size_t i = 0; i < count; ++i) {
        rows_.load(first + i, scratch, count - i);
        place_row(rows_.frame(), job_.scorer.metric(), job_.dim, scratch.x.data(),
                  scratch.gathered.data() + i * job_.dim);
    }
}

void IvfSearch::assign(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    const std::size_t count = rows_.block_size(block);
    place(first, count, scratch);
    CandidateLists best(count, 1, job_.scorer.kernel());
    offer_lists(scratch.gathered.data(), count, best, scratch);
    for (std::size_t i = 0; i < count; ++i) list_of_[first + i] = key_row(best.ranked(i).front());
}

std::int64_t IvfSearch::begin_gather(Scratch&) {
    rows_.reorder(order_by_key(list_of_.data(), 1, rows_.size(), nlist()));
    std::sort(list_of_.begin(), list_of_.end());
    list_first_.assign(nlist() + 1, 0);
    list_members_.assign(nlist(), 0);
    for (std::uint32_t row = 0; row < rows_.size(); ++row) {
        ++list_first_[list_of_[row] + 1];
        list_members_[list_of_[row]] += static_cast<std::int64_t>(rows_.unique().rows_of(row).size());
    }
    std::partial_sum(list_first_.begin(), list_first_.end(), list_first_.begin());
    all_pairs_.make_index();
    return rows_.blocks();
}

void IvfSearch::gather(std::int64_t block, Scratch& scratch) { gather_block(rows_, block, index_, scratch); }

std::int64_t IvfSearch::begin_sample_search(Scratch&) {
    const std::int64_t units = calibration_.begin();
    places_.resize(calibration_.rows().size());
    return units;
}

void IvfSearch::search_sample(std::int64_t unit, Scratch& scratch) {
    const auto offer = [&](std::span<const std::uint32_t> selected, CandidateLists& lists) {
        offer_index(selected, rows_, index_, lists, job_.scorer.kernel(), scratch);
    };
    calibration_.search(unit, offer, scratch);
    const auto [first, last] = calibration_.range_of(unit);
    std::vector<std::uint32_t> place_of(nlist());
    for (std::size_t s = first; s < last; ++s) {
        const std::uint32_t row = calibration_.rows()[s];
        CandidateLists all(1, nlist(), job_.scorer.kernel());
        place(row, 1, scratch);
        offer_lists(scratch.gathered.data(), 1, all, scratch);
        std::uint32_t rank = 0;
        for (const Key key : all.ranked(0)) place_of[key_row(key)] = rank++;
        for (const std::uint32_t neighbor : calibration_.neighbors(s)) {
            if (neighbor != row) places_[s].push_back(place_of[list_of_[neighbor]]);
        }
    }
}

/// The least number of lists for which the sample reaches the recall target, and the report of it.
void IvfSearch::choose_nprobe() {
    const auto recall_of = [this](std::int64_t nprobe) {
        std::vector<std::int64_t> found;
        for (std::size_t s = 0; s < places_.size(); ++s) {
            auto place = places_[s].begin();
            found.push_back(calibration_.count_found(s, [&](std::uint32_t) { return *place++ < nprobe; }));
        }
        return calibration_.estimate(found);
    };
    const auto lists = static_cast<std::int64_t>(nlist());
    std::int64_t nprobe = std::min(options_.nprobe, lists);
    if (nprobe == 0) {
        // More lists never find less.
        std::int64_t too_few = 0;
        for (nprobe = lists; nprobe - too_few > 1;) {
            const std::int64_t middle = (too_few + nprobe) / 2;
            (recall_of(middle).low >= recall_target_ ? nprobe : too_few) = middle;
        }
        // A pair is scored for either row that probes the other's list, and once where all are.
        if (2 * nprobe >= lists) nprobe = lists;
    }
    exhaustive_ = nprobe == lists;
    nprobe_ = static_cast<std::size_t>(nprobe);
    options_.nprobe = nprobe;
    *job_.report = {.recall = recall_of(nprobe), .ivf = options_, .exhaustive = exhaustive_};
}

std::int64_t IvfSearch::begin_probe(Scratch&) {
    choose_nprobe();
    if (exhaustive_) return 0;
    probes_.resize(rows_.size() * nprobe_);
    more_.resize(static_cast<std::size_t>(rows_.blocks()));
    return rows_.blocks();
}

void IvfSearch::probe(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    const std::size_t count = rows_.block_size(block);
    place(first, count, scratch);
    CandidateLists best(count, nprobe_, job_.scorer.kernel());
    offer_lists(scratch.gathered.data(), count, best, scratch);
    for (std::size_t i = 0; i < count; ++i) {
        const auto nearest = best.ranked(i);
        std::transform(nearest.begin(), nearest.end(),
                       probes_.begin() + static_cast<std::ptrdiff_t>((first + i) * nprobe_), key_row);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto row = static_cast<std::uint32_t>(first + i);
        probe_more(row, scratch.gathered.data() + i * job_.dim, more_[static_cast<std::size_t>(block)],
                   scratch);
    }
}

/// Adds lists, the nearest first, until those probed hold k rows besides this one.
void IvfSearch::probe_more(std::uint32_t row, const float* placed, std::vector<Probe>& more,
                           Scratch& scratch) const {
    const auto wanted = static_cast<std::int64_t>(job_.k) + 1;
    std::int64_t within = 0;
    for (std::size_t p = 0; p < nprobe_; ++p) within += list_members_[probes(row)[p]];
    if (within >= wanted) return;
    CandidateLists all(1, nlist(), job_.scorer.kernel());
    offer_lists(placed, 1, all, scratch);
    for (const Key key : all.ranked(0)) {
        if (within >= wanted) return;
        const std::uint32_t list = key_row(key);
        if (std::find(probes(row), probes(row) + nprobe_, list) != probes(row) + nprobe_) continue;
        more.emplace_back(row, list);
        within += list_members_[list];
    }
}

/// From the lists of each row to the rows of each list.
void IvfSearch::invert_probes() {
    probing_first_.assign(nlist() + 1, 0);
    const auto each_probe = [this](auto&& visit) {
        for (std::int64_t block = 0; block < rows_.blocks(); ++block) {
            const auto& more = more_[static_cast<std::size_t>(block)];
            auto next = more.begin();
            const std::size_t first = rows_.block_first(block);
            for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
                const auto row = static_cast<std::uint32_t>(i);
                for (std::size_t p = 0; p < nprobe_; ++p) visit(row, probes(row)[p]);
                for (; next != more.end() && next->first == row; ++next) visit(row, next->second);
            }
        }
    };
    each_probe([this](std::uint32_t, std::uint32_t list) { ++probing_first_[list + 1]; });
    std::partial_sum(probing_first_.begin(), probing_first_.end(), probing_first_.begin());
    probing_.resize(probing_first_.back());
    std::vector<std::size_t> next(probing_first_.begin(), probing_first_.end() - 1);
    each_probe([&](std::uint32_t row, std::uint32_t list) { probing_[next[list]++] = row; });
    more_ = {};
}

std::int64_t IvfSearch::begin_join(Scratch&) {
    if (exhaustive_) return 0;
    invert_probes();
    for (std::size_t list = 0; list < nlist(); ++list) {
        if (list_size(list) == 0) continue;
        const std::size_t last = probing_first_[list + 1];
        for (std::size_t first = probing_first_[list]; first < last; first += unit_rows) {
            units_.push_back({list, first, std::min(unit_rows, last - first)});
        }
    }
    locks_ =
        std::make_unique<parallel::BlockLocks>(static_cast<std::int64_t>(rows_.size() / rows_a_lock + 1));
    lists_ = CandidateLists(rows_.size(), approximate_keep(job_.k, rows_.size()), job_.scorer.kernel());
    return static_cast<std::int64_t>(units_.size());
}

void IvfSearch::join(std::int64_t unit, Scratch& scratch) {
    const auto [list, unit_first, unit_count] = units_[static_cast<std::size_t>(unit)];
    const std::size_t last = list_first_[list + 1];
    FlatIndex::Selection selected;
    for (std::size_t first = 0; first < unit_count; first += tile) {
        // Queries that are not wanted are scored like the others: the last bits of float32 scores may depend
        // on what is scored together.
        const auto queries = std::span<const std::uint32_t>(probing_).subspan(
            unit_first + first, std::min(tile, unit_count - first));
        const auto wanted = [this](std::uint32_t row) { return rows_.wanted(row); };
        if (std::none_of(queries.begin(), queries.end(), wanted)) continue;
        index_.select(queries, selected);
        for (std::size_t b = list_first_[list]; b < last; b += tile) {
            offer_tile(queries, selected, b, std::min(tile, last - b), scratch);
        }
    }
}

void IvfSearch::offer_tile(std::span<const std::uint32_t> queries, const FlatIndex::Selection& selected,
                           std::size_t b, std::size_t nb, Scratch& scratch) {
    if (index_.codes().in_use() && offer_close(queries, selected, b, nb, scratch)) return;
    index_.score_rows(selected, b, nb, scratch);
    for (std::size_t q = 0; q < queries.size(); ++q) {
        if (!rows_.wanted(queries[q])) continue;
        const auto guard = hold(queries[q]);
        const auto candidate_of = [b](std::uint32_t j) { return static_cast<std::uint32_t>(b) + j; };
        offer_scores(lists_, queries[q], scratch.scores.data() + q * nb, selected.offsets[q],
                     index_.offsets() + b, nb, job_.scorer.kernel(), scratch, candidate_of, queries[q]);
    }
}

/// The same, of those pairs alone whose first bytes do not show that they are of no use. Returns false where
/// that does not pay, and nothing is done.
bool IvfSearch::offer_close(std::span<const std::uint32_t> queries, const FlatIndex::Selection& selected,
                            std::size_t b, std::size_t nb, Scratch& scratch) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    make_room(scratch.thresholds, queries.size());
    float* thresholds = scratch.thresholds.data();
    std::size_t open = 0;
    for (std::size_t q = 0; q < queries.size(); ++q) {
        const auto guard = hold(queries[q]);
        thresholds[q] = rows_.wanted(queries[q]) ? lists_.threshold(queries[q]) : infinity;
        open += thresholds[q] == -infinity;
    }
    if (open * open_share > queries.size()) return false;
    const auto offer = [&](std::size_t q, std::size_t row, float score) {
        if (row == queries[q]) return;
        const auto guard = hold(queries[q]);
        if (score >= lists_.threshold(queries[q]))
            lists_.push(queries[q], score, static_cast<std::uint32_t>(row));
    };
    return for_each_close(index_, selected, b, nb, thresholds, job_.scorer.kernel(), scratch, offer);
}

std::int64_t IvfSearch::begin_rank(Scratch&) {
    if (exhaustive_) return 0;
    index_.forget_rows();
    quantizer_.reset();
    locks_.reset();
    probing_ = {};
    probes_ = {};
    return rows_.blocks();
}

void IvfSearch::rank(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        if (!rows_.wanted(i)) continue;
        const auto row = static_cast<std::uint32_t>(i);
        ranker_.rank(row, lists_.ranked(row), scratch);
    }
}

}  // namespace grouplink::knn
