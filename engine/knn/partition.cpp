#include "knn/partition.hpp"

#include "knn/exhaustive.hpp"
#include "knn/stage.hpp"
#include "plan/cost.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace grouplink::knn {
namespace {

constexpr auto tile = static_cast<std::size_t>(largest_block);
constexpr auto leaf_rows = static_cast<std::size_t>(most_leaf_rows);
/// Cells below the first level that a row goes to, by depth; one from there on.
constexpr std::size_t second_fanout = 2;
/// Rows of a leaf whose scores, all of them, stay in a core's cache.
constexpr std::size_t most_at_once = 1024;
constexpr std::size_t deepest = 20;
/// Neighbors of a row that a refinement follows at most.
constexpr std::size_t most_followed = 16;
/// Refinements that a group may take, most of them after another pass.
constexpr int most_rounds = 24;
constexpr std::int64_t lock_count = 4096;
constexpr std::size_t rows_again = 64;

/// So many leaders, within the limit, and no fewer than a row goes to.
std::size_t leaders_for(std::size_t wanted, std::size_t fanout) {
    return std::clamp(wanted, fanout, static_cast<std::size_t>(most_leaders));
}

/// The places of the `fanout` best of scores[0, n) less `offsets`, best first, ties by place.
void best_places(const float* scores, const float* offsets, std::size_t n, std::size_t fanout,
                 std::uint32_t* places) {
    float best[PartitionOptions::most_fanout];
    std::size_t held = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const float score = scores[i] - offsets[i];
        if (held == fanout && !(score > best[held - 1])) continue;
        std::size_t place = held < fanout ? held++ : held - 1;
        for (; place > 0 && best[place - 1] < score; --place) {
            best[place] = best[place - 1];
            places[place] = places[place - 1];
        }
        best[place] = score;
        places[place] = static_cast<std::uint32_t>(i);
    }
}

}  // namespace

PartitionSearch::PartitionSearch(GroupJob job, std::span<Scratch> scratch, const GroupPlan& plan)
    : job_(job),
      scratch_(scratch),
      options_(plan.partition),
      fanout_is_free_(plan.fanout_is_free),
      recall_target_(plan.recall_target),
      exhaustive_cost_(rounds_a_flat_search({plan.rows, plan.dim, static_cast<std::int64_t>(job.k)},
                                            plan.partition.fanout)),
      all_pairs_(job, scratch),
      rows_(all_pairs_.rows()),
      ranker_(all_pairs_.ranker()),
      index_(all_pairs_.index()),
      calibration_(job_, rows_, ranker_) {}

std::vector<parallel::Stage> PartitionSearch::stages() {
    using Search = PartitionSearch;
    std::vector<parallel::Stage> stages{
        make_stage(*this, scratch_, &Search::begin_measure, &Search::measure, 0.02),
        make_stage(*this, scratch_, &Search::begin_gather, &Search::gather, 0.03),
        make_stage(*this, scratch_, &Search::begin_sample, &Search::search_sample, 0.03)};
    if (effort_is_free()) {
        stages.push_back(make_stage(*this, scratch_, &Search::begin_foresee, &Search::foresee, 0.0));
        // Most groups take the first round and no more.
        for (int round = 0; round < most_rounds; ++round) {
            const double share = round == 0 ? 1.0 : 0.0;
            if (round != 1) add_pass(stages, share);
            add_refinement(stages, share);
        }
    } else {
        for (std::int64_t pass = 0; pass < options_.passes; ++pass) {
            add_pass(stages, 1.0 / static_cast<double>(options_.passes));
        }
        for (std::int64_t round = 0; round < options_.refinements; ++round) {
            add_refinement(stages, 1.0 / static_cast<double>(options_.refinements));
        }
    }
    stages.push_back(make_stage(*this, scratch_, &Search::begin_exhaust, &Search::rank, 0.0));
    for (parallel::Stage& stage : all_pairs_.stages_if(exhaustive_)) stages.push_back(std::move(stage));
    stages.push_back(make_stage(*this, scratch_, &Search::begin_rank, &Search::rank, 0.09));
    stages.push_back(make_stage(*this, scratch_, &Search::begin_complete, &Search::complete, 0.0));
    return stages;
}

void PartitionSearch::add_pass(std::vector<parallel::Stage>& stages, double share) {
    using Search = PartitionSearch;
    stages.push_back(make_stage(*this, scratch_, &Search::begin_assign, &Search::assign, 0.1 * share));
    stages.push_back(make_stage(*this, scratch_, &Search::begin_cells, &Search::search_cell, 0.43 * share));
}

void PartitionSearch::add_refinement(std::vector<parallel::Stage>& stages, double share) {
    using Search = PartitionSearch;
    stages.push_back(make_stage(*this, scratch_, &Search::begin_freeze, &Search::freeze, 0.01 * share));
    if (effort_is_free()) {
        stages.push_back(make_stage(*this, scratch_, &Search::begin_trial, &Search::try_sample, 0.0));
    }
    stages.push_back(make_stage(*this, scratch_, &Search::begin_refine, &Search::refine, 0.29 * share));
}

std::int64_t PartitionSearch::begin_measure(Scratch&) { return rows_.begin_measure(); }

void PartitionSearch::measure(std::int64_t block, Scratch&) { rows_.measure(block); }

std::int64_t PartitionSearch::begin_gather(Scratch& scratch) {
    rows_.finish(scratch);
    rows_.count_duplicates(scratch);
    all_pairs_.make_index();
    scorer_ = PairScorer(index_, job_.dim, job_.scorer.kernel());
    lists_ = CandidateLists(rows_.size(), approximate_keep(job_.k, rows_.size()), job_.scorer.kernel());
    locks_ = std::make_unique<parallel::BlockLocks>(lock_count);
    return rows_.blocks();
}

void PartitionSearch::gather(std::int64_t block, Scratch& scratch) {
    gather_block(rows_, block, index_, scratch);
}

std::int64_t PartitionSearch::begin_sample(Scratch&) { return calibration_.begin(); }

void PartitionSearch::search_sample(std::int64_t unit, Scratch& scratch) {
    const auto offer = [&](std::span<const std::uint32_t> selected, CandidateLists& lists) {
        offer_index(selected, rows_, index_, lists, job_.scorer.kernel(), scratch);
    };
    calibration_.search(unit, offer, scratch);
}

std::int64_t PartitionSearch::lock_of(std::uint32_t row) {
    return static_cast<std::int64_t>(row) % lock_count;
}

void PartitionSearch::nearest_leaders(const PairScorer::Rows& rows, std::size_t count, const Leaders& leaders,
                                      std::size_t fanout, std::uint32_t* nearest, Scratch& scratch) const {
    scorer_.tile(rows, count, scorer_.rows_from(leaders, 0), leaders.size(), false, scratch);
    for (std::size_t i = 0; i < count; ++i) {
        best_places(scratch.scores.data() + i * leaders.size(), leaders.offsets.data(), leaders.size(),
                    fanout, nearest + i * fanout);
    }
}

/// The sample and its neighbors go to cells first: how many of them share one tells what a pass will find.
std::int64_t PartitionSearch::begin_foresee(Scratch&) {
    draw_leaders();
    for (std::size_t s = 0; s < calibration_.rows().size(); ++s) {
        const auto neighbors = calibration_.neighbors(s);
        foreseen_.push_back(calibration_.rows()[s]);
        foreseen_.insert(foreseen_.end(), neighbors.begin(), neighbors.end());
    }
    std::sort(foreseen_.begin(), foreseen_.end());
    foreseen_.erase(std::unique(foreseen_.begin(), foreseen_.end()), foreseen_.end());
    return static_cast<std::int64_t>((foreseen_.size() + tile - 1) / tile);
}

void PartitionSearch::foresee(std::int64_t unit, Scratch& scratch) {
    const std::size_t first = static_cast<std::size_t>(unit) * tile;
    const auto rows =
        std::span<const std::uint32_t>(foreseen_).subspan(first, std::min(tile, foreseen_.size() - first));
    const PairScorer::Copies copies = scorer_.copy(rows);
    std::vector<std::uint32_t> nearest(rows.size() * fanout_);
    nearest_leaders(scorer_.rows_from(copies, 0), rows.size(), leaders_, fanout_, nearest.data(), scratch);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(nearest.data() + i * fanout_, fanout_, cells_.data() + rows[i] * fanout_);
    }
}

void PartitionSearch::draw_leaders() {
    const auto fanout = static_cast<std::size_t>(options_.fanout);
    const std::size_t wanted = leaders_for(rows_.size() / static_cast<std::size_t>(rows_a_leader), fanout);
    leaders_ = scorer_.copy(draw_rows(all_rows(rows_.size()), wanted, mix(job_.seed + pass_++)));
    fanout_ = std::min(fanout, leaders_.size());
    cells_.resize(rows_.size() * fanout_);
}

std::int64_t PartitionSearch::begin_assign(Scratch&) {
    if (reached_) return 0;
    if (foreseen_.empty()) {
        draw_leaders();
    } else {
        foreseen_ = {};
        choose_fanout();
    }
    if (reached_) return 0;
    return rows_.blocks();
}

void PartitionSearch::assign(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    nearest_leaders(scorer_.rows_from(first), rows_.block_size(block), leaders_, fanout_,
                    cells_.data() + first * fanout_, scratch);
}

std::int64_t PartitionSearch::begin_cells(Scratch&) {
    if (reached_) return 0;
    // Rows of a cell know the same rows: one after another, they find them in the cache.
    order_ = order_by_key(cells_.data(), fanout_, rows_.size(), leaders_.size());
    cell_first_.assign(leaders_.size() + 1, 0);
    for (const std::uint32_t cell : cells_) ++cell_first_[cell + 1];
    std::partial_sum(cell_first_.begin(), cell_first_.end(), cell_first_.begin());
    cell_members_.resize(cells_.size());
    std::vector<std::size_t> next(cell_first_.begin(), cell_first_.end() - 1);
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        cell_members_[next[cells_[i]]++] = static_cast<std::uint32_t>(i / fanout_);
    }
    return static_cast<std::int64_t>(leaders_.size());
}

void PartitionSearch::search_cell(std::int64_t cell, Scratch& scratch) {
    const auto c = static_cast<std::size_t>(cell);
    const auto members =
        std::span(cell_members_).subspan(cell_first_[c], cell_first_[c + 1] - cell_first_[c]);
    split({members.begin(), members.end()}, 1, mix(job_.seed + pass_) ^ c, scratch);
}

void PartitionSearch::split(std::vector<std::uint32_t> rows, std::size_t depth, std::uint64_t salt,
                            Scratch& scratch) {
    if (rows.size() <= leaf_rows) {
        join(rows, scratch);
        return;
    }
    const std::size_t fanout = depth == 1 ? second_fanout : 1;
    // Leaves about two thirds full on average: few are cut once more.
    const std::size_t parts = leaders_for(rows.size() * fanout * 3 / (leaf_rows * 2), fanout);
    const Leaders leaders = scorer_.copy(draw_rows(rows, parts, mix(salt)));
    std::vector<std::vector<std::uint32_t>> children(leaders.size());
    std::vector<std::uint32_t> nearest(tile * fanout);
    for (std::size_t first = 0; first < rows.size(); first += tile) {
        const auto part =
            std::span<const std::uint32_t>(rows).subspan(first, std::min(tile, rows.size() - first));
        const PairScorer::Copies copies = scorer_.copy(part);
        nearest_leaders(scorer_.rows_from(copies, 0), part.size(), leaders, fanout, nearest.data(), scratch);
        for (std::size_t i = 0; i < part.size() * fanout; ++i)
            children[nearest[i]].push_back(part[i / fanout]);
    }
    for (std::size_t c = 0; c < children.size(); ++c) {
        std::vector<std::uint32_t> child = std::move(children[c]);
        if (child.size() == rows.size() || depth == deepest) {
            // Rows that no leader tells apart are cut in their order.
            for (std::size_t first = 0; first < child.size(); first += leaf_rows) {
                join(std::span<const std::uint32_t>(child).subspan(first,
                                                                   std::min(leaf_rows, child.size() - first)),
                     scratch);
            }
        } else if (child.size() > 1) {
            split(std::move(child), depth + 1, mix(salt) + c, scratch);
        }
    }
}

void PartitionSearch::join(std::span<const std::uint32_t> rows, Scratch& scratch) {
    const PairScorer::Copies copies = scorer_.copy(rows);
    if (rows.size() <= most_at_once) {
        join_at_once(rows, copies, scratch);
    } else {
        join_tiles(rows, copies, scratch);
    }
}

/// Scores all pairs of a leaf whose scores stay in the cache, and offers each row the best of its own.
void PartitionSearch::join_at_once(std::span<const std::uint32_t> rows, const PairScorer::Copies& copies,
                                   Scratch& scratch) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const kernels::Table& kernel = job_.scorer.kernel();
    const std::size_t n = rows.size();
    if (n < 2) return;
    const std::size_t list_keeps = approximate_keep(job_.k, rows_.size());
    const std::size_t keep = std::min(list_keeps, n - 1);
    const float* offsets = copies.offsets.data();
    const PairScorer::Rows all = scorer_.rows_from(copies, 0);
    scorer_.tile(all, n, all, n, true, scratch);
    kernel.mirror(scratch.scores.data(), n);
    make_room(scratch.columns, n + 16);
    make_room(scratch.found, n);
    make_room(scratch.pairs, 2 * (n + 32));
    make_room(scratch.unreachable, n, infinity);
    for (std::size_t i = 0; i < n; ++i) {
        float* scores = scratch.scores.data() + i * n;
        scores[i] = -infinity;  // out of reach
        const auto guard = locks_->hold(lock_of(rows[i]), lock_of(rows[i]));
        const float threshold = lists_.threshold(rows[i]);
        std::size_t hits = n;
        if (threshold > -infinity) {
            hits = kernel.collect(scores, offsets[i], offsets, threshold, scratch.unreachable.data(), n,
                                  scratch.columns.data(), scratch.found.data());
        }
        const bool all_better = hits <= keep;
        if (!all_better) {
            hits = kernel.find_largest(scores, offsets[i], offsets, n, keep, 0.0F, scratch.pairs.data(),
                                       scratch.columns.data());
        }
        float least = infinity;
        for (std::size_t h = 0; h < hits; ++h) {
            const std::uint32_t j = scratch.columns[h];
            const float score = scores[j] - offsets[i] - offsets[j];
            least = std::min(least, score);
            lists_.push_new(rows[i], score, rows[j]);
        }
        // As many as a list keeps are no worse.
        if (!all_better && hits >= list_keeps) lists_.raise_threshold(rows[i], least);
    }
}

/// Scores all pairs of a leaf, tile by tile. What it finds is gathered in lists of its own, which take
/// nothing that a row's list would turn away, and only then offered to the rows.
void PartitionSearch::join_tiles(std::span<const std::uint32_t> rows, const PairScorer::Copies& copies,
                                 Scratch& scratch) {
    const kernels::Table& kernel = job_.scorer.kernel();
    CandidateLists found(rows.size(), approximate_keep(job_.k, rows_.size()), kernel);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto guard = locks_->hold(lock_of(rows[i]), lock_of(rows[i]));
        found.raise_threshold(i, lists_.threshold(rows[i]));
    }
    for (std::size_t a = 0; a < rows.size(); a += tile) {
        const std::size_t na = std::min(tile, rows.size() - a);
        for (std::size_t b = a; b < rows.size(); b += tile) {
            const std::size_t nb = std::min(tile, rows.size() - b);
            scorer_.tile(scorer_.rows_from(copies, a), na, scorer_.rows_from(copies, b), nb, a == b, scratch);
            for (std::size_t i = 0; i < na; ++i) {
                const std::size_t skip = a == b ? i + 1 : 0;
                offer_pairs(found, a + i, b + skip, nb - skip, scratch.scores.data() + i * nb + skip,
                            copies.offsets.data(), kernel, scratch);
            }
        }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto best = found.kept(i);
        const auto guard = locks_->hold(lock_of(rows[i]), lock_of(rows[i]));
        for (const Key key : best) lists_.push_new(rows[i], -key_value(key), rows[key_row(key)]);
    }
}

std::int64_t PartitionSearch::begin_freeze(Scratch&) {
    if (reached_) return 0;
    graph_ = NeighborGraph(rows_.size(), std::min(job_.k, most_followed));
    return rows_.blocks();
}

void PartitionSearch::freeze(std::int64_t block, Scratch&) {
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) graph_.set(i, lists_.ranked(i));
}

std::int64_t PartitionSearch::begin_trial(Scratch&) {
    if (reached_) return 0;
    graph_.invert();
    tried_.assign(most_steps() + 1, std::vector<std::int64_t>(calibration_.rows().size()));
    return calibration_.units();
}

void PartitionSearch::meet(Acquaintances& acquaintances, std::size_t step, std::uint32_t row,
                           CandidateLists& lists, std::size_t i, Scratch& scratch) const {
    const auto met = acquaintances.follow(step);
    make_room(scratch.found, met.size());
    scorer_.score(row, met, scratch.found.data());
    for (std::size_t m = 0; m < met.size(); ++m) lists.push_new(i, scratch.found[m], met[m]);
}

/// Refines each row of the sample as refine() would, in a list of its own.
void PartitionSearch::try_sample(std::int64_t unit, Scratch& scratch) {
    const auto [first, last] = calibration_.range_of(unit);
    Acquaintances acquaintances(graph_);
    for (std::size_t s = first; s < last; ++s) {
        const std::uint32_t row = calibration_.rows()[s];
        CandidateLists list(1, approximate_keep(job_.k, rows_.size()), job_.scorer.kernel());
        for (const Key key : lists_.ranked(row)) list.push(0, -key_value(key), key_row(key));
        tried_[0][s] = calibration_.count_found(s, list.ranked(0));
        acquaintances.start(row);
        for (std::size_t step = 0; step < most_steps(); ++step) {
            meet(acquaintances, step, row, list, 0, scratch);
            tried_[step + 1][s] = calibration_.count_found(s, list.ranked(0));
        }
    }
}

std::int64_t PartitionSearch::begin_refine(Scratch&) {
    if (reached_) return 0;
    if (effort_is_free()) {
        choose_steps();
    } else {
        graph_.invert();
        steps_ = most_steps();
    }
    if (exhaustive_ || steps_ == 0) return 0;
    ++refinement_;
    return rows_.blocks();
}

/// From what the sample tried: the fewest steps that reach the recall target or, when none do, all of them,
/// unless scoring all pairs is likely to be cheaper than what more would then be needed.
void PartitionSearch::choose_steps() {
    for (steps_ = 0; steps_ <= most_steps(); ++steps_) {
        if (calibration_.estimate(tried_[steps_]).low < recall_target_) continue;
        reached_ = true;
        return;
    }
    steps_ = most_steps();
    const double missed = 1.0 - calibration_.estimate(tried_[steps_]).recall;
    if (rounds_left(missed, missed / missed_) >= exhaustive_cost_) reached_ = exhaustive_ = true;
    missed_ = missed;
}

double PartitionSearch::rounds_left(double missed, double left) const {
    // Each round leaves about the same share of what the one before it left.
    const double allowed = std::max(1.0 - recall_target_, 1e-4);
    if (missed <= allowed) return 0.0;
    return left < 1.0 ? std::log(allowed / missed) / std::log(left) : exhaustive_cost_;
}

/// From the cells of the sample and its neighbors, before anything is joined: what shares a cell will be
/// found. Where even all of them are so few that more rounds would follow than all pairs take, all pairs are
/// scored at once; else, unless it was asked for, the fanout comes down to what leaves little more than the
/// target allows, for the refinement to find.
void PartitionSearch::choose_fanout() {
    constexpr double left_to_refine = 1.6;  // a refinement leaves between a tenth and two thirds
    const auto rows = calibration_.rows();
    std::vector<std::vector<std::int64_t>> found(fanout_, std::vector<std::int64_t>(rows.size()));
    for (std::size_t s = 0; s < rows.size(); ++s) {
        const std::uint32_t* own = cells_.data() + rows[s] * fanout_;
        for (std::size_t t = 0; t < fanout_; ++t) {
            found[t][s] = calibration_.count_found(s, [&](std::uint32_t other) {
                const std::uint32_t* cells = cells_.data() + other * fanout_;
                return std::find_first_of(own, own + t + 1, cells, cells + t + 1) != own + t + 1;
            });
        }
    }
    const double missed = 1.0 - calibration_.estimate(found.back()).recall;
    if (1.0 + rounds_left(missed, missed) >= exhaustive_cost_) {
        reached_ = exhaustive_ = true;
        return;
    }
    if (!fanout_is_free_) return;
    for (std::size_t fanout = 1; fanout < fanout_; ++fanout) {
        const double left = 1.0 - calibration_.estimate(found[fanout - 1]).recall;
        if (left > left_to_refine * (1.0 - recall_target_)) continue;
        fanout_ = fanout;
        cells_.resize(rows_.size() * fanout_);
        options_.fanout = static_cast<std::int64_t>(fanout);
        return;
    }
}

void PartitionSearch::refine(std::int64_t block, Scratch& scratch) {
    Acquaintances acquaintances(graph_);
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        acquaintances.start(order_[i]);
        for (std::size_t step = 0; step < steps_; ++step) {
            meet(acquaintances, step, order_[i], lists_, order_[i], scratch);
        }
    }
}

std::int64_t PartitionSearch::begin_exhaust(Scratch&) {
    cells_ = {};
    cell_members_ = {};
    graph_ = {};
    if (effort_is_free() && !reached_) exhaustive_ = true;
    if (exhaustive_) lists_ = {};
    return 0;
}

std::int64_t PartitionSearch::begin_rank(Scratch&) {
    locks_.reset();
    const std::span<const std::uint32_t> sample = calibration_.rows();
    std::vector<std::int64_t> found(sample.size(), static_cast<std::int64_t>(job_.k));
    if (!exhaustive_) {
        for (std::size_t s = 0; s < sample.size(); ++s) {
            found[s] = calibration_.count_found(s, lists_.ranked(sample[s]));
        }
    }
    options_.passes = static_cast<std::int64_t>(pass_);
    options_.refinements = refinement_;
    *job_.report = {.recall = calibration_.estimate(found), .partition = options_, .exhaustive = exhaustive_};
    if (exhaustive_) return 0;
    short_.resize(static_cast<std::size_t>(rows_.blocks()));
    return rows_.blocks();
}

void PartitionSearch::rank(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        const std::uint32_t row = order_[i];
        if (!ranker_.rank(row, lists_.ranked(row), scratch))
            short_[static_cast<std::size_t>(block)].push_back(row);
    }
}

std::int64_t PartitionSearch::begin_complete(Scratch&) {
    lists_ = {};
    for (const auto& block : short_) again_.insert(again_.end(), block.begin(), block.end());
    return static_cast<std::int64_t>((again_.size() + rows_again - 1) / rows_again);
}

void PartitionSearch::complete(std::int64_t batch, Scratch& scratch) {
    const std::size_t first = static_cast<std::size_t>(batch) * rows_again;
    const auto rows =
        std::span<const std::uint32_t>(again_).subspan(first, std::min(rows_again, again_.size() - first));
    scratch.counters.researched_rows += static_cast<std::int64_t>(rows.size());
    search_all(rows, job_, rows_, index_, ranker_, scratch);
}

}  // namespace grouplink::knn
