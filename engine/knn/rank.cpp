#include "knn/rank.hpp"

#include "knn/key.hpp"

#include <algorithm>
#include <limits>

namespace grouplink::knn {

void RowRanker::start(std::uint32_t row, Scratch& scratch) const {
    scratch.x.resize(RowScorer::loaded_size(job_.dim));
    scratch.y.resize(RowScorer::loaded_size(job_.dim));
    scratch.keys.clear();
    job_.scorer.load(input_row(row), scratch.x.data());
    if (unique_.rows_of(row).size() > 1) {
        const float distance = job_.scorer.distance(scratch.x.data(), scratch.x.data(), job_.dim);
        scratch.keys.push_back(make_key(distance, row));
    }
}

float RowRanker::score(std::uint32_t candidate, Scratch& scratch) const {
    const float distance = job_.scorer.distance_to(scratch.x.data(), input_row(candidate), scratch.y.data());
    scratch.keys.push_back(make_key(distance, candidate));
    ++scratch.counters.scored_pairs;
    return distance;
}

bool RowRanker::sort_candidates(std::uint32_t row, std::span<const Key> candidates, Scratch& scratch) const {
    constexpr std::size_t ahead = 3;  // rows lie anywhere in memory: ask for them in time
    start(row, scratch);
    std::size_t found = neighbors_from(row, row);
    for (std::size_t c = 0; c < std::min(ahead, candidates.size()); ++c) prefetch(key_row(candidates[c]));
    for (std::size_t c = 0; c < candidates.size(); ++c) {
        if (c + ahead < candidates.size()) prefetch(key_row(candidates[c + ahead]));
        score(key_row(candidates[c]), scratch);
        found += neighbors_from(row, key_row(candidates[c]));
    }
    sort_nearly_sorted(scratch.keys);
    return found >= job_.k;
}

bool RowRanker::rank(std::uint32_t row, std::span<const Key> candidates, Scratch& scratch) const {
    if (!sort_candidates(row, candidates, scratch)) return false;
    write(row, scratch);
    return true;
}

std::size_t RowRanker::neighbors_from(std::uint32_t row, std::uint32_t candidate) const {
    return unique_.rows_of(candidate).size() - (row == candidate ? 1 : 0);
}

float RowRanker::worst_neighbor(std::uint32_t row, Scratch& scratch) const {
    std::size_t found = 0;
    for (const Key key : scratch.keys) {
        found += neighbors_from(row, key_row(key));
        if (found >= job_.k) return key_value(key);
    }
    return std::numeric_limits<float>::max();
}

void RowRanker::write(std::uint32_t row, Scratch& scratch) const {
    // Of a class no row needs more than the k + 1 lowest members, itself perhaps among them. Classes
    // beyond the k-th neighbor's distance are of no use.
    const float farthest = worst_neighbor(row, scratch);
    scratch.expanded.clear();
    for (const Key key : scratch.keys) {
        if (key_value(key) > farthest) break;
        const auto members = unique_.rows_of(key_row(key));
        for (const std::uint32_t member : members.first(std::min(members.size(), job_.k + 1))) {
            scratch.expanded.push_back(make_key(key_value(key), member));
        }
    }
    sort_nearly_sorted(scratch.expanded);
    for (const std::uint32_t member : unique_.rows_of(row)) {
        if (!job_.wants(member)) continue;
        std::int64_t* targets = job_.targets(member);
        float* distances = job_.distances(member);
        std::size_t written = 0;
        for (const Key key : scratch.expanded) {
            if (written == job_.k) break;
            if (key_row(key) == member) continue;
            targets[written] = job_.rows[key_row(key)];
            distances[written++] = key_value(key);
        }
    }
}

}  // namespace grouplink::knn
