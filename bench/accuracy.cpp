#include "accuracy.hpp"

#include "harness.hpp"

#include <grouplink/error.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_set>
#include <utility>

namespace bench {
namespace {

constexpr double tie = 1e-6;

double dot(const float* a, const float* b, std::size_t dim) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t i = 0; i < dim; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
}

/// The rows as float32, widened once: float16 and float32 keep their exact values.
struct Rows {
    explicit Rows(const Dataset& data)
        : dim(static_cast<std::size_t>(data.vectors.dim)),
          values(static_cast<std::size_t>(data.vectors.rows) * dim),
          norms(static_cast<std::size_t>(data.vectors.rows)) {
        for (std::size_t row = 0; row < norms.size(); ++row) {
            float* to = values.data() + row * dim;
            widen_row(data.vectors, static_cast<std::int64_t>(row), to);
            norms[row] = std::sqrt(dot(to, to, dim));
        }
    }
    double cosine(std::int64_t a, std::int64_t b) const {
        const auto i = static_cast<std::size_t>(a);
        const auto j = static_cast<std::size_t>(b);
        const double norm = norms[i] * norms[j];
        return norm > 0.0 ? dot(values.data() + i * dim, values.data() + j * dim, dim) / norm : 0.0;
    }

    std::size_t dim;
    std::vector<float> values;
    std::vector<double> norms;
};

/// The neighbors of one row, without the padding.
std::span<const std::int64_t> of_row(const Neighbors& neighbors, std::int64_t row) {
    const auto all =
        std::span(neighbors.targets)
            .subspan(static_cast<std::size_t>(row * neighbors.k), static_cast<std::size_t>(neighbors.k));
    return all.first(static_cast<std::size_t>(std::find(all.begin(), all.end(), -1) - all.begin()));
}

}  // namespace

Accuracy compare(const Dataset& data, const Neighbors& truth, const Neighbors& found, std::int64_t step) {
    if (truth.k != found.k || truth.targets.size() != found.targets.size())
        throw grouplink::Error(grouplink::ErrorCode::bad_input,
                               "compare: the neighbors are of another k or of other rows");
    const Rows rows(data);
    const auto group_of = [&](std::int64_t row) { return data.groups.codes[static_cast<std::size_t>(row)]; };
    Accuracy result;
    for (std::int64_t row = 0; row < data.vectors.rows; row += step) {
        const auto right = of_row(truth, row);
        const auto got = of_row(found, row);
        result.compared += static_cast<std::int64_t>(right.size());
        if (std::equal(right.begin(), right.end(), got.begin(), got.end())) continue;

        std::vector<double> cosines;
        std::unordered_set<std::int64_t> seen;
        for (const auto target : got) {
            const bool valid = target >= 0 && target < data.vectors.rows && target != row &&
                               group_of(target) == group_of(row) && seen.insert(target).second;
            result.broken += valid ? 0 : 1;
            cosines.push_back(valid ? rows.cosine(row, target) : -2.0);
        }
        std::size_t hits = 0;
        bool misplaced = false;
        const double last = right.empty() ? 2.0 : rows.cosine(row, right.back());
        for (std::size_t i = 0; i < std::max(cosines.size(), right.size()); ++i) {
            if (i < cosines.size() && cosines[i] >= last - tie) ++hits;
            if (i < cosines.size() && i < right.size() &&
                std::abs(cosines[i] - rows.cosine(row, right[i])) <= tie)
                continue;
            ++result.misplaced;
            misplaced = true;
        }
        result.missed += static_cast<std::int64_t>(right.size() - std::min(hits, right.size()));
        if (misplaced && result.first_row < 0) result.first_row = row;
    }
    if (result.compared > 0)
        result.recall = 1.0 - static_cast<double>(result.missed) / static_cast<double>(result.compared);
    return result;
}

Neighbors brute_force(const Dataset& data, std::int64_t k, std::int64_t step, int threads) {
    const Rows rows(data);
    Neighbors out{.k = k, .targets = {}};
    out.targets.assign(static_cast<std::size_t>(data.vectors.rows * k), -1);
    for_each((data.vectors.rows + step - 1) / step, threads, [&](std::int64_t sample) {
        const std::int64_t row = sample * step;
        const auto group = data.groups.codes[static_cast<std::size_t>(row)];
        if (group < 0) return;
        std::vector<std::pair<double, std::int64_t>> all;
        for (const auto other : data.group_rows(group))
            if (other != row) all.emplace_back(-rows.cosine(row, other), other);
        const auto kept = std::min(static_cast<std::size_t>(k), all.size());
        std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
        for (std::size_t i = 0; i < kept; ++i)
            out.targets[static_cast<std::size_t>(row * k) + i] = all[i].second;
    });
    return out;
}

}  // namespace bench
