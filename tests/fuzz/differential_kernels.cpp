#include "differential.hpp"

#include "kernels/kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

using namespace grouplink;

namespace differential {
namespace {

using kernels::PairOp;
using kernels::Table;

std::vector<const Table*> tables() {
    std::vector<const Table*> found;
    for (const auto isa : kernels::all_isas) {
        if (const Table* const table = kernels::find(isa)) found.push_back(table);
    }
    return found;
}

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

std::int64_t some_size(Random& random) {
    return one_in(random, 2) ? between(random, 1, 40) : 16 * between(random, 1, 40) + between(random, -1, 1);
}

/// Numbers of one of several kinds, from zeros and denormals to the largest that squares can be added of.
std::vector<double> some_values(std::int64_t n, Random& random) {
    std::normal_distribution<double> normal;
    const int kind = static_cast<int>(between(random, 0, 6));
    const double scale = std::exp2(static_cast<double>(between(random, -400, 400)));
    std::vector<double> values(static_cast<std::size_t>(n));
    for (double& value : values) {
        switch (kind) {
            case 0: value = normal(random); break;
            case 1: value = normal(random) * scale; break;
            case 2: value = one_in(random, 3) ? 0.0 : -0.0; break;
            case 3: value = normal(random) * 5e-324 * 1e3; break;
            case 4: value = normal(random) * std::exp2(static_cast<double>(between(random, -60, 60))); break;
            case 5: value = static_cast<double>(between(random, -2, 2)); break;
            default: value = one_in(random, 4) ? normal(random) * 1e9 : normal(random) * 1e-9;
        }
    }
    return values;
}

std::vector<double> padded(const std::vector<double>& values) {
    std::vector<double> row(kernels::padded(values.size()), 0.0);
    std::copy(values.begin(), values.end(), row.begin());
    return row;
}

/// The kernels on doubles: right, and the same bits under every instruction set.
std::string check_doubles(Random& random) {
    const std::int64_t n = some_size(random);
    const std::vector<double> x = padded(some_values(n, random));
    const std::vector<double> y = one_in(random, 5) ? x : padded(some_values(n, random));
    long double dot = 0;
    long double scale = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        dot += static_cast<long double>(x[i]) * static_cast<long double>(y[i]);
        scale += std::abs(static_cast<long double>(x[i]) * static_cast<long double>(y[i]));
    }
    const auto pair = [&](const Table& table, PairOp op) {
        double out = 0.0;
        table.pairs_with(op, x.data(), 1, x.size(), y.data(), x.size(), &out);
        return out;
    };
    const double x_factor = std::exp2(static_cast<double>(between(random, -300, 300)));
    const Table& first = *tables().front();
    const double first_dot = first.dot(x.data(), y.data(), x.size());
    // Products below the least normal number lose digits.
    const long double allowed = 1e-13L * scale + 1e-300L;
    if (std::abs(static_cast<long double>(first_dot) - dot) > allowed) {
        return fmt::format("dot of {}: {}, in long double {}", n, first_dot, static_cast<double>(dot));
    }
    for (const Table* const table : tables()) {
        const auto differs = [&](std::string_view what, double a, double b) {
            return fmt::format("{} of {} under {}: {} and {}", what, n, name(table->isa), a, b);
        };
        const double own_dot = table->dot(x.data(), y.data(), x.size());
        if (bits(own_dot) != bits(first_dot)) return differs("dot", own_dot, first_dot);
        for (const PairOp op : {PairOp::dot, PairOp::squared_l2, PairOp::l1}) {
            if (bits(pair(*table, op)) != bits(pair(first, op))) {
                return differs("a pair", pair(*table, op), pair(first, op));
            }
        }
        const double scaled = table->squared_l2_scaled(x.data(), x_factor, y.data(), 0.7, x.size());
        const double first_scaled = first.squared_l2_scaled(x.data(), x_factor, y.data(), 0.7, x.size());
        if (bits(scaled) != bits(first_scaled)) return differs("squared_l2_scaled", scaled, first_scaled);
    }
    return "";
}

/// Values as they are stored: loaded, measured, and multiplied by a row.
std::string check_stored(Random& random) {
    const auto type = static_cast<ElementType>(between(random, 0, 3));
    const auto n = static_cast<std::size_t>(some_size(random));
    std::vector<unsigned char> stored(n * element_size(type) + 1);
    for (unsigned char& byte : stored) byte = static_cast<unsigned char>(random());
    // From any address: rows of a mapped file stand where they stand.
    const void* const values = stored.data() + (type == ElementType::int8 ? 1 : 0);
    std::vector<double> x = padded(some_values(static_cast<std::int64_t>(n), random));
    for (double& value : x) {  // for products to be exact, as they are of rows of one type
        const auto largest = static_cast<double>(std::numeric_limits<float>::max());
        value = static_cast<double>(static_cast<float>(std::clamp(value, -largest, largest)));
    }
    const Table& first = *tables().front();
    std::vector<double> first_loaded(kernels::padded(n));
    first.load(values, type, n, first_loaded.data());
    const kernels::Extent first_extent = first.extent(values, type, n);
    for (const Table* const table : tables()) {
        std::vector<double> loaded(kernels::padded(n) + 1, 7.0);
        table->load(values, type, n, loaded.data());
        const kernels::Extent extent = table->extent(values, type, n);
        const auto differs = [&](std::string_view what) {
            return fmt::format("{} of {} of type {} under {}", what, n, static_cast<int>(type),
                               name(table->isa));
        };
        for (std::size_t i = 0; i < first_loaded.size(); ++i) {
            const bool both_nan = std::isnan(loaded[i]) && std::isnan(first_loaded[i]);
            if (!both_nan && bits(loaded[i]) != bits(first_loaded[i])) return differs("load");
        }
        if (loaded.back() != 7.0) return differs("load past the end");
        if (extent.finite != first_extent.finite) return differs("extent");
        if (!extent.finite || type == ElementType::float64) continue;
        if (bits(extent.max_abs) != bits(first_extent.max_abs)) return differs("the extent's magnitude");
        double inner = 0.0;
        table->dots_with_stored(x.data(), &values, 1, type, n, &inner);
        if (bits(inner) != bits(first.dot(x.data(), first_loaded.data(), x.size())))
            return differs("dots_with_stored");
    }
    return "";
}

/// What ranks and collects: whole results, the same under every instruction set.
std::string check_ranks(Random& random) {
    const auto n = static_cast<std::size_t>(between(random, 0, 300));
    std::vector<float> scores(n);
    std::vector<float> offsets(n);
    std::vector<float> thresholds(n);
    const auto some = [&] {
        return static_cast<float>(between(random, -20, 20)) * (one_in(random, 9) ? 1e30F : 0.1F);
    };
    for (std::size_t i = 0; i < n; ++i) {
        scores[i] = some();
        offsets[i] = one_in(random, 2) ? 0.0F : some();
        thresholds[i] = one_in(random, 4) ? std::numeric_limits<float>::infinity() : some();
    }
    const float offset = some();
    const float threshold = some();
    std::vector<std::uint32_t> wanted;
    for (std::size_t j = 0; j < n; ++j) {
        const float s = scores[j] - offset - offsets[j];
        if (s >= threshold || s >= thresholds[j]) wanted.push_back(static_cast<std::uint32_t>(j));
    }
    for (const Table* const table : tables()) {
        std::vector<std::uint32_t> columns(n);
        std::vector<float> found(n);
        columns.resize(table->collect(scores.data(), offset, offsets.data(), threshold, thresholds.data(), n,
                                      columns.data(), found.data()));
        if (columns != wanted) return fmt::format("collect of {} under {}", n, name(table->isa));
        const std::size_t few = std::min(n, table->few_keys);
        std::vector<std::uint32_t> ranks(few);
        std::iota(ranks.begin(), ranks.end(), 0U);
        std::stable_sort(ranks.begin(), ranks.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return scores[a] < scores[b]; });
        for (const std::size_t k : {few, few / 2, few / 5}) {
            std::vector<std::uint32_t> order(few);
            table->rank_floats(scores.data(), few, k, order.data());
            order.resize(k);
            if (!std::equal(order.begin(), order.end(), ranks.begin())) {
                return fmt::format("rank_floats of {} in {} under {}", k, few, name(table->isa));
            }
        }
    }
    return "";
}

/// Tiles of floats and of bits, against sums in double; their order of summation is each set's own.
std::string check_tiles(Random& random) {
    const auto dim = static_cast<std::size_t>(some_size(random));
    const auto na = static_cast<std::size_t>(between(random, 1, 40));
    const auto nb = static_cast<std::size_t>(between(random, 1, 70));
    const auto rows_of = [&](std::size_t count) {
        std::normal_distribution<float> normal;
        const float scale = std::exp2(static_cast<float>(between(random, -40, 40)));
        std::vector<float> rows(count * dim);
        for (float& value : rows) value = one_in(random, 20) ? 0.0F : normal(random) * scale;
        return rows;
    };
    const std::vector<float> a = rows_of(na);
    const std::vector<float> b = rows_of(nb);
    for (const Table* const table : tables()) {
        std::vector<float> packed(kernels::packed_floats(nb, dim));
        std::vector<float> inner(na * nb);
        std::vector<float> l1(na * nb);
        if (table->ip_tile)
            table->ip_tile(a.data(), na, b.data(), nb, dim, false, packed.data(), inner.data());
        table->l1_tile(a.data(), na, b.data(), nb, dim, l1.data());
        for (std::size_t i = 0; i < na; ++i) {
            for (std::size_t j = 0; j < nb; ++j) {
                double sum = 0;
                double magnitudes = 0;
                double distance = 0;
                double largest = 0;
                for (std::size_t c = 0; c < dim; ++c) {
                    const auto x = static_cast<double>(a[i * dim + c]);
                    const auto y = static_cast<double>(b[j * dim + c]);
                    sum += x * y;
                    magnitudes += std::abs(x * y);
                    distance += std::abs(x - y);
                    largest = std::max({largest, std::abs(x), std::abs(y)});
                }
                const double each = 0x1p-23 * static_cast<double>(dim + 2);
                const auto at = i * nb + j;
                if (table->ip_tile &&
                    std::abs(static_cast<double>(inner[at]) - sum) > each * magnitudes + 1e-30) {
                    return fmt::format("ip_tile of {} x {} of {} under {}: {}, not {}", na, nb, dim,
                                       name(table->isa), inner[at], sum);
                }
                if (std::abs(static_cast<double>(l1[at]) + distance) > each * (distance + largest)) {
                    return fmt::format("l1_tile of {} x {} of {} under {}: {}, not {}", na, nb, dim,
                                       name(table->isa), l1[at], -distance);
                }
            }
        }
    }
    return "";
}

/// Codes of one byte: no pair that reaches a threshold may be missed. Of two: no bound is below the product,
/// or farther above it than the errors say, and a pair has the bound that a tile has.
std::string check_codes(Random& random) {
    const Table* const tiles = kernels::find(kernels::Isa::avx512amx);
    const Table* const table = tiles && one_in(random, 2) ? tiles : kernels::find(kernels::Isa::avx512vnni);
    if (!table) return "";
    const auto dim = static_cast<std::size_t>(some_size(random));
    const std::size_t stride = kernels::narrow_padded(dim);
    const auto count = static_cast<std::size_t>(between(random, 2, 90));
    std::vector<float> rows(count * dim);
    std::vector<std::int8_t> codes(2 * count * stride);
    std::vector<float> scales(count), errors(count), norms(count), offsets(count, 0.0F), thresholds(count);
    std::vector<float> fine_errors(count);
    std::vector<std::int32_t> sums(count), fine_sums(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::vector<double> values = some_values(static_cast<std::int64_t>(dim), random);
        for (std::size_t c = 0; c < dim; ++c) {
            const double largest = 1e15;
            rows[i * dim + c] = static_cast<float>(std::clamp(values[c], -largest, largest));
        }
        std::int8_t* const first = codes.data() + i * stride;
        const kernels::NarrowRow row =
            table->quantize(rows.data() + i * dim, dim, first, first + count * stride);
        scales[i] = row.scale;
        sums[i] = row.sum;
        fine_sums[i] = row.fine_sum;
        errors[i] = row.error;
        fine_errors[i] = row.fine_error;
        norms[i] = row.norm;
    }
    const kernels::NarrowRows all{codes.data(), scales.data(), sums.data(), errors.data(), norms.data()};
    std::vector<double> exact(count * count);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) {
            double sum = 0;
            for (std::size_t c = 0; c < dim; ++c) {
                sum += static_cast<double>(rows[i * dim + c]) * static_cast<double>(rows[j * dim + c]);
            }
            exact[i * count + j] = sum;
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        const double at =
            exact[i * count + static_cast<std::size_t>(between(random, 0, std::ssize(rows) - 1)) % count];
        thresholds[i] = one_in(random, 3) ? std::numeric_limits<float>::infinity() : static_cast<float>(at);
    }
    std::vector<std::uint32_t> packed(kernels::narrow_packed_words(count, dim));
    std::vector<std::uint32_t> pairs(count * count + kernels::narrow_pairs_beyond);
    const kernels::NarrowLimits limits{offsets.data(), thresholds.data()};
    pairs.resize(table->s8_collect(all, count, limits, all, count, limits, dim, false, count * count,
                                   packed.data(), pairs.data()));
    std::sort(pairs.begin(), pairs.end());
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) {
            const auto least = static_cast<double>(std::min(thresholds[i], thresholds[j]));
            const double slack = 0x1p-20 * (std::abs(exact[i * count + j]) + std::abs(least) +
                                            static_cast<double>(norms[i]) * static_cast<double>(norms[j])) +
                                 1e-28;
            if (exact[i * count + j] < least + slack) continue;
            if (!std::binary_search(pairs.begin(), pairs.end(), static_cast<std::uint32_t>(i << 16 | j))) {
                return fmt::format("s8_collect of {} rows of {}: {} and {} are missed", count, dim, i, j);
            }
        }
    }

    const kernels::FineRows fine{all, count * stride, fine_sums.data(), fine_errors.data()};
    packed.resize(2 * packed.size());
    std::vector<float> bounds(count * count);
    table->s16_tile(fine, count, fine, count, dim, false, packed.data(), bounds.data());
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) {
            const auto bound = static_cast<double>(bounds[i * count + j]);
            const double each = static_cast<double>(fine_errors[i]) * static_cast<double>(norms[j]) +
                                static_cast<double>(norms[i]) * static_cast<double>(fine_errors[j]);
            const double most = exact[i * count + j] + 2.0 * each;
            const double rounding = 0x1p-20 * (std::abs(most) + each) + 1e-28;
            // A bound past the largest float says nothing, and is right.
            if (bound + rounding < exact[i * count + j] ||
                (std::isfinite(bound) && bound > most + rounding)) {
                return fmt::format("s16_tile of {} rows of {}: {} and {} come to {}, not {} and {} at most",
                                   count, dim, i, j, bound, exact[i * count + j], each);
            }
        }
    }
    std::vector<float> of_pairs(pairs.size());
    table->s16_pairs(fine, fine, pairs.data(), pairs.size(), dim, of_pairs.data());
    for (std::size_t m = 0; m < pairs.size(); ++m) {
        const float bound = bounds[(pairs[m] >> 16) * count + (pairs[m] & 0xffff)];
        if (std::bit_cast<std::uint32_t>(of_pairs[m]) != std::bit_cast<std::uint32_t>(bound)) {
            return fmt::format("s16_pairs of {} rows of {}: {}, not {}", count, dim, of_pairs[m], bound);
        }
    }
    return "";
}

}  // namespace

std::string check_kernels(Random& random) {
    switch (between(random, 0, 4)) {
        case 0: return check_doubles(random);
        case 1: return check_stored(random);
        case 2: return check_ranks(random);
        case 3: return check_tiles(random);
        default: return check_codes(random);
    }
}

}  // namespace differential
