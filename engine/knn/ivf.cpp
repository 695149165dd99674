#include "knn/ivf.hpp"

#include "kernels/gemm.hpp"
#include "knn/exhaustive.hpp"
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
constexpr std::size_t unit_rows = 4 * tile;
/// Rows that share a lock: few, so that workers seldom meet.
constexpr std::size_t rows_a_lock = 16;

faiss::MetricType faiss_metric(Metric metric) {
    return searched_as(metric) == Metric::euclidean ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
}

}  // namespace

IvfSearch::IvfSearch(GroupJob job, std::span<Scratch> scratch, const GroupPlan& plan)
    : job_(job),
      scratch_(scratch),
      options_(plan.ivf),
      recall_target_(plan.recall_target),
      rows_(job_),
      ranker_(job_, rows_.unique()),
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
    stages.push_back(make_stage(*this, scratch_, &IvfSearch::begin_fill, &IvfSearch::fill, 0.02));
    stages.push_back(
        make_stage(*this, scratch_, &IvfSearch::begin_sample_search, &IvfSearch::search_sample, 0.02));
    stages.push_back(make_stage(*this, scratch_, &IvfSearch::begin_probe, &IvfSearch::probe, 0.05));
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
    index_ = std::make_unique<faiss::IndexIVFFlat>(quantizer_.get(), static_cast<std::size_t>(dim),
                                                   static_cast<std::size_t>(nlist), metric);
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

    faiss::ClusteringParameters parameters = index_->cp;
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
    index_->is_trained = true;
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
    scratch.scores.resize(std::max(scratch.scores.size(), count * tile));
    for (std::size_t first = 0; first < nlist(); first += tile) {
        const std::size_t lists = std::min(tile, nlist() - first);
        kernels::inner_products(kernel, rows, count, quantizer_->get_xb() + first * job_.dim, lists, job_.dim,
                                scratch.packed, scratch.scores.data());
        for (std::size_t i = 0; i < count; ++i) {
            offer_scores(best, i, scratch.scores.data() + i * lists, centroid_offsets_.data() + first, lists,
                         kernel, scratch,
                         [&](std::uint32_t j) { return static_cast<std::uint32_t>(first) + j; });
        }
    }
}

void IvfSearch::assign(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    const std::size_t count = rows_.block_size(block);
    scratch.gathered.resize(count * job_.dim);
    for (std::size_t i = 0; i < count; ++i) {
        rows_.load(first + i, scratch);
        place_row(rows_.frame(), job_.scorer.metric(), job_.dim, scratch.x.data(),
                  scratch.gathered.data() + i * job_.dim);
    }
    CandidateLists best(count, 1, job_.scorer.kernel());
    offer_lists(scratch.gathered.data(), count, best, scratch);
    for (std::size_t i = 0; i < count; ++i) list_of_[first + i] = key_row(best.ranked(i).front());
}

std::int64_t IvfSearch::begin_fill(Scratch&) {
    list_first_.assign(nlist() + 1, 0);
    list_members_.assign(nlist(), 0);
    place_.resize(rows_.size());
    for (std::uint32_t row = 0; row < rows_.size(); ++row) {
        const std::uint32_t list = list_of_[row];
        place_[row] = static_cast<std::uint32_t>(list_first_[list + 1]++);
        list_members_[list] += static_cast<std::int64_t>(rows_.unique().rows_of(row).size());
    }
    // The lists get their sizes at once, so that rows are written to their places in any order.
    for (std::size_t list = 0; list < nlist(); ++list) index_->invlists->resize(list, list_first_[list + 1]);
    std::partial_sum(list_first_.begin(), list_first_.end(), list_first_.begin());
    index_->ntotal = static_cast<std::int64_t>(rows_.size());
    offsets_.assign(rows_.size(), 0.0F);
    return rows_.blocks();
}

void IvfSearch::fill(std::int64_t block, Scratch& scratch) {
    const Metric metric = job_.scorer.metric();
    scratch.gathered.resize(std::max(scratch.gathered.size(), job_.dim));
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        const auto row = static_cast<std::uint32_t>(i);
        rows_.load(i, scratch);
        float* placed = scratch.gathered.data();
        const RowLength length = place_row(rows_.frame(), metric, job_.dim, scratch.x.data(), placed);
        const std::uint32_t list = list_of_[row];
        const std::int64_t id = row;
        index_->invlists->update_entries(list, place_[row], 1, &id,
                                         reinterpret_cast<const std::uint8_t*>(placed));
        if (searched_as(metric) == Metric::euclidean) {
            offsets_[list_first_[list] + place_[row]] = static_cast<float>(length.squares / 2);
        }
    }
}

std::int64_t IvfSearch::begin_sample_search(Scratch&) {
    const std::int64_t units = calibration_.begin();
    places_.resize(calibration_.rows().size());
    return units;
}

void IvfSearch::search_sample(std::int64_t unit, Scratch& scratch) {
    const RowBlocks blocks{.count = static_cast<std::int64_t>(nlist()), .at = [this](std::int64_t block) {
                               const auto list = static_cast<std::size_t>(block);
                               return RowBlock{.rows = list_rows(list),
                                               .offsets = offsets_.data() + list_first_[list],
                                               .count = index_->invlists->list_size(list),
                                               .first = 0,
                                               .ids = index_->invlists->get_ids(list)};
                           }};
    const auto offer = [&](std::span<const std::uint32_t> selected, CandidateLists& lists) {
        scratch.gathered.resize(selected.size() * job_.dim);
        for (std::size_t i = 0; i < selected.size(); ++i) {
            std::copy_n(floats(selected[i]), job_.dim, scratch.gathered.data() + i * job_.dim);
        }
        offer_all(selected, scratch.gathered.data(), job_.dim, blocks, lists, job_.scorer.kernel(), scratch);
    };
    calibration_.search(unit, offer, scratch);
    const auto [first, last] = calibration_.range_of(unit);
    std::vector<std::uint32_t> place_of(nlist());
    for (std::size_t s = first; s < last; ++s) {
        const std::uint32_t row = calibration_.rows()[s];
        CandidateLists all(1, nlist(), job_.scorer.kernel());
        offer_lists(floats(row), 1, all, scratch);
        std::uint32_t place = 0;
        for (const Key key : all.ranked(0)) place_of[key_row(key)] = place++;
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
    }
    nprobe_ = static_cast<std::size_t>(nprobe);
    options_.nprobe = nprobe;
    *job_.report = {.recall = recall_of(nprobe), .ivf = options_, .exhaustive = nprobe == lists};
}

std::int64_t IvfSearch::begin_probe(Scratch&) {
    choose_nprobe();
    probes_.resize(rows_.size() * nprobe_);
    more_.resize(static_cast<std::size_t>(rows_.blocks()));
    return rows_.blocks();
}

void IvfSearch::probe(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    const std::size_t count = rows_.block_size(block);
    scratch.gathered.resize(count * job_.dim);
    for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(floats(static_cast<std::uint32_t>(first + i)), job_.dim,
                    scratch.gathered.data() + i * job_.dim);
    }
    CandidateLists best(count, nprobe_, job_.scorer.kernel());
    offer_lists(scratch.gathered.data(), count, best, scratch);
    for (std::size_t i = 0; i < count; ++i) {
        const auto nearest = best.ranked(i);
        std::transform(nearest.begin(), nearest.end(),
                       probes_.begin() + static_cast<std::ptrdiff_t>((first + i) * nprobe_), key_row);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto row = static_cast<std::uint32_t>(first + i);
        probe_more(row, more_[static_cast<std::size_t>(block)], scratch);
    }
}

/// Adds lists, the nearest first, until those probed hold k rows besides this one.
void IvfSearch::probe_more(std::uint32_t row, std::vector<Probe>& more, Scratch& scratch) const {
    const auto wanted = static_cast<std::int64_t>(job_.k) + 1;
    std::int64_t within = 0;
    for (std::size_t p = 0; p < nprobe_; ++p) within += list_members_[probes(row)[p]];
    if (within >= wanted) return;
    CandidateLists all(1, nlist(), job_.scorer.kernel());
    offer_lists(floats(row), 1, all, scratch);
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
    invert_probes();
    for (std::size_t list = 0; list < nlist(); ++list) {
        if (index_->invlists->list_size(list) == 0) continue;
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
    const kernels::Table& kernel = job_.scorer.kernel();
    const std::size_t size = index_->invlists->list_size(list);
    const faiss::Index::idx_t* ids = index_->invlists->get_ids(list);
    scratch.gathered.resize(tile * job_.dim);
    scratch.scores.resize(tile * tile);
    for (std::size_t first = 0; first < unit_count; first += tile) {
        // A tile with queries that are not wanted is as it is with all wanted: the last bits of scores may
        // depend on what is scored together.
        const auto queries =
            std::span(probing_).subspan(unit_first + first, std::min(tile, unit_count - first));
        const auto wanted = [this](std::uint32_t row) { return rows_.wanted(row); };
        if (std::none_of(queries.begin(), queries.end(), wanted)) continue;
        for (std::size_t q = 0; q < queries.size(); ++q) {
            const std::uint32_t row = queries[q];
            std::copy_n(floats(row), job_.dim, scratch.gathered.data() + q * job_.dim);
        }
        for (std::size_t b = 0; b < size; b += tile) {
            const std::size_t nb = std::min(tile, size - b);
            kernels::inner_products(kernel, scratch.gathered.data(), queries.size(),
                                    list_rows(list) + b * job_.dim, nb, job_.dim, scratch.packed,
                                    scratch.scores.data());
            for (std::size_t q = 0; q < queries.size(); ++q) {
                const std::uint32_t row = queries[q];
                if (!wanted(row)) continue;
                const auto block = static_cast<std::int64_t>(row / rows_a_lock);
                const auto guard = locks_->hold(block, block);
                const auto candidate_of = [&](std::uint32_t j) {
                    return static_cast<std::uint32_t>(ids[b + j]);
                };
                offer_scores(lists_, row, scratch.scores.data() + q * nb,
                             offsets_.data() + list_first_[list] + b, nb, kernel, scratch, candidate_of, row);
            }
        }
    }
}

std::int64_t IvfSearch::begin_rank(Scratch&) {
    index_.reset();
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
