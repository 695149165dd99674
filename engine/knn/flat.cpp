#include "knn/flat.hpp"

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
    : job_(job), scratch_(scratch), loaded_size_(RowScorer::loaded_size(job.dim)), ranker_(job_, unique_) {}

std::vector<parallel::Stage> FlatSearch::stages() {
    using Begin = std::int64_t (FlatSearch::*)(Scratch&);
    using Run = void (FlatSearch::*)(std::int64_t, Scratch&);
    const auto stage = [this](Begin begin, Run run, double share) {
        return parallel::Stage{
            .begin = [this, begin](
                         int worker) { return (this->*begin)(scratch_[static_cast<std::size_t>(worker)]); },
            .run = [this, run](
                       std::int64_t unit,
                       int worker) { (this->*run)(unit, scratch_[static_cast<std::size_t>(worker)]); },
            .share = share};
    };
    return {stage(&FlatSearch::begin_measure, &FlatSearch::measure, 0.02),
            stage(&FlatSearch::begin_gather, &FlatSearch::gather, 0.03),
            stage(&FlatSearch::begin_join, &FlatSearch::join, 0.85),
            stage(&FlatSearch::begin_rank, &FlatSearch::rank, 0.10),
            stage(&FlatSearch::begin_research, &FlatSearch::research, 0.0)};
}

std::int64_t FlatSearch::begin_measure(Scratch&) {
    blocks_ = blocks_of(static_cast<std::int64_t>(job_.rows.size()));
    hashes_.resize(job_.rows.size());
    extremes_.resize(static_cast<std::size_t>(blocks_.count));
    return blocks_.count;
}

void FlatSearch::measure(std::int64_t block, Scratch& scratch) {
    const std::size_t first = block_first(block);
    const std::size_t last = std::min(job_.rows.size(), first + static_cast<std::size_t>(blocks_.block_rows));
    scratch.x.resize(loaded_size_);
    for (std::size_t i = first; i < last; ++i) {
        hashes_[i] = hash_row(job_.scorer.vectors(), job_.rows[i]);
        if (!needs_frame(job_.scorer.metric())) continue;
        job_.scorer.load(job_.rows[i], scratch.x.data());
        add_row(extremes_[static_cast<std::size_t>(block)],
                std::span(scratch.x).first(kernels::padded(job_.dim)), job_.scorer.metric(),
                job_.scorer.kernel());
    }
}

std::int64_t FlatSearch::begin_gather(Scratch& scratch) {
    unique_ = find_unique(job_.scorer.vectors(), job_.rows, hashes_);
    scratch.counters.duplicate_rows += static_cast<std::int64_t>(job_.rows.size() - unique_.size());
    index_ =
        FlatIndex(unique_.size(), job_.dim, job_.scorer.metric(), make_frame(extremes_, job_.rows.size()));
    hashes_ = {};
    extremes_ = {};
    blocks_ = blocks_of(static_cast<std::int64_t>(unique_.size()));
    return blocks_.count;
}

void FlatSearch::gather(std::int64_t block, Scratch& scratch) {
    scratch.x.resize(loaded_size_);
    const std::size_t first = block_first(block);
    for (std::size_t i = first; i < first + block_size(block); ++i) {
        job_.scorer.load(ranker_.input_row(static_cast<std::uint32_t>(i)), scratch.x.data());
        index_.set(i, scratch.x.data());
    }
}

std::int64_t FlatSearch::begin_join(Scratch&) {
    index_.finish();
    locks_ = std::make_unique<parallel::BlockLocks>(blocks_.count);
    const std::size_t others = std::max<std::size_t>(1, unique_.size() - 1);
    lists_ =
        CandidateLists(unique_.size(), std::min(job_.k + spare_candidates, others), job_.scorer.kernel());
    return parallel::BlockPairs(blocks_.count).count();
}

void FlatSearch::join(std::int64_t pair, Scratch& scratch) {
    const auto [block_a, block_b] = parallel::BlockPairs(blocks_.count).at(pair);
    const std::size_t a = block_first(block_a);
    const std::size_t b = block_first(block_b);
    const std::size_t na = block_size(block_a);
    const std::size_t nb = block_size(block_b);
    scratch.scores.resize(static_cast<std::size_t>(blocks_.block_rows * blocks_.block_rows));
    index_.score_tile(a, na, b, nb, job_.scorer.kernel(), scratch.packed, scratch.scores.data());

    const auto guard = locks_->hold(block_a, block_b);
    for (std::size_t i = 0; i < na; ++i) {
        const std::size_t skip = a == b ? i + 1 : 0;  // a block with itself: the pairs above the diagonal
        offer(a + i, b + skip, nb - skip, scratch.scores.data() + i * nb + skip, scratch);
    }
}

/// Offers the pairs of row a and the rows [b, b + nb) to the lists of both.
void FlatSearch::offer(std::size_t a, std::size_t b, std::size_t nb, const float* scores, Scratch& scratch) {
    scratch.columns.resize(static_cast<std::size_t>(largest_block));
    scratch.found.resize(static_cast<std::size_t>(largest_block));
    const std::size_t hits =
        job_.scorer.kernel().collect(scores, index_.offsets()[a], index_.offsets() + b, lists_.threshold(a),
                                     lists_.thresholds(b), nb, scratch.columns.data(), scratch.found.data());
    for (std::size_t h = 0; h < hits; ++h) {
        const std::size_t other = b + scratch.columns[h];
        const float score = scratch.found[h];
        if (score >= lists_.threshold(a)) lists_.push(a, score, static_cast<std::uint32_t>(other));
        if (score >= lists_.threshold(other)) lists_.push(other, score, static_cast<std::uint32_t>(a));
    }
}

std::int64_t FlatSearch::begin_rank(Scratch&) {
    locks_.reset();
    uncertain_.resize(static_cast<std::size_t>(blocks_.count));
    return blocks_.count;
}

void FlatSearch::rank(std::int64_t block, Scratch& scratch) {
    const std::size_t first = block_first(block);
    for (std::size_t i = first; i < first + block_size(block); ++i) {
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
        return static_cast<float>(index_.least_distance(static_cast<double>(score) + error)) > limit;
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
    const auto block_rows = static_cast<std::size_t>(blocks_.block_rows);
    scratch.scores.resize(rows.size() * block_rows);
    scratch.columns.resize(static_cast<std::size_t>(largest_block));
    scratch.found.resize(static_cast<std::size_t>(largest_block));
    scratch.thresholds.assign(block_rows, std::numeric_limits<float>::infinity());
    for (std::int64_t block = 0; block < blocks_.count; ++block) {
        const std::size_t b = block_first(block);
        const std::size_t nb = block_size(block);
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
