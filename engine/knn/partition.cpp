#include "knn/partition.hpp"

#include "kernels/gemm.hpp"
#include "knn/exhaustive.hpp"
#include "knn/stage.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace grouplink::knn {
namespace {

constexpr auto tile = static_cast<std::size_t>(largest_block);
constexpr std::size_t leaf_rows = 1000;
constexpr std::size_t most_leaders = 1000;
/// Leaders of the first level: one for so many rows, and no fewer than a row needs to choose from.
constexpr std::size_t rows_a_leader = 150;
/// Cells below the first level that a row goes to, by depth; one from there on.
constexpr std::size_t second_fanout = 2;
constexpr std::size_t deepest = 20;
constexpr std::size_t most_followed = 16;
constexpr std::size_t most_met = 1024;
constexpr std::int64_t lock_count = 4096;
constexpr std::size_t rows_again = 64;
constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();

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

/// A set of rows that remembers the order in which they came.
class Met {
public:
    explicit Met(std::vector<std::uint32_t>& rows) : rows_(rows), slots_(4 * most_met, nobody) {}

    void clear() {
        rows_.clear();
        std::fill(slots_.begin(), slots_.end(), nobody);
    }
    void add(std::uint32_t row) {
        if (row == nobody || rows_.size() == most_met) return;
        std::size_t slot = static_cast<std::size_t>(mix(row)) % slots_.size();
        while (slots_[slot] != nobody && slots_[slot] != row) slot = (slot + 1) % slots_.size();
        if (slots_[slot] == row) return;
        slots_[slot] = row;
        rows_.push_back(row);
    }

private:
    std::vector<std::uint32_t>& rows_;
    std::vector<std::uint32_t> slots_;
};

}  // namespace

PartitionSearch::PartitionSearch(GroupJob job, std::span<Scratch> scratch, const PartitionOptions& options)
    : job_(job), scratch_(scratch), options_(options), rows_(job_), ranker_(job_, rows_.unique()) {}

std::vector<parallel::Stage> PartitionSearch::stages() {
    using Search = PartitionSearch;
    std::vector<parallel::Stage> stages{
        make_stage(*this, scratch_, &Search::begin_measure, &Search::measure, 0.02),
        make_stage(*this, scratch_, &Search::begin_gather, &Search::gather, 0.03)};
    for (std::int64_t pass = 0; pass < options_.passes; ++pass) {
        const double share = 1.0 / static_cast<double>(options_.passes);
        stages.push_back(make_stage(*this, scratch_, &Search::begin_assign, &Search::assign, 0.1 * share));
        stages.push_back(
            make_stage(*this, scratch_, &Search::begin_cells, &Search::search_cell, 0.45 * share));
    }
    for (std::int64_t round = 0; round < options_.refinements; ++round) {
        const double share = 1.0 / static_cast<double>(options_.refinements);
        stages.push_back(make_stage(*this, scratch_, &Search::begin_freeze, &Search::freeze, 0.01 * share));
        stages.push_back(make_stage(*this, scratch_, &Search::begin_refine, &Search::refine, 0.3 * share));
    }
    stages.push_back(make_stage(*this, scratch_, &Search::begin_rank, &Search::rank, 0.09));
    stages.push_back(make_stage(*this, scratch_, &Search::begin_complete, &Search::complete, 0.0));
    return stages;
}

std::int64_t PartitionSearch::begin_measure(Scratch&) { return rows_.begin_measure(); }

void PartitionSearch::measure(std::int64_t block, Scratch& scratch) { rows_.measure(block, scratch); }

std::int64_t PartitionSearch::begin_gather(Scratch& scratch) {
    rows_.finish(scratch);
    index_ = FlatIndex(rows_.size(), job_.dim, job_.scorer.metric(), rows_.frame());
    lists_ = CandidateLists(rows_.size(), approximate_keep(job_.k, rows_.size()), job_.scorer.kernel());
    locks_ = std::make_unique<parallel::BlockLocks>(lock_count);
    return rows_.blocks();
}

void PartitionSearch::gather(std::int64_t block, Scratch& scratch) {
    gather_block(rows_, block, index_, scratch);
}

std::int64_t PartitionSearch::lock_of(std::uint32_t row) {
    return static_cast<std::int64_t>(row) % lock_count;
}

void PartitionSearch::copy_rows(std::span<const std::uint32_t> rows, std::vector<float>& copied,
                                std::vector<float>& offsets) const {
    constexpr std::size_t ahead = 4;  // rows lie anywhere in memory: ask for them in time
    constexpr std::size_t line = 16;
    copied.resize(rows.size() * job_.dim);
    offsets.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i + ahead < rows.size()) {
            for (std::size_t c = 0; c < job_.dim; c += line) __builtin_prefetch(floats(rows[i + ahead]) + c);
        }
        std::copy_n(floats(rows[i]), job_.dim, copied.data() + i * job_.dim);
        offsets[i] = index_.offsets()[rows[i]];
    }
}

/// The `count` rows whose hashes with the salt are least: a sample without replacement.
PartitionSearch::Leaders PartitionSearch::draw(std::span<const std::uint32_t> rows, std::size_t count,
                                               std::uint64_t salt) const {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> drawn;
    drawn.reserve(rows.size());
    for (const std::uint32_t row : rows) drawn.emplace_back(mix(salt ^ mix(row)), row);
    std::nth_element(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(count - 1), drawn.end());
    std::vector<std::uint32_t> chosen;
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(drawn[i].second);
    std::sort(chosen.begin(), chosen.end());
    Leaders leaders;
    copy_rows(chosen, leaders.rows, leaders.offsets);
    return leaders;
}

void PartitionSearch::nearest_leaders(const float* rows, std::size_t count, const Leaders& leaders,
                                      std::size_t fanout, std::uint32_t* nearest, Scratch& scratch) const {
    scratch.scores.resize(std::max(scratch.scores.size(), count * leaders.size()));
    kernels::inner_products(job_.scorer.kernel(), rows, count, leaders.rows.data(), leaders.size(), job_.dim,
                            scratch.packed, scratch.scores.data());
    for (std::size_t i = 0; i < count; ++i) {
        best_places(scratch.scores.data() + i * leaders.size(), leaders.offsets.data(), leaders.size(),
                    fanout, nearest + i * fanout);
    }
}

std::int64_t PartitionSearch::begin_assign(Scratch&) {
    std::vector<std::uint32_t> all(rows_.size());
    std::iota(all.begin(), all.end(), 0U);
    const auto fanout = static_cast<std::size_t>(options_.fanout);
    const std::size_t wanted = std::clamp(rows_.size() / rows_a_leader, fanout, most_leaders);
    leaders_ = draw(all, std::min(wanted, rows_.size()), mix(job_.seed + pass_++));
    fanout_ = std::min(fanout, leaders_.size());
    cells_.resize(rows_.size() * fanout_);
    return rows_.blocks();
}

void PartitionSearch::assign(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    nearest_leaders(floats(first), rows_.block_size(block), leaders_, fanout_,
                    cells_.data() + first * fanout_, scratch);
}

std::int64_t PartitionSearch::begin_cells(Scratch&) {
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
    const std::size_t parts = std::clamp(rows.size() * fanout * 3 / (leaf_rows * 2), fanout, most_leaders);
    const Leaders leaders = draw(rows, parts, mix(salt));
    std::vector<std::vector<std::uint32_t>> children(leaders.size());
    std::vector<std::uint32_t> nearest(tile * fanout);
    std::vector<float> offsets;
    for (std::size_t first = 0; first < rows.size(); first += tile) {
        const auto part =
            std::span<const std::uint32_t>(rows).subspan(first, std::min(tile, rows.size() - first));
        copy_rows(part, scratch.gathered, offsets);
        nearest_leaders(scratch.gathered.data(), part.size(), leaders, fanout, nearest.data(), scratch);
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

/// Scores all pairs of a leaf. What it finds is gathered in lists of its own, which take nothing that a
/// row's list would turn away, and only then offered to the rows.
void PartitionSearch::join(std::span<const std::uint32_t> rows, Scratch& scratch) {
    const kernels::Table& kernel = job_.scorer.kernel();
    std::vector<float> offsets;
    copy_rows(rows, scratch.gathered, offsets);
    CandidateLists found(rows.size(), approximate_keep(job_.k, rows_.size()), kernel);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto guard = locks_->hold(lock_of(rows[i]), lock_of(rows[i]));
        found.raise_threshold(i, lists_.threshold(rows[i]));
    }
    scratch.columns.resize(tile);
    scratch.found.resize(tile);
    scratch.scores.resize(std::max(scratch.scores.size(), tile * tile));
    for (std::size_t a = 0; a < rows.size(); a += tile) {
        const std::size_t na = std::min(tile, rows.size() - a);
        const float* rows_a = scratch.gathered.data() + a * job_.dim;
        for (std::size_t b = a; b < rows.size(); b += tile) {
            const std::size_t nb = std::min(tile, rows.size() - b);
            if (a == b) {
                kernels::inner_products_of_pairs(kernel, rows_a, na, job_.dim, scratch.packed,
                                                 scratch.scores.data());
            } else {
                kernels::inner_products(kernel, rows_a, na, scratch.gathered.data() + b * job_.dim, nb,
                                        job_.dim, scratch.packed, scratch.scores.data());
            }
            for (std::size_t i = 0; i < na; ++i) {
                const std::size_t skip = a == b ? i + 1 : 0;
                offer_pairs(found, a + i, b + skip, nb - skip, scratch.scores.data() + i * nb + skip,
                            offsets.data(), kernel, scratch);
            }
        }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto best = found.ranked(i);
        const auto guard = locks_->hold(lock_of(rows[i]), lock_of(rows[i]));
        for (const Key key : best) lists_.push_new(rows[i], -key_value(key), rows[key_row(key)]);
    }
}

std::int64_t PartitionSearch::begin_freeze(Scratch&) {
    degree_ = std::min(job_.k, most_followed);
    graph_.assign(rows_.size() * degree_, nobody);
    return rows_.blocks();
}

void PartitionSearch::freeze(std::int64_t block, Scratch&) {
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        const auto best = lists_.ranked(i);
        for (std::size_t m = 0; m < std::min(degree_, best.size()); ++m)
            graph_[i * degree_ + m] = key_row(best[m]);
    }
}

std::int64_t PartitionSearch::begin_refine(Scratch&) {
    // A row that very many have as a neighbor keeps those that have it nearest.
    const std::size_t most = 2 * degree_;
    reverse_first_.assign(rows_.size() + 1, 0);
    for (const std::uint32_t target : graph_) {
        if (target != nobody && reverse_first_[target + 1] < most) ++reverse_first_[target + 1];
    }
    std::partial_sum(reverse_first_.begin(), reverse_first_.end(), reverse_first_.begin());
    reverse_.resize(reverse_first_.back());
    std::vector<std::size_t> next(reverse_first_.begin(), reverse_first_.end() - 1);
    for (std::size_t m = 0; m < degree_; ++m) {
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            const std::uint32_t target = graph_[i * degree_ + m];
            if (target == nobody || next[target] == reverse_first_[target + 1]) continue;
            reverse_[next[target]++] = static_cast<std::uint32_t>(i);
        }
    }
    return rows_.blocks();
}

void PartitionSearch::refine(std::int64_t block, Scratch&) {
    constexpr std::size_t ahead = 6;
    constexpr std::size_t line = 16;
    std::vector<std::uint32_t> rows;
    Met met(rows);
    const auto neighbors = [this](std::size_t row) {
        return std::span(graph_).subspan(row * degree_, degree_);
    };
    const auto reverse = [this](std::size_t row) {
        return std::span(reverse_).subspan(reverse_first_[row],
                                           reverse_first_[row + 1] - reverse_first_[row]);
    };
    const auto ask_for = [&](std::size_t place) {
        if (place >= rows.size()) return;
        for (std::size_t c = 0; c < job_.dim; c += line) __builtin_prefetch(floats(rows[place]) + c);
    };
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        met.clear();
        met.add(static_cast<std::uint32_t>(i));
        for (const std::uint32_t other : neighbors(i)) met.add(other);
        const std::size_t known = rows.size();
        for (const std::uint32_t other : reverse(i)) met.add(other);
        for (const auto& some : {neighbors(i), reverse(i)}) {
            for (const std::uint32_t via : some) {
                if (via == nobody) continue;
                for (const std::uint32_t other : neighbors(via)) met.add(other);
            }
        }
        for (std::size_t place = known; place < known + ahead; ++place) ask_for(place);
        for (std::size_t place = known; place < rows.size(); ++place) {
            ask_for(place + ahead);
            const float inner = job_.scorer.kernel().dot_f32(floats(i), floats(rows[place]), job_.dim);
            lists_.push_new(i, inner - index_.offsets()[i] - index_.offsets()[rows[place]], rows[place]);
        }
    }
}

std::int64_t PartitionSearch::begin_rank(Scratch&) {
    locks_.reset();
    cells_ = {};
    cell_members_ = {};
    graph_ = {};
    reverse_ = {};
    short_.resize(static_cast<std::size_t>(rows_.blocks()));
    return rows_.blocks();
}

void PartitionSearch::rank(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_.block_first(block);
    for (std::size_t i = first; i < first + rows_.block_size(block); ++i) {
        const auto row = static_cast<std::uint32_t>(i);
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
    search_all(rows, job_.k, rows_, index_, ranker_, job_.scorer.kernel(), scratch);
}

}  // namespace grouplink::knn
