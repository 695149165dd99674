#include "verify/recall.hpp"

#include "knn/key.hpp"
#include "knn/recall.hpp"
#include "knn/seed.hpp"
#include "links/similarity.hpp"
#include "parallel/workers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>

namespace grouplink::verify {
namespace {

using knn::Key;

/// Rows of one group that are searched together: each row of the group is loaded once for all of them.
constexpr std::size_t rows_a_search = 32;

/// The rows that could have links, or `count` of them by the lot; ascending.
std::vector<std::int64_t> sample_rows(const RowsByGroup& grouped, std::int64_t count, std::uint64_t seed,
                                      bool& all) {
    constexpr std::uint64_t spread = 0x9e3779b97f4a7c15U;  // rows far apart before they are mixed
    std::vector<std::pair<std::uint64_t, std::int64_t>> lots;
    for (std::size_t g = 0; g + 1 < grouped.offsets.size(); ++g) {
        const auto members = grouped.group(static_cast<std::int32_t>(g));
        if (members.size() < 2) continue;
        for (const std::int64_t row : members) {
            lots.emplace_back(knn::mix(seed + spread * static_cast<std::uint64_t>(row)), row);
        }
    }
    all = static_cast<std::int64_t>(lots.size()) <= count;
    if (!all) {
        std::nth_element(lots.begin(), lots.begin() + count, lots.end());
        lots.resize(static_cast<std::size_t>(count));
    }
    std::vector<std::int64_t> rows;
    for (const auto& [lot, row] : lots) rows.push_back(row);
    std::sort(rows.begin(), rows.end());
    return rows;
}

/// The nearest rows of some rows, by brute force over the canonical scores.
class ExactSearch {
public:
    ExactSearch(const Subject& subject, const RowsByGroup& grouped) : subject_(subject), grouped_(grouped) {}

    /// Adds rows; they must be new.
    void search(std::vector<std::int64_t> rows, int threads, const JobControl& control) {
        std::sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
            return std::pair(subject_.group_of(a), a) < std::pair(subject_.group_of(b), b);
        });
        std::vector<std::span<const std::int64_t>> units;
        for (std::size_t first = 0; first < rows.size();) {
            std::size_t last = first;
            while (last < rows.size() && last - first < rows_a_search &&
                   subject_.group_of(rows[last]) == subject_.group_of(rows[first])) {
                nearest_[rows[last++]];
            }
            units.push_back(std::span(rows).subspan(first, last - first));
            first = last;
        }
        const JobControl counted = parallel::count_rows(control, std::ssize(rows));
        parallel::for_blocks(static_cast<std::int64_t>(units.size()), 1, threads, counted, "recall",
                             [&](std::int64_t first, std::int64_t, int) {
                                 search_unit(units[static_cast<std::size_t>(first)], control);
                             });
    }

    bool has(std::int64_t row) const { return nearest_.contains(row); }
    /// By distance, then by row, which counts within the group; at most n_nearest.
    std::span<const Key> nearest(std::int64_t row) const {
        const std::span<const Key> keys(nearest_.at(row));
        return keys.first(std::min(keys.size(), static_cast<std::size_t>(subject_.options.n_nearest)));
    }
    /// The distance of the nearest row that is not among those; infinite where all are.
    double next_distance(std::int64_t row) const {
        const std::vector<Key>& keys = nearest_.at(row);
        return keys.size() == nearest(row).size() ? std::numeric_limits<double>::infinity()
                                                  : static_cast<double>(knn::key_value(keys.back()));
    }
    std::span<const std::int64_t> group(std::int64_t row) const {
        return grouped_.group(subject_.group_of(row));
    }

private:
    void search_unit(std::span<const std::int64_t> rows, const JobControl& control) {
        const auto members = group(rows.front());
        const auto dim = static_cast<std::size_t>(subject_.vectors.row_dim(rows.front()));
        const std::size_t n = knn::RowScorer::loaded_size(dim);
        // One more than wanted: the first that is let go.
        const auto others = static_cast<std::int64_t>(members.size()) - 1;
        const auto k = static_cast<std::size_t>(
            subject_.options.n_nearest < others ? subject_.options.n_nearest + 1 : others);
        std::vector<double> x(rows.size() * n);
        std::vector<double> y(n);
        std::vector<std::vector<Key>> heaps(rows.size());  // the farthest on top
        for (std::size_t i = 0; i < rows.size(); ++i) subject_.scorer.load(rows[i], x.data() + i * n);
        for (std::size_t m = 0; m < members.size(); ++m) {
            constexpr std::size_t members_a_look = 256;
            if (m % members_a_look == 0 && control.stop.stop_requested()) return;
            subject_.scorer.load(members[m], y.data());
            for (std::size_t i = 0; i < rows.size(); ++i) {
                if (rows[i] == members[m]) continue;
                const Key key = knn::make_key(subject_.scorer.distance(x.data() + i * n, y.data(), dim),
                                              static_cast<std::uint32_t>(m));
                std::vector<Key>& heap = heaps[i];
                if (heap.size() == k) {
                    if (key >= heap.front()) continue;
                    std::pop_heap(heap.begin(), heap.end());
                    heap.back() = key;
                } else {
                    heap.push_back(key);
                }
                std::push_heap(heap.begin(), heap.end());
            }
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::sort_heap(heaps[i].begin(), heaps[i].end());
            nearest_.at(rows[i]) = std::move(heaps[i]);
        }
    }

    const Subject& subject_;
    const RowsByGroup& grouped_;
    std::unordered_map<std::int64_t, std::vector<Key>> nearest_;
};

/// The targets of a row that it could have, each once.
std::vector<std::int64_t> targets_with_score(const Subject& subject, std::int64_t row) {
    std::vector<std::int64_t> targets;
    for (const std::int64_t target : subject.targets(row)) {
        if (subject.has_score(row, target)) targets.push_back(target);
    }
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    return targets;
}

/// Those of the nearest rows of `row` that reach the cut.
std::span<const Key> expected_of(const Subject& subject, const ExactSearch& exact, std::int64_t row,
                                 const std::vector<double>& cut) {
    const auto group = static_cast<std::size_t>(subject.group_of(row));
    const WeightOf weight_of(subject.options,
                             static_cast<double>(subject.dim_of(static_cast<std::int32_t>(group))));
    const std::span<const Key> nearest = exact.nearest(row);
    const auto end = std::partition_point(nearest.begin(), nearest.end(), [&](Key key) {
        return static_cast<double>(weight_of(knn::key_value(key))) >= cut[group];
    });
    return {nearest.begin(), end};
}

/// How many targets are no farther than the farthest of the expected.
std::int64_t found_by_score(const Subject& subject, std::int64_t row, std::span<const Key> expected) {
    if (expected.empty()) return 0;
    const auto farthest = static_cast<double>(knn::key_value(expected.back()));
    const auto dim = static_cast<std::size_t>(subject.vectors.row_dim(row));
    const std::size_t n = knn::RowScorer::loaded_size(dim);
    std::vector<double> x(n);
    std::vector<double> y(n);
    subject.scorer.load(row, x.data());
    std::int64_t found = 0;
    for (const std::int64_t target : targets_with_score(subject, row)) {
        subject.scorer.load(target, y.data());
        const auto distance = static_cast<double>(subject.scorer.distance(x.data(), y.data(), dim));
        if (distance <= farthest + slack(farthest)) ++found;
    }
    return std::min(found, static_cast<std::int64_t>(expected.size()));
}

/// Whether a row at this distance is among the nearest of `row` beyond doubt: which of equally near rows
/// takes the last place is a matter of the search.
bool surely_found(const ExactSearch& exact, std::int64_t row, double distance) {
    return distance + slack(distance) < exact.next_distance(row);
}

/// Adds up the links that both ends surely find.
void count_mutual(const Subject& subject, const ExactSearch& exact, std::int64_t row,
                  std::span<const Key> expected, knn::RowRecall& recall) {
    const std::vector<std::int64_t> targets = targets_with_score(subject, row);
    const auto members = exact.group(row);
    for (const Key key : expected) {
        const auto distance = static_cast<double>(knn::key_value(key));
        const std::int64_t target = members[knn::key_row(key)];
        if (!surely_found(exact, row, distance) || !surely_found(exact, target, distance)) continue;
        ++recall.expected;
        if (std::binary_search(targets.begin(), targets.end(), target)) ++recall.found;
    }
}

}  // namespace

VerifyRecall measure_recall(const Subject& subject, const RowsByGroup& grouped,
                            const std::vector<double>& cut, const VerifyOptions& options, int threads,
                            const JobControl& control) {
    const bool mutual = subject.options.links == LinkMode::mutual;
    // A row whose neighbors are searched as well costs as much as k + 1 rows.
    const std::int64_t k = std::min<std::int64_t>(subject.options.n_nearest, options.sample);
    const std::int64_t wanted =
        mutual && options.sample > 0 ? std::max<std::int64_t>(1, options.sample / (k + 1)) : options.sample;
    VerifyRecall recall;
    bool all = false;
    const std::vector<std::int64_t> rows = sample_rows(grouped, wanted, options.seed, all);
    if (rows.empty() || options.sample == 0) return recall;

    ExactSearch exact(subject, grouped);
    exact.search(rows, threads, control);
    if (mutual) {
        std::vector<std::int64_t> others;
        for (const std::int64_t row : rows) {
            for (const Key key : expected_of(subject, exact, row, cut)) {
                const std::int64_t target = exact.group(row)[knn::key_row(key)];
                if (!exact.has(target)) others.push_back(target);
            }
        }
        std::sort(others.begin(), others.end());
        others.erase(std::unique(others.begin(), others.end()), others.end());
        exact.search(std::move(others), threads, control);
    }
    std::vector<knn::RowRecall> of_row;
    for (const std::int64_t row : rows) {
        const auto expected = expected_of(subject, exact, row, cut);
        knn::RowRecall& found = of_row.emplace_back();
        if (mutual) {
            count_mutual(subject, exact, row, expected, found);
        } else {
            found = {.found = found_by_score(subject, row, expected),
                     .expected = static_cast<std::int64_t>(expected.size())};
        }
        recall.expected += found.expected;
        recall.found += found.found;
    }
    recall.rows = static_cast<std::int64_t>(rows.size());
    const RecallEstimate estimate = knn::estimate_recall(of_row);
    recall.recall = estimate.recall;
    recall.low = all ? estimate.recall : estimate.low;
    recall.high = all ? estimate.recall : estimate.high;
    return recall;
}

}  // namespace grouplink::verify
