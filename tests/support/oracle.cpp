#include "support/oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <utility>

namespace oracle {
namespace {

using grouplink::ElementType;
using grouplink::Metric;

/// IEEE half precision, round to nearest even, of numbers in its range.
std::uint16_t to_half(double value) {
    const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    if (std::isnan(value)) return 0x7e00;
    const double magnitude = std::abs(value);
    if (std::isinf(value) || magnitude >= 65520.0) return static_cast<std::uint16_t>(sign | 0x7c00);
    if (magnitude == 0.0) return sign;
    const int exponent = std::max(std::ilogb(magnitude), -14);
    const auto steps = static_cast<long>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
    return static_cast<std::uint16_t>(sign | (static_cast<long>(exponent + 14) * 1024 + steps));
}

double from_half(std::uint16_t half) {
    const int exponent = (half >> 10) & 31;
    const int fraction = half & 1023;
    double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) magnitude = fraction ? std::nan("") : HUGE_VAL;
    return half & 0x8000 ? -magnitude : magnitude;
}

template <typename Element>
void append(std::vector<unsigned char>& bytes, Element element) {
    const auto* first = reinterpret_cast<const unsigned char*>(&element);
    bytes.insert(bytes.end(), first, first + sizeof element);
}

/// Appends one component and returns what it was rounded to.
double append_as(std::vector<unsigned char>& bytes, double value, ElementType type) {
    switch (type) {
        case ElementType::float16: {
            const std::uint16_t half = to_half(value);
            append(bytes, half);
            return from_half(half);
        }
        case ElementType::float32:
            append(bytes, static_cast<float>(value));
            return static_cast<double>(static_cast<float>(value));
        case ElementType::float64: append(bytes, value); return value;
        case ElementType::int8: {
            const auto whole = static_cast<std::int8_t>(std::clamp(std::round(value * 32), -127.0, 127.0));
            append(bytes, whole);
            return whole;
        }
    }
    return value;
}

bool close(double a, double b, double tolerance) {
    return std::abs(a - b) <= tolerance * std::max({1.0, std::abs(a), std::abs(b)});
}

/// The neighbors of `row`: (distance, row), nearest first, all of them.
std::vector<std::pair<double, std::int64_t>> all_neighbors(const Rows& rows,
                                                           const std::vector<std::int64_t>& members,
                                                           std::int64_t row, Metric metric) {
    std::vector<std::pair<double, std::int64_t>> found;
    for (const std::int64_t other : members) {
        if (other == row) continue;
        found.emplace_back(distance(rows.values[static_cast<std::size_t>(row)],
                                    rows.values[static_cast<std::size_t>(other)], metric),
                           other);
    }
    std::sort(found.begin(), found.end());
    return found;
}

double quantile(std::vector<double> weights, double q) {
    std::sort(weights.begin(), weights.end());
    const double place = q * static_cast<double>(weights.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, weights.size() - 1);
    return weights[low] + (weights[high] - weights[low]) * (place - static_cast<double>(low));
}

}  // namespace

Packed::Packed(Rows& rows, ElementType type, bool ragged) {
    offsets_.push_back(0);
    for (auto& row : rows.values) {
        for (double& component : row) component = append_as(bytes_, component, type);
        offsets_.push_back(offsets_.back() + static_cast<std::int64_t>(row.size()));
    }
    const std::size_t dim = rows.values.empty() ? 1 : rows.values.front().size();
    for (const auto& row : rows.values) ragged = ragged || row.size() != dim;
    view_ = {.values = bytes_.data(),
             .type = type,
             .rows = rows.size(),
             .dim = static_cast<std::int64_t>(dim),
             .offsets = ragged ? offsets_.data() : nullptr,
             .valid = rows.valid.empty() ? nullptr : rows.valid.data()};
}

Rows gaussian_rows(std::int64_t count, std::int64_t dim, std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    Rows rows;
    rows.values.assign(static_cast<std::size_t>(count), std::vector<double>(static_cast<std::size_t>(dim)));
    for (auto& row : rows.values) {
        for (double& component : row) component = normal(random);
    }
    return rows;
}

Rows clustered_rows(std::int64_t count, std::int64_t dim, std::int64_t clusters, double spread,
                    std::mt19937_64& random) {
    const Rows centers = gaussian_rows(clusters, dim, random);
    Rows rows = gaussian_rows(count, dim, random);
    for (auto& row : rows.values) {
        const auto& center = centers.values[random() % static_cast<std::uint64_t>(clusters)];
        for (std::size_t c = 0; c < row.size(); ++c) row[c] = center[c] + spread * row[c];
    }
    return rows;
}

double distance(const std::vector<double>& x, const std::vector<double>& y, Metric metric) {
    long double dot = 0, xx = 0, yy = 0, squares = 0, magnitudes = 0, bits = 0;
    for (std::size_t c = 0; c < x.size(); ++c) {
        const auto a = static_cast<long double>(x[c]), b = static_cast<long double>(y[c]);
        dot += a * b;
        xx += a * a;
        yy += b * b;
        squares += (a - b) * (a - b);
        magnitudes += std::abs(a - b);
        bits += (x[c] > 0.5) != (y[c] > 0.5);
    }
    switch (metric) {
        case Metric::angular: {
            const long double cosine = dot / (std::sqrt(xx) * std::sqrt(yy));
            return static_cast<double>(std::sqrt(std::max(0.0L, 2 - 2 * cosine)));
        }
        case Metric::euclidean: return static_cast<double>(std::sqrt(squares));
        case Metric::manhattan: return static_cast<double>(magnitudes);
        case Metric::hamming: return static_cast<double>(bits);
        case Metric::dot: return static_cast<double>(-dot);
    }
    return 0;
}

double weight(double d, std::int64_t dim, const grouplink::LinkOptions& options) {
    switch (options.metric) {
        case Metric::angular: {
            const double cosine = 1 - d * d / 2;
            if (options.similarity == grouplink::Similarity::half_cosine) return (1 + cosine) / 2;
            if (options.similarity == grouplink::Similarity::cosine) return std::max(0.0, cosine);
            return 1 - d / 2;
        }
        case Metric::euclidean:
        case Metric::manhattan: return 1 / (1 + d);
        case Metric::hamming: return 1 - d / static_cast<double>(dim);
        case Metric::dot: return -d;
    }
    return 0;
}

std::string check(const Rows& rows, const grouplink::GroupColumn& groups, const std::vector<bool>& ok,
                  const grouplink::LinkOptions& options, const grouplink::CsrGraph& graph, double tolerance) {
    const auto count = static_cast<std::size_t>(rows.size());
    if (graph.offsets.size() != count + 1) return fmt::format("{} offsets", graph.offsets.size());
    if (graph.targets.size() != graph.weights.size() ||
        graph.offsets.back() != static_cast<std::int64_t>(graph.targets.size())) {
        return "array sizes differ";
    }
    std::map<std::int32_t, std::vector<std::int64_t>> members;
    for (std::size_t row = 0; row < count; ++row) {
        if (ok[row]) members[groups.codes[row]].push_back(static_cast<std::int64_t>(row));
    }

    // Brute force: the k nearest, the cut, the mode. Ties at the k-th place, and links at the cut, within
    // the tolerance may go either way, so each pair is sure, impossible, or allowed.
    struct Pair {
        bool sure = true;
        double weight = 0;
    };
    std::vector<std::map<std::int64_t, Pair>> directed(count);
    std::map<std::int32_t, std::vector<double>> weights_of;
    std::vector<double> all_weights;
    for (const auto& [code, group] : members) {
        for (const std::int64_t row : group) {
            const auto near = all_neighbors(rows, group, row, options.metric);
            const std::size_t k = std::min(near.size(), static_cast<std::size_t>(options.n_nearest));
            if (k == 0) continue;
            const auto dim = static_cast<std::int64_t>(rows.values[static_cast<std::size_t>(row)].size());
            for (std::size_t i = 0; i < near.size(); ++i) {
                const double w = weight(near[i].first, dim, options);
                if (i < k) {
                    weights_of[code].push_back(w);
                    all_weights.push_back(w);
                } else if (!close(near[i].first, near[k - 1].first, tolerance)) {
                    break;
                }
                const bool tie = k < near.size() && close(near[i].first, near[k - 1].first, tolerance) &&
                                 close(near[k].first, near[k - 1].first, tolerance);
                directed[static_cast<std::size_t>(row)][near[i].second] = {.sure = !tie, .weight = w};
            }
        }
    }
    const auto cut_of = [&](std::int32_t code) {
        const auto& pool =
            options.quantile_scope == grouplink::QuantileScope::group ? weights_of[code] : all_weights;
        if (options.similarity_min_q == 0 || pool.empty()) return options.similarity_min;
        return std::max(options.similarity_min, quantile(pool, options.similarity_min_q));
    };
    std::map<std::int32_t, double> cuts;
    for (const auto& [code, group] : members) cuts[code] = cut_of(code);

    std::vector<std::map<std::int64_t, Pair>> expected(count);
    for (std::size_t row = 0; row < count; ++row) {
        for (const auto& [target, pair] : directed[row]) {
            const double cut = cuts[groups.codes[row]];
            const bool at_cut = close(pair.weight, cut, tolerance);
            if (pair.weight < cut && !at_cut) continue;
            const Pair kept{.sure = pair.sure && !at_cut, .weight = pair.weight};
            const auto back = directed[static_cast<std::size_t>(target)].find(static_cast<std::int64_t>(row));
            const bool both = back != directed[static_cast<std::size_t>(target)].end();
            switch (options.links) {
                case grouplink::LinkMode::directed: expected[row][target] = kept; break;
                case grouplink::LinkMode::mutual:
                    if (both)
                        expected[row][target] = {.sure = kept.sure && back->second.sure,
                                                 .weight = kept.weight};
                    break;
                case grouplink::LinkMode::symmetric: {
                    Pair& here =
                        expected[row].try_emplace(target, Pair{.sure = false, .weight = 0}).first->second;
                    here = {.sure = here.sure || kept.sure, .weight = kept.weight};
                    Pair& there =
                        expected[static_cast<std::size_t>(target)]
                            .try_emplace(static_cast<std::int64_t>(row), Pair{.sure = false, .weight = 0})
                            .first->second;
                    there = {.sure = there.sure || kept.sure, .weight = kept.weight};
                    break;
                }
            }
        }
    }

    for (std::size_t row = 0; row < count; ++row) {
        std::set<std::int64_t> seen;
        const auto first = static_cast<std::size_t>(graph.offsets[row]);
        const auto last = static_cast<std::size_t>(graph.offsets[row + 1]);
        for (std::size_t i = first; i < last; ++i) {
            const std::int64_t target = graph.targets[i];
            const auto found = expected[row].find(target);
            if (found == expected[row].end()) return fmt::format("row {} should not link to {}", row, target);
            if (!seen.insert(target).second) return fmt::format("row {} links to {} twice", row, target);
            if (!close(static_cast<double>(graph.weights[i]), found->second.weight, tolerance)) {
                return fmt::format("row {} to {}: weight {}, expected {}", row, target, graph.weights[i],
                                   found->second.weight);
            }
            if (i > first && graph.weights[i] > graph.weights[i - 1])
                return fmt::format("row {}: weights rise", row);
        }
        for (const auto& [target, pair] : expected[row]) {
            if (pair.sure && !seen.contains(target))
                return fmt::format("row {} should link to {}", row, target);
        }
        if (options.links == grouplink::LinkMode::directed && options.similarity_min_q == 0 &&
            options.similarity_min <= -1e30 && ok[row]) {
            const std::size_t others = members[groups.codes[row]].size() - 1;
            const std::size_t k = std::min(others, static_cast<std::size_t>(options.n_nearest));
            if (last - first != k)
                return fmt::format("row {} has {} links, expected {}", row, last - first, k);
        }
    }
    return "";
}

}  // namespace oracle
