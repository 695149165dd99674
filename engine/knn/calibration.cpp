#include "knn/calibration.hpp"

#include "knn/key.hpp"
#include "knn/seed.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace grouplink::knn {
namespace {

constexpr std::size_t rows_a_unit = 128;
/// Candidates beyond k that the sample keeps, where ties for the last place and the order of float32 scores
/// may put neighbors.
constexpr std::size_t spare = 40;
/// Distances that differ by no more than this, relatively, are ties.
constexpr float tie = 1e-6F;

}  // namespace

std::int64_t Calibration::begin() {
    // A salt of its own: what the search draws must not be what judges it.
    constexpr std::uint64_t salt = 0x63616c6962726174ULL;
    const auto count = static_cast<std::size_t>(calibration_rows);
    const std::vector<std::uint32_t> drawn =
        draw_rows(all_rows(job_.rows.size()), count, mix(job_.seed ^ salt));
    const UniqueRows& unique = rows_.unique();
    for (std::uint32_t c = 0; c < unique.size(); ++c) {
        std::uint32_t weight = 0;
        for (const std::uint32_t member : unique.rows_of(c)) {
            weight += std::binary_search(drawn.begin(), drawn.end(), member) ? 1U : 0U;
        }
        if (weight == 0) continue;
        sampled_.push_back(c);
        weights_.push_back(weight);
    }
    neighbors_.resize(sampled_.size());
    return units();
}

std::int64_t Calibration::units() const {
    return static_cast<std::int64_t>((sampled_.size() + rows_a_unit - 1) / rows_a_unit);
}

std::pair<std::size_t, std::size_t> Calibration::range_of(std::int64_t unit) const {
    const std::size_t first = static_cast<std::size_t>(unit) * rows_a_unit;
    return {first, std::min(sampled_.size(), first + rows_a_unit)};
}

void Calibration::search(std::int64_t unit, const OfferAll& offer, Scratch& scratch) {
    const auto [first, last] = range_of(unit);
    const std::size_t others = std::max<std::size_t>(1, rows_.size() - 1);
    CandidateLists lists(last - first, std::min(job_.k + spare, others), job_.scorer.kernel());
    const auto selected = std::span(sampled_).subspan(first, last - first);
    offer(selected, lists);
    for (std::size_t i = 0; i < selected.size(); ++i) {
        // Fewer than k candidates cannot be: all other rows were offered.
        ranker_.sort_candidates(selected[i], lists.ranked(i), scratch);
        const float farthest = ranker_.worst_neighbor(selected[i], scratch);
        const float reach = farthest + std::abs(farthest) * tie + std::numeric_limits<float>::min();
        for (const Key key : scratch.keys) {
            if (key_value(key) <= reach) neighbors_[first + i].push_back(key_row(key));
        }
    }
}

std::int64_t Calibration::count_found(std::size_t s, std::span<const Key> candidates) const {
    return count_found(s, [candidates](std::uint32_t wanted) {
        return std::any_of(candidates.begin(), candidates.end(),
                           [wanted](Key key) { return key_row(key) == wanted; });
    });
}

RecallEstimate Calibration::estimate(std::span<const std::int64_t> found) const {
    std::vector<RowRecall> rows;
    for (std::size_t s = 0; s < sampled_.size(); ++s) {
        rows.insert(rows.end(), weights_[s], {found[s], static_cast<std::int64_t>(job_.k)});
    }
    RecallEstimate estimate = estimate_recall(rows);
    // Nothing is left to chance when all rows were drawn.
    if (rows.size() == job_.rows.size()) estimate.low = estimate.high = estimate.recall;
    return estimate;
}

}  // namespace grouplink::knn
