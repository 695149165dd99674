#include "knn/rank.hpp"

#include "knn/key.hpp"

#include <algorithm>
#include <limits>

namespace grouplink::knn {

void RowRanker::start(std::uint32_t row, Scratch& scratch) const {
    make_room(scratch.x, RowScorer::loaded_size(job_.dim));
    make_room(scratch.y, RowScorer::loaded_size(job_.dim));
    scratch.keys.clear();
    rows_.scorer().load(rows_.stored(row), scratch.x.data());
    if (unique_.rows_of(row).size() > 1) {
        const float distance = rows_.scorer().distance(scratch.x.data(), scratch.x.data(), job_.dim);
        scratch.keys.push_back(make_key(distance, row));
    }
}

float RowRanker::score(std::span<const Key> candidates, Scratch& scratch) const {
    constexpr std::size_t at_once = 32;
    std::int64_t rows[at_once];
    double squares[at_once];
    float distances[at_once];
    float farthest = -std::numeric_limits<float>::max();
    for (; !candidates.empty(); candidates = candidates.subspan(std::min(at_once, candidates.size()))) {
        const std::size_t count = std::min(at_once, candidates.size());
        for (std::size_t c = 0; c < count; ++c) {
            rows[c] = rows_.stored(key_row(candidates[c]));
            squares[c] = rows_.squares(key_row(candidates[c]));
        }
        rows_.scorer().distances_to(scratch.x.data(), {rows, count}, squares, scratch.y.data(), distances);
        for (std::size_t c = 0; c < count; ++c) {
            scratch.keys.push_back(make_key(distances[c], key_row(candidates[c])));
            farthest = std::max(farthest, distances[c]);
        }
        scratch.counters.scored_pairs += static_cast<std::int64_t>(count);
    }
    return farthest;
}

bool RowRanker::sort_candidates(std::uint32_t row, std::span<const Key> candidates, Scratch& scratch) const {
    start(row, scratch);
    score(candidates, scratch);
    sort_nearly_sorted(scratch.keys);
    std::size_t found = neighbors_from(row, row);
    for (const Key key : candidates) found += neighbors_from(row, key_row(key));
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
