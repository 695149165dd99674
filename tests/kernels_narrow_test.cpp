#include "kernels/kernels.hpp"
#include "support/emulated_tiles.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

using namespace grouplink;

namespace {

/// In turn each set that has kernels of int8 codes, of which a test case is run once each; null where this
/// CPU lacks one: there is nothing to test then.
const kernels::Table* narrow_set() {
    const kernels::Table* set = nullptr;
    SUBCASE("VNNI") { set = kernels::find(kernels::Isa::avx512vnni); }
    SUBCASE("tiles") { set = kernels::find(kernels::Isa::avx512amx); }
#if defined(__x86_64__)
    SUBCASE("emulated tiles") {
        if (kernels::find(kernels::Isa::avx512vnni)) set = &kernels::emulated_tiles_table;
    }
#endif
    return set;
}

constexpr std::int8_t unwritten = 99;

/// Rows of codes with what belongs to them.
struct Codes {
    std::size_t stride;
    std::vector<std::int8_t> codes;  ///< then, as many, the second bytes
    std::vector<float> scales, errors, fine_errors, norms;
    std::vector<std::int32_t> sums, fine_sums;

    Codes(std::size_t rows, std::size_t dim)
        : stride(kernels::narrow_padded(dim)),
          codes(2 * rows * stride, 0),
          scales(rows, 0.0F),
          errors(rows, 0.0F),
          fine_errors(rows, 0.0F),
          norms(rows, 0.0F),
          sums(rows, 0),
          fine_sums(rows, 0) {}

    kernels::NarrowRows view() const {
        return {codes.data(), scales.data(), sums.data(), errors.data(), norms.data()};
    }
    kernels::FineRows fine_view() const {
        return {view(), codes.size() / 2, fine_sums.data(), fine_errors.data()};
    }
};

/// Codes of the whole range, the extremes often; scales, errors and norms are powers of two.
Codes random_codes(std::size_t rows, std::size_t dim, std::mt19937_64& random) {
    Codes result(rows, dim);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t c = 0; c < dim; ++c) {
            const int code = static_cast<int>(random() % 255) - 127;
            const int extreme = code < 0 ? -127 : 127;
            result.codes[i * result.stride + c] = static_cast<std::int8_t>(random() % 3 ? code : extreme);
            result.sums[i] += result.codes[i * result.stride + c];
            const int fine = static_cast<int>(random() % 256) - 128;
            auto& second = result.codes[result.codes.size() / 2 + i * result.stride + c];
            second = static_cast<std::int8_t>(random() % 3 ? fine : -128);
            result.fine_sums[i] += second;
        }
        result.fine_errors[i] = std::exp2(static_cast<float>(random() % 4) - 8.0F);
        result.scales[i] = std::exp2(static_cast<float>(random() % 4));
        result.errors[i] = std::exp2(static_cast<float>(random() % 4));
        result.norms[i] = std::exp2(static_cast<float>(random() % 4));
    }
    return result;
}

std::int64_t dot(const Codes& a, std::size_t i, const Codes& b, std::size_t j) {
    return std::inner_product(a.codes.data() + i * a.stride, a.codes.data() + (i + 1) * a.stride,
                              b.codes.data() + j * b.stride, std::int64_t{0});
}

float score(const Codes& a, std::size_t i, const Codes& b, std::size_t j) {
    return static_cast<float>(dot(a, i, b, j)) * (a.scales[i] * b.scales[j]);
}

kernels::NarrowRow quantize_into(const kernels::Table* narrow, Codes& codes, std::size_t i,
                                 const std::vector<float>& row) {
    std::int8_t* out = codes.codes.data() + i * codes.stride;
    std::int8_t* fine = out + codes.codes.size() / 2;
    std::fill_n(out, codes.stride, unwritten);
    std::fill_n(fine, codes.stride, unwritten);
    const kernels::NarrowRow narrow_row = narrow->quantize(row.data(), row.size(), out, fine);
    codes.scales[i] = narrow_row.scale;
    codes.sums[i] = narrow_row.sum;
    codes.errors[i] = narrow_row.error;
    codes.norms[i] = narrow_row.norm;
    codes.fine_sums[i] = narrow_row.fine_sum;
    codes.fine_errors[i] = narrow_row.fine_error;
    return narrow_row;
}

/// Rows that codes represent well, badly or not at all.
std::vector<std::vector<float>> hard_rows(std::size_t dim, std::mt19937_64& random) {
    constexpr float largest = std::numeric_limits<float>::max();
    std::normal_distribution<float> normal;
    const auto of = [&](auto component) {
        std::vector<float> row(dim);
        for (std::size_t c = 0; c < dim; ++c) row[c] = component(c);
        return row;
    };
    std::vector<std::vector<float>> rows;
    for (int i = 0; i < 5; ++i) rows.push_back(of([&](std::size_t) { return normal(random); }));
    rows.push_back(of([](std::size_t) { return 0.0F; }));
    rows.push_back(of([](std::size_t) { return -0.0F; }));
    rows.push_back(of([](std::size_t) { return std::numeric_limits<float>::denorm_min(); }));
    rows.push_back(of([&](std::size_t) { return normal(random) * 0x1p-140F; }));
    rows.push_back(of([&](std::size_t) { return normal(random) * 0x1p-99F; }));
    rows.push_back(of([](std::size_t c) { return c % 2 ? largest : -largest; }));
    rows.push_back(of([](std::size_t c) { return c ? 1e-3F : largest; }));
    // One component takes the range: the others are just below, at and above half a step.
    for (const float half : {std::nextafter(0.5F, 0.0F), 0.5F, std::nextafter(0.5F, 1.0F)}) {
        rows.push_back(of([&](std::size_t c) { return c ? half : 127.0F; }));
        rows.push_back(of([&](std::size_t c) { return c ? (c % 2 ? half : -half) : -127.0F; }));
    }
    rows.push_back(of([&](std::size_t) { return std::exp2(static_cast<float>(random() % 60) - 30.0F); }));
    return rows;
}

}  // namespace

TEST_CASE("a set has all kernels of int8 codes or none") {
    for (const auto isa : kernels::all_isas) {
        const kernels::Table* table = kernels::find(isa);
        if (!table) continue;
        const bool wanted = isa >= kernels::Isa::avx512vnni;
        CHECK((table->quantize != nullptr) == wanted);
        CHECK((table->s8_tile != nullptr) == wanted);
        CHECK((table->s8_collect != nullptr) == wanted);
        CHECK((table->s16_tile != nullptr) == wanted);
        CHECK((table->s16_pairs != nullptr) == wanted);
        CHECK((table->dot_s8 != nullptr) == wanted);
    }
}

TEST_CASE("codes are within half a step, and the norms bound what they stand for") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    std::mt19937_64 random(1);
    for (const std::size_t dim : {1U, 2U, 15U, 16U, 17U, 63U, 64U, 65U, 384U, 1000U}) {
        Codes codes(1, dim);
        for (const std::vector<float>& row : hard_rows(dim, random)) {
            const kernels::NarrowRow found = quantize_into(narrow, codes, 0, row);
            float largest = 0;
            for (const float value : row) largest = std::max(largest, std::abs(value));
            CAPTURE(dim);
            CAPTURE(largest);
            CHECK(found.scale == (largest < 0x1p-100F ? 0.0F : largest / 127.0F));
            long double squares = 0, near_squares = 0, nearer_squares = 0, errors = 0, fine_errors = 0;
            std::int32_t sum = 0, fine_sum = 0;
            for (std::size_t c = 0; c < codes.stride; ++c) {
                const int code = codes.codes[c];
                const int fine = codes.codes[codes.stride + c];
                sum += code;
                fine_sum += fine;
                CHECK(std::abs(code) <= 127);
                if (c >= dim) {
                    CHECK(code == 0);
                    CHECK(fine == 0);
                    continue;
                }
                const long double value = static_cast<long double>(row[c]);
                const long double near = static_cast<long double>(found.scale) * code;
                const long double nearer = static_cast<long double>(found.scale) * (code + fine / 256.0L);
                if (found.scale > 0.0F) {
                    const auto step = static_cast<long double>(found.scale);
                    CHECK(std::abs(value - near) <= 0.5025L * step);
                    CHECK(std::abs(value - nearer) <= 0.5105L * step / 256);
                }
                nearer_squares += nearer * nearer;
                fine_errors += (value - nearer) * (value - nearer);
                squares += value * value;
                near_squares += near * near;
                errors += (value - near) * (value - near);
            }
            CHECK(found.sum == sum);
            CHECK(found.fine_sum == fine_sum);
            const auto bounds = [](float bound, long double value) {
                const auto nearest = static_cast<float>(value);
                const float inf = std::numeric_limits<float>::infinity();
                return static_cast<long double>(bound) >= value &&
                       bound <= std::nextafter(std::nextafter(nearest, inf), inf);
            };
            const long double twice = 2 * static_cast<long double>(found.fine_error);
            CHECK(bounds(found.fine_error, std::sqrt(fine_errors)));
            CHECK(bounds(found.error, std::sqrt(errors) + twice));
            const long double norm = std::sqrt(std::max({squares, near_squares, nearer_squares}));
            CHECK(static_cast<long double>(found.norm) >= norm);
            if (std::isfinite(found.norm)) {
                CHECK(static_cast<long double>(found.norm) <=
                      (norm + 2 * (std::sqrt(errors) + twice)) * 1.000001L);
            }
            // The first bytes are the same without room for the second ones.
            std::vector<std::int8_t> alone(codes.stride, unwritten);
            CHECK(narrow->quantize(row.data(), dim, alone.data(), nullptr).error == found.error);
            CHECK(std::equal(alone.begin(), alone.end(), codes.codes.begin()));
        }
    }
}

TEST_CASE("the error of a score is within the bound, whatever the rows") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    std::mt19937_64 random(2);
    for (const std::size_t dim : {1U, 3U, 64U, 100U, 384U}) {
        std::vector<std::vector<float>> rows = hard_rows(dim, random);
        // Rows along the error of another: nothing is farther from its score.
        Codes codes(1, dim);
        for (std::size_t i = 0, given = rows.size(); i < given; ++i) {
            const kernels::NarrowRow found = quantize_into(narrow, codes, 0, rows[i]);
            std::vector<float> along(dim);
            for (std::size_t c = 0; c < dim; ++c) {
                const double near = static_cast<double>(found.scale) * codes.codes[c];
                along[c] = static_cast<float>(static_cast<double>(rows[i][c]) - near);  // finite, this way
            }
            rows.push_back(along);
        }
        codes = Codes(rows.size(), dim);
        for (std::size_t i = 0; i < rows.size(); ++i) quantize_into(narrow, codes, i, rows[i]);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            for (std::size_t j = 0; j < rows.size(); ++j) {
                double exact = 0, magnitudes = 0;
                for (std::size_t c = 0; c < dim; ++c) {
                    const double product = static_cast<double>(rows[i][c]) * static_cast<double>(rows[j][c]);
                    exact += product;
                    magnitudes += std::abs(product);
                }
                const double narrow_score = static_cast<double>(dot(codes, i, codes, j)) *
                                            static_cast<double>(codes.scales[i]) *
                                            static_cast<double>(codes.scales[j]);
                const auto of = [](float value) { return static_cast<double>(value); };
                const double bound =
                    of(codes.errors[i]) * of(codes.norms[j]) + of(codes.norms[i]) * of(codes.errors[j]);
                if (std::isnan(bound)) continue;  // 0 * infinity: norms past the largest float
                CHECK(std::abs(exact - narrow_score) <= bound + 1e-12 * magnitudes);
            }
        }
    }
}

TEST_CASE("tiles of codes hold what the pairs say one by one") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    std::mt19937_64 random(3);
    for (const std::size_t dim : {1U, 3U, 4U, 5U, 63U, 64U, 65U, 100U, 384U}) {
        for (const std::size_t na : {1U, 3U, 4U, 11U, 12U, 13U, 16U, 29U, 70U}) {
            for (const std::size_t nb : {1U, 15U, 16U, 17U, 31U, 32U, 33U, 64U, 70U}) {
                CAPTURE(dim);
                CAPTURE(na);
                CAPTURE(nb);
                const Codes a = random_codes(na, dim, random);
                const Codes b = random_codes(nb, dim, random);
                // The scratch of another tile must not show.
                std::vector<std::uint32_t> packed(kernels::narrow_packed_words(nb, dim), 0x12345678U);
                std::vector<float> scores(na * nb + 1, -1.0F);
                narrow->s8_tile(a.view(), na, b.view(), nb, dim, false, packed.data(), scores.data());
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < na; ++i) {
                    for (std::size_t j = 0; j < nb; ++j) wrong += scores[i * nb + j] != score(a, i, b, j);
                }
                CHECK(scores.back() == -1.0F);
                std::vector<float> own(nb * nb + 1, -1.0F);
                narrow->s8_tile(b.view(), nb, b.view(), nb, dim, true, packed.data(), own.data());
                for (std::size_t i = 0; i < nb; ++i) {
                    for (std::size_t j = i; j < nb; ++j) wrong += own[i * nb + j] != score(b, i, b, j);
                }
                CHECK(own.back() == -1.0F);
                CHECK(wrong == 0);
            }
        }
    }
}

TEST_CASE("the largest inner product of codes fits") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    constexpr std::size_t dim = kernels::most_narrow_dim;
    Codes rows(2, dim);
    for (std::size_t c = 0; c < dim; ++c) {
        rows.codes[c] = 127;
        rows.codes[rows.stride + c] = -127;
    }
    rows.sums = {127 * static_cast<int>(dim), -127 * static_cast<int>(dim)};
    rows.scales = {1.0F, 1.0F};
    std::vector<std::uint32_t> packed(kernels::narrow_packed_words(2, dim));
    std::vector<float> scores(4);
    narrow->s8_tile(rows.view(), 2, rows.view(), 2, dim, false, packed.data(), scores.data());
    const auto largest = static_cast<float>(std::int64_t{127 * 127} * std::int64_t{dim});
    CHECK(scores == std::vector<float>{largest, -largest, -largest, largest});
    const std::uint32_t selected[] = {1, 0};
    for (const std::size_t own : {0U, 1U}) {
        const std::int8_t* codes = rows.codes.data() + own * rows.stride;
        narrow->dot_s8(codes, 1.0F, rows.sums[own], rows.view(), selected, 2, dim, scores.data());
        CHECK(scores[own] == -largest);
        CHECK(scores[1 - own] == largest);
    }
}

TEST_CASE("collecting pairs of codes lets go only what is below both thresholds") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    std::mt19937_64 random(4);
    const float inf = std::numeric_limits<float>::infinity();
    for (const std::size_t dim : {1U, 50U, 64U, 200U}) {
        for (const std::size_t na : {1U, 5U, 12U, 40U}) {
            for (const std::size_t nb : {1U, 16U, 33U, 47U, 80U}) {
                for (const bool upper : {false, true}) {
                    // Whole numbers below 2^24 throughout: no roundings, and thresholds are met exactly.
                    Codes b = random_codes(nb, dim, random);
                    b.scales.assign(nb, 1.0F);
                    Codes a = upper ? b : random_codes(na, dim, random);
                    const std::size_t rows = upper ? nb : na;
                    a.scales.assign(rows, 1.0F);
                    const auto some = [&](std::size_t n) {
                        std::vector<float> values(n);
                        for (float& value : values) value = static_cast<float>(random() % 9) - 4.0F;
                        return values;
                    };
                    const std::vector<float> offsets_a = some(rows);
                    const std::vector<float> offsets_b = some(nb);
                    const auto bound_of = [&](std::size_t i, std::size_t j) {
                        return score(a, i, b, j) + a.errors[i] * b.norms[j] + a.norms[i] * b.errors[j] -
                               offsets_a[i] - offsets_b[j];
                    };
                    std::vector<float> thresholds_a(rows), thresholds_b(nb);
                    for (std::size_t i = 0; i < rows; ++i)
                        thresholds_a[i] = bound_of(i, random() % nb) + static_cast<float>(random() % 2);
                    for (std::size_t j = 0; j < nb; ++j)
                        thresholds_b[j] = random() % 9 ? inf : bound_of(random() % rows, j);
                    if (random() % 3 == 0) thresholds_b[nb / 2] = -inf;
                    std::vector<std::uint32_t> expected;
                    for (std::size_t i = 0; i < rows; ++i) {
                        for (std::size_t j = upper ? i + 1 : 0; j < nb; ++j) {
                            if (bound_of(i, j) >= std::min(thresholds_a[i], thresholds_b[j]))
                                expected.push_back(static_cast<std::uint32_t>(i << 16 | j));
                        }
                    }
                    CAPTURE(dim);
                    CAPTURE(rows);
                    CAPTURE(nb);
                    CAPTURE(upper);
                    std::vector<std::uint32_t> packed(kernels::narrow_packed_words(nb, dim), 0x12345678U);
                    const auto collect = [&](std::size_t most, std::vector<std::uint32_t>& pairs) {
                        pairs.assign(most + kernels::narrow_pairs_beyond + 1, 0xffffffffU);
                        const std::size_t count =
                            narrow->s8_collect(a.view(), rows, {offsets_a.data(), thresholds_a.data()},
                                               b.view(), nb, {offsets_b.data(), thresholds_b.data()}, dim,
                                               upper, most, packed.data(), pairs.data());
                        CHECK(pairs.back() == 0xffffffffU);
                        return count;
                    };
                    std::vector<std::uint32_t> pairs;
                    const std::size_t count = collect(rows * nb, pairs);
                    pairs.resize(count);
                    std::sort(pairs.begin(), pairs.end());
                    CHECK(pairs == expected);
                    if (count > 0) CHECK(collect(count - 1, pairs) > count - 1);
                    CHECK(collect(count, pairs) == count);
                }
            }
        }
    }
}

TEST_CASE("a bound that is no number lets the pair pass") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    Codes rows(2, 4);
    rows.norms = {std::numeric_limits<float>::infinity(), 1.0F};
    const std::vector<float> offsets(2, 0.0F);
    const std::vector<float> thresholds(2, 1.0F);
    std::vector<std::uint32_t> packed(kernels::narrow_packed_words(2, 4));
    std::vector<std::uint32_t> pairs(4 + kernels::narrow_pairs_beyond);
    const kernels::NarrowLimits limits{offsets.data(), thresholds.data()};
    CHECK(narrow->s8_collect(rows.view(), 2, limits, rows.view(), 2, limits, 4, true, 4, packed.data(),
                             pairs.data()) == 1);
    CHECK(pairs[0] == 1);
}

TEST_CASE("codes of selected rows give the products of the pairs") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    std::mt19937_64 random(5);
    for (const std::size_t dim : {1U, 64U, 65U, 384U}) {
        const Codes x = random_codes(1, dim, random);
        const Codes rows = random_codes(50, dim, random);
        for (std::size_t count = 0; count < 30; ++count) {
            std::vector<std::uint32_t> selected(count);
            for (std::uint32_t& row : selected) row = static_cast<std::uint32_t>(random() % 50);
            std::vector<float> out(count + 1, -1.0F);
            narrow->dot_s8(x.codes.data(), x.scales[0], x.sums[0], rows.view(), selected.data(), count, dim,
                           out.data());
            for (std::size_t m = 0; m < count; ++m) CHECK(out[m] == score(x, 0, rows, selected[m]));
            CHECK(out[count] == -1.0F);
        }
    }
}

namespace {

std::int64_t fine_dot(const Codes& a, std::size_t i, const Codes& b, std::size_t j) {
    std::int64_t sum = 0;
    for (std::size_t c = 0; c < a.stride; ++c) {
        const std::size_t x = i * a.stride + c;
        const std::size_t y = j * b.stride + c;
        sum += std::int64_t{a.codes[x] * 256 + a.codes[a.codes.size() / 2 + x]} *
               (b.codes[y] * 256 + b.codes[b.codes.size() / 2 + y]);
    }
    return sum;
}

}  // namespace

TEST_CASE("both bytes of codes give the products of tiles and pairs, with their errors, rounded up") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    std::mt19937_64 random(6);
    constexpr float unset = -1e30F;
    for (const std::size_t dim : {1U, 63U, 64U, 65U, 384U}) {
        for (const std::size_t nb : {1U, 8U, 31U, 45U}) {
            for (const bool upper : {false, true}) {
                const std::size_t na = upper ? nb : 19;
                const Codes b = random_codes(nb, dim, random);
                const Codes a = upper ? b : random_codes(na, dim, random);
                std::vector<float> tile(na * nb + 1, unset);
                std::vector<std::uint32_t> packed(2 * kernels::narrow_packed_words(nb, dim));
                narrow->s16_tile(a.fine_view(), na, b.fine_view(), nb, dim, upper, packed.data(),
                                 tile.data());
                CHECK(tile.back() == unset);
                std::vector<std::uint32_t> pairs;
                for (std::uint32_t i = 0; i < na; ++i) {
                    for (std::uint32_t j = upper ? i : 0; j < nb; ++j) {
                        pairs.push_back(i << 16 | j);
                        // Powers of two: nothing is rounded but the last sum, and that to a float.
                        const auto of = [](float value) { return static_cast<double>(value); };
                        const double expected = static_cast<double>(fine_dot(a, i, b, j)) * of(a.scales[i]) *
                                                    of(b.scales[j]) / 65536 +
                                                of(a.fine_errors[i]) * of(b.norms[j]) +
                                                of(a.norms[i]) * of(b.fine_errors[j]);
                        const double found = of(tile[i * nb + j]);
                        CHECK(found >= expected);
                        CHECK(of(std::nextafter(tile[i * nb + j], -std::numeric_limits<float>::infinity())) <
                              expected);
                    }
                }
                std::shuffle(pairs.begin(), pairs.end(), random);
                for (const std::size_t count :
                     {std::size_t{0}, std::size_t{1}, pairs.size() / 2, pairs.size()}) {
                    std::vector<float> out(count + 1, unset);
                    narrow->s16_pairs(a.fine_view(), b.fine_view(), pairs.data(), count, dim, out.data());
                    for (std::size_t m = 0; m < count; ++m) {
                        CHECK(out[m] == tile[(pairs[m] >> 16) * nb + (pairs[m] & 0xffff)]);
                    }
                    CHECK(out[count] == unset);
                }
            }
        }
    }
}

TEST_CASE("what both bytes say of rows bounds their product, and the first ones say no less") {
    const kernels::Table* const narrow = narrow_set();
    if (!narrow) return;
    std::mt19937_64 random(7);
    for (const std::size_t dim : {1U, 3U, 64U, 100U, 384U}) {
        const std::vector<std::vector<float>> rows = hard_rows(dim, random);
        Codes codes(rows.size(), dim);
        for (std::size_t i = 0; i < rows.size(); ++i) quantize_into(narrow, codes, i, rows[i]);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            for (std::size_t j = 0; j < rows.size(); ++j) {
                long double exact = 0, magnitudes = 0;
                for (std::size_t c = 0; c < dim; ++c) {
                    const long double product =
                        static_cast<long double>(rows[i][c]) * static_cast<long double>(rows[j][c]);
                    exact += product;
                    magnitudes += std::abs(product);
                }
                if (!(magnitudes < 1e36L)) continue;
                const std::uint32_t pair = static_cast<std::uint32_t>(i << 16 | j);
                float found;
                narrow->s16_pairs(codes.fine_view(), codes.fine_view(), &pair, 1, dim, &found);
                if (std::isnan(found) || std::isinf(found)) continue;
                const auto of = [](float value) { return static_cast<long double>(value); };
                CHECK(of(found) >= exact - 1e-12L * magnitudes);
                const long double width = of(codes.fine_errors[i]) * of(codes.norms[j]) +
                                          of(codes.norms[i]) * of(codes.fine_errors[j]);
                CHECK(of(found) <= exact + 2 * width + 1e-6L * magnitudes + 1e-37L);
                const long double first = static_cast<long double>(dot(codes, i, codes, j)) *
                                              of(codes.scales[i]) * of(codes.scales[j]) +
                                          of(codes.errors[i]) * of(codes.norms[j]) +
                                          of(codes.norms[i]) * of(codes.errors[j]);
                CHECK(first >= of(found) - 1e-6L * (std::abs(first) + magnitudes) - 1e-37L);
            }
        }
    }
}
