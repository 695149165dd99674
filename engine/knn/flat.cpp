#include "knn/flat.hpp"

#include "knn/exhaustive.hpp"

#include "knn/stage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace grouplink::knn {
namespace {

/// Candidates kept beyond those wanted, so that the worst neighbor has a margin to what is let go.
constexpr std::size_t spare_candidates = 8;
/// Uncertain rows that are searched again together.
constexpr std::size_t rows_again = 64;

}  // namespace

FlatSearch::FlatSearch(GroupJob job, std::span<Scratch> scratch)
    : job_(job), scratch_(scratch), rows_(job_), ranker_(job_, rows_.unique()) {}

std::vector<parallel::Stage> FlatSearch::stages() {
    return {make_stage(*this, scratch_, &FlatSearch::begin_measure, &FlatSearch::measure, 0.02),
            make_stage(*this, scratch_, &FlatSearch::begin_gather, &FlatSearch::gather, 0.03),
            make_stage(*this, scratch_, &FlatSearch::begin_join, &FlatSearch::join, 0.85),
            make_stage(*this, scratch_, &FlatSearch::begin_rank, &FlatSearch::rank, 0.10),
            make_stage(*this, scratch_, &FlatSearch::begin_research, &FlatSearch::research, 0.0)};
}

std::int64_t FlatSearch::begin_measure(Scratch&) { return rows_.begin_measure(); }

void FlatSearch::measure(std::int64_t block, Scratch& scratch) { rows_.measure(block, scratch); }

std::int64_t FlatSearch::begin_gather(Scratch& scratch) {
    rows_.finish(scratch);
    index_ = FlatIndex(rows_.size(), job_.dim, job_.scorer.metric(), rows_.frame());
    return rows_.blocks();
}

void FlatSearch::gather(std::int64_t block, Scratch& scratch) { gather_block(rows_, block, index_, scratch); }

std::int64_t FlatSearch::begin_join(Scratch&) {
    index_.finish();
    locks_ = std::make_unique<parallel::BlockLocks>(rows_.blocks());
    const std::size_t others = std::max<std::size_t>(1, rows_.size() - 1);
    lists_ = CandidateLists(rows_.size(), std::min(job_.k + spare_candidates, others), job_.scorer.kernel());
    return parallel::BlockPairs(rows_.blocks()).count();
}

void FlatSearch::join(std::int64_t pair, Scratch& scratch) {
    join_blocks(pair, rows_, index_, lists_, *locks_, job_.scorer.kernel(), scratch);
}

std::int64_t FlatSearch::begin_rank(Scratch&) {
    locks_.reset();
    uncertain_.resize(static_cast<std::size_t>(rows_.blocks()));
    return rows_.blocks();
}

void FlatSearch::rank(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        const auto row = static_cast<std::uint32_t>(i);
        float limit = std::numeric_limits<float>::max();
        if (rank_row(row, limit, scratch)) {
            ranker_.write(row, scratch);
        } else {
            uncertain_[static_cast<std::size_t>(block)].push_back({row, limit});
        }
    }
}

/// Scores the row's candidates; scratch.keys then holds what neighbors it has, by distance. Returns
/// whether these are certain; if not, `limit` is a distance within which the neighbors are.
bool FlatSearch::rank_row(std::uint32_t row, float& limit, Scratch& scratch) {
    const auto candidates = lists_.ranked(row);
    const double error = index_.error(row);
    const auto out_of_reach = [&](float score) {
        // Distances past the largest float all count as that one, and go by row.
        constexpr double largest = std::numeric_limits<float>::max();
        const double least = index_.least_distance(static_cast<double>(score) + error);
        return static_cast<float>(std::min(least, largest)) > limit;
    };
    ranker_.start(row, scratch);
    std::size_t found = ranker_.neighbors_from(row, row);
    float farthest =
        scratch.keys.empty() ? -std::numeric_limits<float>::max() : key_value(scratch.keys.front());
    if (found >= job_.k) limit = farthest;
    constexpr std::size_t ahead = 3;  // rows lie anywhere in memory: ask for them in time
    for (std::size_t c = 0; c < std::min(ahead, candidates.size()); ++c) {
        ranker_.prefetch(key_row(candidates[c]));
    }
    for (std::size_t c = 0; c < candidates.size(); ++c) {
        const Key candidate = candidates[c];
        if (c + ahead < candidates.size()) ranker_.prefetch(key_row(candidates[c + ahead]));
        if (found >= job_.k && !index_.exact() && out_of_reach(-key_value(candidate))) break;
        const float distance = ranker_.score(key_row(candidate), scratch);
        found += ranker_.neighbors_from(row, key_row(candidate));
        farthest = std::max(farthest, distance);
        if (found >= job_.k) limit = std::min(limit, farthest);
    }
    std::sort(scratch.keys.begin(), scratch.keys.end());
    const float let_go = lists_.threshold(row);
    if (index_.exact() || let_go == -std::numeric_limits<float>::infinity()) return true;
    limit = std::min(limit, ranker_.worst_neighbor(row, scratch));
    return out_of_reach(let_go);
}

std::int64_t FlatSearch::begin_research(Scratch&) {
    lists_ = {};
    for (const auto& block : uncertain_) again_.insert(again_.end(), block.begin(), block.end());
    uncertain_ = {};
    return static_cast<std::int64_t>((again_.size() + rows_again - 1) / rows_again);
}

void FlatSearch::research(std::int64_t batch, Scratch& scratch) {
    const std::size_t first = static_cast<std::size_t>(batch) * rows_again;
    const auto rows = std::span(again_).subspan(first, std::min(rows_again, again_.size() - first));
    scratch.counters.researched_rows += static_cast<std::int64_t>(rows.size());
    std::vector<std::uint32_t> selected;
    for (const Uncertain& row : rows) selected.push_back(row.row);

    // First all scores within reach of each row's limit, then their canonical distances row by row.
    std::vector<std::vector<std::uint32_t>> within(rows.size());
    const std::size_t block_rows = rows_.block_rows();
    scratch.scores.resize(rows.size() * block_rows);
    scratch.columns.resize(static_cast<std::size_t>(largest_block));
    scratch.found.resize(static_cast<std::size_t>(largest_block));
    scratch.thresholds.assign(block_rows, std::numeric_limits<float>::infinity());
    for (std::int64_t block = 0; block < rows_.blocks(); ++block) {
        const std::size_t b = rows_.block_first(block);
        const std::size_t nb = rows_.block_size(block);
        index_.score_rows(selected, b, nb, job_.scorer.kernel(), scratch.gathered, scratch.packed,
                          scratch.scores.data());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto [row, limit] = rows[i];
            // A distance that rounds to the limit may be a little beyond it.
            const double worst =
                static_cast<double>(std::nextafter(limit, std::numeric_limits<float>::infinity()));
            const double least = index_.score_at(worst);
            const auto threshold = std::nextafter(static_cast<float>(least - index_.error(row)),
                                                  -std::numeric_limits<float>::infinity());
            const std::size_t hits = job_.scorer.kernel().collect(
                scratch.scores.data() + i * nb, index_.offsets()[row], index_.offsets() + b, threshold,
                scratch.thresholds.data(), nb, scratch.columns.data(), scratch.found.data());
            for (std::size_t h = 0; h < hits; ++h) {
                const std::size_t other = b + scratch.columns[h];
                const double score = static_cast<double>(scratch.found[h]);
                if (other != row && score + index_.error(row, other) >= least) {
                    within[i].push_back(static_cast<std::uint32_t>(other));
                }
            }
        }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        ranker_.start(rows[i].row, scratch);
        for (const std::uint32_t candidate : within[i]) ranker_.score(candidate, scratch);
        std::sort(scratch.keys.begin(), scratch.keys.end());
        ranker_.write(rows[i].row, scratch);
    }
}

}  // namespace grouplink::knn
