#include "knn/flat.hpp"

#include "knn/exhaustive.hpp"
#include "knn/stage.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace grouplink::knn {
namespace {

/// Candidates kept beyond those wanted, so that the worst neighbor has a margin to what is let go. The
/// margin it needs grows with the dimension, as the error of a score does.
std::size_t spare_candidates(std::size_t dim) { return std::clamp<std::size_t>(dim / 96, 4, 8); }

/// Uncertain rows that are searched again together: a bit of a word each, and fewer in a large group, so
/// that a stop is heard soon. A pair of codes mostly takes a tenth of the time.
constexpr std::size_t most_again = 64;
constexpr std::size_t pairs_again = std::size_t{1} << 22;
constexpr std::size_t coded_pairs_again = std::size_t{1} << 25;

/// Candidates that are asked for before they are scored.
constexpr std::size_t candidates_ahead = 4;

}  // namespace

FlatSearch::FlatSearch(GroupJob job, std::span<Scratch> scratch)
    : job_(job), scratch_(scratch), rows_(job_), ranker_(job_, rows_) {}

std::vector<parallel::Stage> FlatSearch::stages() {
    return {make_stage(*this, scratch_, &FlatSearch::begin_measure, &FlatSearch::measure, 0.02),
            make_stage(*this, scratch_, &FlatSearch::begin_order, &FlatSearch::order, 0.04),
            make_stage(*this, scratch_, &FlatSearch::begin_gather, &FlatSearch::gather, 0.03),
            make_stage(*this, scratch_, &FlatSearch::begin_join, &FlatSearch::join, 0.76),
            make_stage(*this, scratch_, &FlatSearch::begin_rank, &FlatSearch::rank, 0.10),
            make_stage(*this, scratch_, &FlatSearch::begin_regather, &FlatSearch::gather, 0.0),
            make_stage(*this, scratch_, &FlatSearch::begin_research, &FlatSearch::research, 0.05)};
}

std::vector<parallel::Stage> FlatSearch::stages_if(const bool& wanted) {
    std::vector<parallel::Stage> all = stages();
    all.erase(all.begin());  // the other has measured
    for (parallel::Stage& stage : all) {
        stage.begin = [&wanted, begin = std::move(stage.begin)](int worker) {
            return wanted ? begin(worker) : std::int64_t{0};
        };
        stage.share = 0.0;
    }
    return all;
}

std::int64_t FlatSearch::begin_measure(Scratch&) { return rows_.begin_measure(); }

void FlatSearch::measure(std::int64_t block, Scratch&) { rows_.measure(block); }

std::int64_t FlatSearch::begin_order(Scratch& scratch) {
    if (rows_.size() == 0) {
        rows_.finish(scratch);
        rows_.count_duplicates(scratch);
    }
    if (index_.in_use()) return 0;
    order_ = LeaderOrder(job_, rows_, scratch);
    return order_.wanted() ? rows_.blocks() : 0;
}

void FlatSearch::order(std::int64_t block, Scratch& scratch) { order_.assign(block, scratch); }

std::int64_t FlatSearch::begin_gather(Scratch&) {
    const bool gathered = index_.in_use();
    if (order_.wanted()) {
        std::vector<std::uint32_t> order = order_.find();
        rows_.put_wanted_first(order);
        rows_.reorder(order);
    }
    order_ = {};
    if (!gathered) make_index();
    join_ = SelfJoin(job_, rows_, index_, job_.k + spare_candidates(job_.dim));
    return gathered ? 0 : rows_.blocks();
}

void FlatSearch::make_index() {
    const bool codes = wants_codes(job_.scorer.metric(), static_cast<std::int64_t>(rows_.size()),
                                   static_cast<std::int64_t>(job_.dim), static_cast<std::int64_t>(job_.k));
    index_ =
        FlatIndex(rows_.size(), job_.dim, job_.scorer.metric(), rows_.frame(), job_.scorer.kernel(), codes);
}

void FlatSearch::gather(std::int64_t block, Scratch& scratch) { gather_block(rows_, block, index_, scratch); }

std::int64_t FlatSearch::begin_join(Scratch&) { return join_.begin(); }

void FlatSearch::join(std::int64_t pair, Scratch& scratch) { join_.run(pair, scratch); }

std::int64_t FlatSearch::begin_rank(Scratch&) {
    lists_ = join_.finish();
    if (memory_is_short()) index_.forget_rows();
    uncertain_.resize(static_cast<std::size_t>(rows_.blocks()));
    return rows_.blocks();
}

void FlatSearch::rank(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    const std::size_t last = first + rows_.block_size(block);
    std::span<const Key> candidates;
    std::span<const Key> next = lists_.ranked(first);
    for (std::size_t i = first; i < last; ++i) {
        const auto row = static_cast<std::uint32_t>(i);
        // Rows lie anywhere in memory: the first that the next row needs are asked for before this one's are
        // scored.
        candidates = next;
        if (i + 1 < last) {
            next = lists_.ranked(i + 1);
            ranker_.prefetch(row + 1);
            for (const Key key : next.first(std::min(candidates_ahead, next.size())))
                ranker_.prefetch(key_row(key));
        }
        if (!rows_.wanted(i)) continue;
        float limit = std::numeric_limits<float>::max();
        if (rank_row(row, candidates, limit, scratch)) {
            ranker_.write(row, scratch);
        } else {
            uncertain_[static_cast<std::size_t>(block)].push_back({row, limit});
        }
    }
}

/// Scores the row's candidates; scratch.keys then holds what neighbors it has, by distance. Returns
/// whether these are certain; if not, `limit` is a distance within which the neighbors are.
bool FlatSearch::rank_row(std::uint32_t row, std::span<const Key> candidates, float& limit,
                          Scratch& scratch) {
    const auto out_of_reach = [&](float score) {
        // Distances past the largest float all count as that one, and go by row.
        constexpr auto largest = static_cast<double>(std::numeric_limits<float>::max());
        const double least = index_.least_distance(static_cast<double>(score));
        return static_cast<float>(std::min(least, largest)) > limit;
    };
    ranker_.start(row, scratch);
    std::size_t found = ranker_.neighbors_from(row, row);
    float farthest =
        scratch.keys.empty() ? -std::numeric_limits<float>::max() : key_value(scratch.keys.front());
    if (found >= job_.k) limit = farthest;
    // So many are needed in any case, each standing for a neighbor at least; then one after another.
    std::size_t scored = 0;
    for (std::size_t next = job_.k - std::min(job_.k, found); scored < candidates.size(); next = 1) {
        if (found >= job_.k && !index_.exact() && out_of_reach(-key_value(candidates[scored]))) break;
        const auto some = candidates.subspan(scored, std::min(next, candidates.size() - scored));
        farthest = std::max(farthest, ranker_.score(some, scratch));
        for (const Key key : some) found += ranker_.neighbors_from(row, key_row(key));
        if (found >= job_.k) limit = std::min(limit, farthest);
        scored += some.size();
    }
    sort_nearly_sorted(scratch.keys);
    const float let_go = lists_.threshold(row);
    if (index_.exact() || let_go == -std::numeric_limits<float>::infinity()) return true;
    limit = std::min(limit, ranker_.worst_neighbor(row, scratch));
    return out_of_reach(let_go);
}

std::int64_t FlatSearch::begin_regather(Scratch&) {
    lists_ = {};
    for (const auto& block : uncertain_) again_.insert(again_.end(), block.begin(), block.end());
    uncertain_ = {};
    if (again_.empty() || !memory_is_short()) return 0;
    make_index();
    return rows_.blocks();
}

std::int64_t FlatSearch::begin_research(Scratch&) {
    if (!again_.empty()) {
        class_of_.resize(job_.rows.size());
        for (std::uint32_t c = 0; c < rows_.size(); ++c) class_of_[lowest_member(c)] = c;
    }
    const std::size_t pairs = index_.codes().in_use() ? coded_pairs_again : pairs_again;
    again_at_once_ = std::clamp<std::size_t>(pairs / std::max<std::size_t>(1, rows_.size()), 1, most_again);
    return static_cast<std::int64_t>((again_.size() + again_at_once_ - 1) / again_at_once_);
}

void FlatSearch::research(std::int64_t batch, Scratch& scratch) {
    const RowScorer& scorer = rows_.scorer();
    const std::size_t first = static_cast<std::size_t>(batch) * again_at_once_;
    const auto rows = std::span(again_).subspan(first, std::min(again_at_once_, again_.size() - first));
    scratch.counters.researched_rows += static_cast<std::int64_t>(rows.size());

    // By distance and lowest member, of more than k + 1 classes, perhaps the row's own among them, the rest
    // never matters: each of these has a member that goes before.
    const std::size_t keep = job_.k + 1;
    CandidateLists nearest(rows.size(), keep, scorer.kernel(), rows_.size());
    const std::size_t stride = RowScorer::loaded_size(job_.dim);
    make_room(scratch.x, stride);
    make_room(scratch.y, rows.size() * stride);
    std::vector<std::uint32_t> selected;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::uint32_t row = rows[i].row;
        double* loaded = scratch.y.data() + i * stride;
        scorer.load(rows_.stored(row), loaded);
        if (ranker_.neighbors_from(row, row) > 0)
            nearest.push(i, -scorer.distance(loaded, loaded, job_.dim), lowest_member(row));
        selected.push_back(row);
    }

    const FlatIndex::Selection selection = index_.select(selected);
    std::vector<float> thresholds(rows.size());
    std::vector<std::uint64_t> wanted;  // for each row of a block, a bit for each of `rows` it may be near
    for (std::int64_t block = 0; block < rows_.blocks(); ++block) {
        const std::size_t b = rows_.block_first(block);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            thresholds[i] = least_score(std::min(rows[i].limit, -nearest.threshold(i)));
        }
        wanted.assign(rows_.block_size(block), 0);
        mark_within(thresholds.data(), selected, selection, b, wanted, scratch);
        score_wanted(wanted, b, nearest, scratch);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        scratch.keys.clear();
        for (const Key key : nearest.ranked(i)) {
            scratch.keys.push_back(make_key(key_value(key), class_of_[key_row(key)]));
        }
        ranker_.write(selected[i], scratch);
    }
}

/// The least score of rows that may be no farther from one another than `distance`.
float FlatSearch::least_score(float distance) const {
    // A distance that rounds to it may be a little beyond it.
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const double least = index_.score_at(static_cast<double>(std::nextafter(distance, infinity)));
    return std::nextafter(static_cast<float>(least), -infinity);
}

/// wanted[j] = a bit for each of the selected `rows` whose score with the j-th row of the block at `b` is not
/// below its threshold.
void FlatSearch::mark_within(const float* thresholds, std::span<const std::uint32_t> rows,
                             const FlatIndex::Selection& selection, std::size_t b,
                             std::span<std::uint64_t> wanted, Scratch& scratch) const {
    const kernels::Table& kernel = job_.scorer.kernel();
    const std::size_t n = wanted.size();
    const auto mark = [&](std::size_t i, std::size_t row, float) {
        if (row != rows[i]) wanted[row - b] |= std::uint64_t{1} << i;
    };
    if (for_each_close(index_, selection, b, n, thresholds, kernel, scratch, mark)) return;
    index_.score_rows(selection, b, n, scratch);
    make_room(scratch.columns, n);
    make_room(scratch.found, n);
    make_room(scratch.unreachable, n, std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::size_t hits = kernel.collect(
            scratch.scores.data() + i * n, selection.offsets[i], index_.offsets() + b, thresholds[i],
            scratch.unreachable.data(), n, scratch.columns.data(), scratch.found.data());
        for (std::size_t h = 0; h < hits; ++h) mark(i, b + scratch.columns[h], scratch.found[h]);
    }
}

/// Loads each row of the block at `b` once, for all the rows in scratch.y that want it.
void FlatSearch::score_wanted(std::span<const std::uint64_t> wanted, std::size_t b, CandidateLists& nearest,
                              Scratch& scratch) const {
    constexpr std::size_t ahead = 3;  // rows lie anywhere in memory: ask for them in time
    const std::size_t stride = RowScorer::loaded_size(job_.dim);
    float distances[most_again];
    for (std::size_t j = 0; j < wanted.size(); ++j) {
        if (j + ahead < wanted.size() && wanted[j + ahead] != 0)
            ranker_.prefetch(static_cast<std::uint32_t>(b + j + ahead));
        if (wanted[j] == 0) continue;
        const auto candidate = static_cast<std::uint32_t>(b + j);
        const std::uint32_t member = lowest_member(candidate);
        rows_.scorer().load(rows_.stored(candidate), scratch.x.data());
        scratch.counters.scored_pairs += std::popcount(wanted[j]);
        for (std::size_t i = 0; i < most_again && wanted[j] >> i != 0;) {
            i += static_cast<std::size_t>(std::countr_zero(wanted[j] >> i));
            const auto run = static_cast<std::size_t>(std::countr_one(wanted[j] >> i));
            job_.scorer.distances(scratch.x.data(), scratch.y.data() + i * stride, run, job_.dim, distances);
            for (std::size_t r = 0; r < run; ++r) {
                if (-distances[r] >= nearest.threshold(i + r)) nearest.push(i + r, -distances[r], member);
            }
            i += run;
        }
    }
}

}  // namespace grouplink::knn
