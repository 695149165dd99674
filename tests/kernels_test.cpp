#include "kernels/kernels.hpp"

#include <grouplink/error.hpp>

#include "kernels/gemm.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

using namespace grouplink;
using kernels::Isa;
using kernels::PairOp;

namespace {

std::vector<const kernels::Table*> tables() {
    std::vector<const kernels::Table*> found;
    for (const Isa isa : kernels::all_isas) {
        if (const auto* table = kernels::find(isa)) found.push_back(table);
    }
    return found;
}

std::vector<double> random_row(std::size_t n, std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    std::vector<double> row(kernels::padded(n), 0.0);
    for (std::size_t i = 0; i < n; ++i)
        row[i] = normal(random) * std::exp2(static_cast<double>(random() % 40) - 20);
    return row;
}

double pair(const kernels::Table& table, PairOp op, const std::vector<double>& x,
            const std::vector<double>& y) {
    double out = 0.0;
    table.pairs_with(op, x.data(), 1, x.size(), y.data(), x.size(), &out);
    return out;
}

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

TEST_CASE("sums are right, and the same bit by bit under every instruction set") {
    std::mt19937_64 random(1);
    for (std::size_t n = 1; n < 200; n += 1 + n / 8) {
        const std::vector<double> x = random_row(n, random);
        const std::vector<double> y = random_row(n, random);
        long double dot = 0, squares = 0, magnitudes = 0, scale = 0;
        for (std::size_t i = 0; i < n; ++i) {
            dot += static_cast<long double>(x[i]) * y[i];
            scale += std::abs(static_cast<long double>(x[i]) * y[i]);
            squares += (static_cast<long double>(x[i]) - y[i]) * (static_cast<long double>(x[i]) - y[i]);
            magnitudes += std::abs(static_cast<long double>(x[i]) - y[i]);
        }
        const kernels::Table& first = *tables().front();
        for (const auto* table : tables()) {
            CAPTURE(name(table->isa));
            CAPTURE(n);
            CHECK(std::abs(table->dot(x.data(), y.data(), x.size()) - static_cast<double>(dot)) <=
                  1e-13 * static_cast<double>(scale));
            CHECK(pair(*table, PairOp::squared_l2, x, y) ==
                  doctest::Approx(static_cast<double>(squares)).epsilon(1e-13));
            CHECK(pair(*table, PairOp::l1, x, y) ==
                  doctest::Approx(static_cast<double>(magnitudes)).epsilon(1e-13));
            CHECK(
                same_bits(table->dot(x.data(), y.data(), x.size()), first.dot(x.data(), y.data(), x.size())));
            for (const PairOp op : {PairOp::dot, PairOp::squared_l2, PairOp::l1}) {
                CHECK(same_bits(pair(*table, op, x, y), pair(first, op, x, y)));
                CHECK(same_bits(pair(*table, op, x, y), pair(*table, op, y, x)));
            }
            std::vector<double> scaled = x;
            table->scale(scaled.data(), 3.25, scaled.size());
            CHECK(scaled[n / 2] == x[n / 2] * 3.25);
        }
    }
}

TEST_CASE("float kernels of every length are near the sum in long double, from any address") {
    std::mt19937_64 random(21);
    std::normal_distribution<float> normal;
    for (std::size_t n = 0; n < 300; n += 1 + n / 9) {
        std::vector<float> x(n + 1);
        std::vector<float> y(n + 1);
        for (float& value : x) value = normal(random);
        for (float& value : y) value = normal(random);
        long double dot = 0, squares = 0;
        for (std::size_t i = 1; i <= n; ++i) {
            const auto difference = static_cast<long double>(x[i]) - static_cast<long double>(y[i]);
            dot += static_cast<long double>(x[i]) * static_cast<long double>(y[i]);
            squares += difference * difference;
        }
        for (const auto* table : tables()) {
            CAPTURE(name(table->isa));
            CAPTURE(n);
            const double bound = 1e-6 * static_cast<double>(n + 1);
            CHECK(std::abs(static_cast<double>(table->dot_f32(x.data() + 1, y.data() + 1, n)) -
                           static_cast<double>(dot)) <= bound);
            CHECK(std::abs(static_cast<double>(table->squared_l2_f32(x.data() + 1, y.data() + 1, n)) -
                           static_cast<double>(squares)) <= bound);
            CHECK(table->squared_l2_f32(x.data(), x.data(), n) == 0.0F);
        }
    }
}

TEST_CASE("every half-precision number loads exactly, and the padding is zero") {
    std::vector<std::uint16_t> halves(65536 + 5);
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
    for (const auto* table : tables()) {
        CAPTURE(name(table->isa));
        std::vector<double> loaded(kernels::padded(halves.size()), -1.0);
        table->load(halves.data(), ElementType::float16, halves.size(), loaded.data());
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < halves.size(); ++i) {
            const int exponent = (halves[i] >> 10) & 31;
            const int fraction = halves[i] & 1023;
            double expected =
                exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
            if (exponent == 31) expected = std::numeric_limits<double>::infinity();
            if (halves[i] & 0x8000) expected = -expected;
            if (exponent == 31 && fraction) {
                wrong += !std::isnan(loaded[i]);
            } else {
                wrong += !same_bits(loaded[i], expected);
            }
        }
        CHECK(wrong == 0);
        for (std::size_t i = halves.size(); i < loaded.size(); ++i) CHECK(loaded[i] == 0.0);
    }
}

TEST_CASE("the other element types load as they are, from any address") {
    const float floats[3] = {1.5F, -2.25F, 1e-30F};
    const double doubles[3] = {1e300, -0.1, 3};
    const signed char bytes[3] = {-128, 0, 127};
    unsigned char shifted[1 + sizeof doubles];
    for (const auto* table : tables()) {
        double out[kernels::lanes];
        std::memcpy(shifted + 1, floats, sizeof floats);
        table->load(shifted + 1, ElementType::float32, 3, out);
        CHECK(out[0] == 1.5);
        CHECK(out[2] == static_cast<double>(1e-30F));
        CHECK(out[3] == 0.0);
        std::memcpy(shifted + 1, doubles, sizeof doubles);
        table->load(shifted + 1, ElementType::float64, 3, out);
        CHECK(out[0] == 1e300);
        CHECK(out[1] == -0.1);
        table->load(bytes, ElementType::int8, 3, out);
        CHECK(out[0] == -128);
        CHECK(out[2] == 127);
    }
}

TEST_CASE("extent finds the largest magnitude and whatever is not finite, at every place") {
    const auto check = [](ElementType type, auto quarter, auto seven, auto bad_values) {
        for (const auto* table : tables()) {
            CAPTURE(name(table->isa));
            for (std::size_t place = 0; place < 70; ++place) {
                std::vector<decltype(quarter)> row(70, quarter);
                row[place] = seven;
                CHECK(table->extent(row.data(), type, row.size()).max_abs == 7.0);
                CHECK(table->extent(row.data(), type, row.size()).finite);
                CHECK(table->extent(row.data(), type, place).max_abs < 1.0);
                for (const auto bad : bad_values) {
                    row[place] = bad;
                    CHECK_FALSE(table->extent(row.data(), type, row.size()).finite);
                }
            }
        }
    };
    using Halves = std::vector<std::uint16_t>;
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    check(ElementType::float16, std::uint16_t{0x3400}, std::uint16_t{0xc700}, Halves{0x7c00, 0xfc00, 0x7e01});
    check(ElementType::float32, 0.25F, -7.0F, std::vector{nan, -nan, HUGE_VALF, -HUGE_VALF});
    check(ElementType::float64, 0.25, -7.0, std::vector{std::nan(""), -std::nan(""), HUGE_VAL, -HUGE_VAL});
    check(ElementType::int8, std::int8_t{0}, std::int8_t{-7}, std::vector<std::int8_t>{});
    const std::int8_t lowest = -128;
    for (const auto* table : tables()) CHECK(table->extent(&lowest, ElementType::int8, 1).max_abs == 128.0);
}

TEST_CASE("tiles hold what the pairs say one by one") {
    std::mt19937_64 random(2);
    for (const std::size_t dim : {1U, 7U, 16U, 50U, 129U}) {
        for (const std::size_t na : {1U, 9U, 12U, 30U})
            for (const std::size_t nb : {1U, 15U, 16U, 33U, 64U}) {
                std::vector<float> a(na * dim), b(nb * dim), scores(na * nb);
                std::normal_distribution<float> normal;
                for (float& value : a) value = normal(random);
                for (float& value : b) value = normal(random);
                const auto expect = [&](auto of_pair, double tolerance) {
                    for (std::size_t i = 0; i < na; ++i) {
                        for (std::size_t j = 0; j < nb; ++j) {
                            double expected = 0;
                            for (std::size_t c = 0; c < dim; ++c)
                                expected += of_pair(static_cast<double>(a[i * dim + c]),
                                                    static_cast<double>(b[j * dim + c]));
                            CHECK(std::abs(static_cast<double>(scores[i * nb + j]) - expected) <=
                                  tolerance * static_cast<double>(dim));
                        }
                    }
                };
                for (const auto* table : tables()) {
                    table->l1_tile(a.data(), na, b.data(), nb, dim, scores.data());
                    expect([](double x, double y) { return -std::abs(x - y); }, 1e-6);
                }
                for (const auto* table : tables()) {
                    CAPTURE(name(table->isa));
                    std::vector<float> packed;
                    kernels::inner_products(*table, a.data(), na, b.data(), nb, dim, packed, scores.data());
                    expect([](double x, double y) { return x * y; }, 1e-6);
                    std::vector<float> own(nb * nb, 0.0F);
                    kernels::inner_products_of_pairs(*table, b.data(), nb, dim, packed, own.data());
                    for (std::size_t i = 0; i < nb; ++i) {
                        for (std::size_t j = i; j < nb; ++j) {
                            double expected = 0;
                            for (std::size_t c = 0; c < dim; ++c)
                                expected +=
                                    static_cast<double>(b[i * dim + c]) * static_cast<double>(b[j * dim + c]);
                            CHECK(std::abs(static_cast<double>(own[i * nb + j]) - expected) <=
                                  1e-6 * static_cast<double>(dim));
                        }
                    }
                }
            }
    }
    std::vector<std::uint64_t> x(3 * 5), y(3 * 4);
    for (auto& word : x) word = random();
    for (auto& word : y) word = random();
    for (const auto* table : tables()) {
        std::vector<float> bits(5 * 4);
        table->hamming_tile(x.data(), 5, y.data(), 4, 3, bits.data());
        for (std::size_t i = 0; i < 5; ++i) {
            for (std::size_t j = 0; j < 4; ++j) {
                int expected = 0;
                for (std::size_t w = 0; w < 3; ++w) expected += std::popcount(x[i * 3 + w] ^ y[j * 3 + w]);
                CHECK(bits[i * 4 + j] == static_cast<float>(-expected));
            }
        }
    }
}

TEST_CASE("collect finds every score at either threshold or above, in order") {
    std::mt19937_64 random(3);
    std::uniform_int_distribution<int> few(-4, 4);  // many scores meet a threshold exactly
    for (std::size_t n = 0; n < 75; ++n) {
        std::vector<float> scores(n), offsets(n), thresholds(n);
        for (std::size_t j = 0; j < n; ++j) {
            scores[j] = static_cast<float>(few(random));
            offsets[j] = static_cast<float>(few(random));
            thresholds[j] =
                random() % 5 ? static_cast<float>(few(random)) : -std::numeric_limits<float>::infinity();
        }
        const auto offset = static_cast<float>(few(random));
        const auto threshold = static_cast<float>(few(random));
        std::vector<std::uint32_t> expected;
        for (std::size_t j = 0; j < n; ++j) {
            const float s = scores[j] - offset - offsets[j];
            if (s >= threshold || s >= thresholds[j]) expected.push_back(static_cast<std::uint32_t>(j));
        }
        for (const auto* table : tables()) {
            CAPTURE(name(table->isa));
            std::vector<std::uint32_t> columns(n);
            std::vector<float> found(n);
            const std::size_t count = table->collect(scores.data(), offset, offsets.data(), threshold,
                                                     thresholds.data(), n, columns.data(), found.data());
            CHECK(count == expected.size());
            columns.resize(count);
            CHECK(columns == expected);
            for (std::size_t h = 0; h < count; ++h)
                CHECK(found[h] == scores[columns[h]] - offset - offsets[columns[h]]);
        }
    }
}

TEST_CASE("products with rows as they were given are those with loaded rows, bit by bit") {
    std::mt19937_64 random(14);
    for (const std::size_t dim : {1U, 2U, 7U, 8U, 31U, 32U, 33U, 63U, 384U, 385U, 1000U}) {
        const std::size_t n = kernels::padded(dim);
        std::vector<double> x = random_row(dim, random);
        for (double& value : x) value = static_cast<double>(static_cast<float>(value));
        x.resize(n, 0.0);
        // A row, and another an element on.
        std::vector<std::uint16_t> halves(dim + 1);
        std::vector<float> floats(dim + 1);
        std::vector<std::int8_t> bytes(dim + 1);
        for (std::size_t c = 0; c <= dim; ++c) {
            halves[c] = static_cast<std::uint16_t>(random() & 0xbbff);  // finite ones
            floats[c] = static_cast<float>(random_row(1, random)[0]);
            bytes[c] = static_cast<std::int8_t>(random());
        }
        const std::pair<ElementType, const void*> rows[] = {{ElementType::float16, halves.data()},
                                                            {ElementType::float32, floats.data()},
                                                            {ElementType::int8, bytes.data()}};
        for (const auto& [type, values] : rows) {
            const void* const row_of[] = {values,
                                          static_cast<const unsigned char*>(values) + element_size(type)};
            double expected[2];
            for (std::size_t r = 0; r < 2; ++r) {
                std::vector<double> y(n);
                tables().front()->load(row_of[r], type, dim, y.data());
                expected[r] = tables().front()->dot(x.data(), y.data(), n);
            }
            for (const auto* table : tables()) {
                CAPTURE(name(table->isa));
                CAPTURE(dim);
                for (const std::size_t count : {0U, 1U, 2U, 3U, 5U, 8U, 9U, 21U}) {
                    std::vector<const void*> many(count);
                    std::vector<double> out(count + 1, -1.0);
                    for (std::size_t m = 0; m < count; ++m) many[m] = row_of[m % 3 / 2];
                    table->dots_with_stored(x.data(), many.data(), count, type, dim, out.data());
                    for (std::size_t m = 0; m < count; ++m) CHECK(same_bits(out[m], expected[m % 3 / 2]));
                    CHECK(out.back() == -1.0);
                }
            }
        }
    }
}

TEST_CASE("pairs of many rows are what they are one by one, bit by bit, under every instruction set") {
    std::mt19937_64 random(4);
    for (const std::size_t dim : {1U, 31U, 32U, 33U, 384U}) {
        const std::size_t n = kernels::padded(dim);
        const std::size_t stride = n + 8;
        constexpr std::size_t most = 13;
        std::vector<double> rows((most + 1) * stride, 0.0);
        for (std::size_t r = 0; r <= most; ++r) {
            for (std::size_t c = 0; c < dim; ++c)
                rows[r * stride + c] = static_cast<double>(static_cast<float>(random_row(1, random)[0]));
        }
        const auto row = [&](std::size_t r) {
            return std::vector<double>(rows.data() + r * stride, rows.data() + r * stride + n);
        };
        for (const auto* table : tables()) {
            CAPTURE(name(table->isa));
            for (const PairOp op : {PairOp::dot, PairOp::exact_dot, PairOp::squared_l2, PairOp::l1}) {
                const PairOp same = op == PairOp::exact_dot ? PairOp::dot : op;
                const auto expected = [&](std::size_t i, std::size_t j) {
                    return pair(*tables().front(), same, row(i), row(j));
                };
                for (std::size_t count = 0; count <= most; ++count) {
                    std::vector<double> with(count + 1, -1.0);
                    table->pairs_with(op, rows.data(), count, stride, rows.data() + most * stride, n,
                                      with.data());
                    for (std::size_t i = 0; i < count; ++i) CHECK(same_bits(with[i], expected(i, most)));
                    CHECK(with.back() == -1.0);

                    std::vector<double> among(count * count + 1, -1.0);
                    table->pairs_among(op, rows.data(), count, stride, n, among.data());
                    for (std::size_t i = 0; i < count; ++i) {
                        for (std::size_t j = i; j < count; ++j)
                            CHECK(same_bits(among[i * count + j], expected(i, j)));
                    }
                    CHECK(among.back() == -1.0);
                }
            }
            CHECK(same_bits(
                table->squared_l2_scaled(rows.data(), 1.0 / 3, rows.data() + stride, 0.7, n),
                tables().front()->squared_l2_scaled(rows.data(), 1.0 / 3, rows.data() + stride, 0.7, n)));
            CHECK(same_bits(table->squared_l2_scaled(rows.data(), 1.0, rows.data() + stride, 1.0, n),
                            pair(*table, PairOp::squared_l2, row(0), row(1))));
        }
    }
}

TEST_CASE("angles are those of scalar arithmetic, and what is too small for it is named") {
    std::mt19937_64 random(9);
    std::uniform_real_distribution<double> cosine(-1.0, 1.0);
    constexpr double least = 1e-4;
    for (std::size_t n = 0; n < 40; ++n) {
        std::vector<double> inner(n), squares(n);
        const double own = 0.5 + std::abs(cosine(random));
        for (std::size_t j = 0; j < n; ++j) {
            squares[j] = std::exp2(20.0 * cosine(random));
            // The same direction, the opposite one and just past it by rounding, and any.
            const double c = j % 5 == 0 ? 1.0 : j % 5 == 1 ? -1.0 - 1e-15 : cosine(random);
            inner[j] = c * std::sqrt(own * squares[j]);
        }
        for (const auto* table : tables()) {
            CAPTURE(name(table->isa));
            std::vector<float> out(n + 1, 5.0F);
            std::size_t small = 0;
            const std::size_t told = table->angles(inner.data(), own, squares.data(), n, least, out.data());
            for (std::size_t j = 0; j < n; ++j) {
                const double squared = 2.0 - 2.0 * inner[j] / std::sqrt(own * squares[j]);
                small += squared <= least;
                CHECK(out[j] ==
                      (squared > least ? static_cast<float>(std::min(2.0, std::sqrt(squared))) : -1.0F));
            }
            CHECK(told == small);
            CHECK(out[n] == 5.0F);
        }
    }
}

TEST_CASE("a row is found among keys by their lower half") {
    std::mt19937_64 random(6);
    for (std::size_t n = 0; n < 50; ++n) {
        std::vector<std::uint64_t> keys(n + 1);
        for (std::size_t i = 0; i <= n; ++i) keys[i] = (random() << 32) | (i == 7 ? 0xffffffffU : i);
        for (const auto* table : tables()) {
            for (std::uint32_t row = 0; row < n; ++row) {
                CHECK(table->find_row(keys.data(), n, row) == (row == 7 ? n : row));
            }
            CHECK(table->find_row(keys.data(), n, 0xffffffffU) == (n > 7 ? 7 : n));
            CHECK(table->find_row(keys.data(), n, static_cast<std::uint32_t>(n)) == n);
        }
    }
}

TEST_CASE("keys in order") {
    std::mt19937_64 random(5);
    for (const auto* table : tables()) {
        CAPTURE(name(table->isa));
        for (std::size_t n = 0; n <= table->few_keys; ++n) {
            std::vector<std::uint64_t> keys(n);
            for (std::size_t i = 0; i < n; ++i) {
                // On both sides of 2^63; some that differ in their lower halves alone.
                keys[i] = i % 3 == 2 ? keys[i - 1] ^ (1 + random() % 1000) : random() >> (random() % 2);
            }
            std::sort(keys.begin(), keys.end());
            keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
            const std::vector<std::uint64_t> sorted = keys;
            std::shuffle(keys.begin(), keys.end(), random);
            std::vector<std::uint64_t> out(keys.size());
            table->rank_keys(keys.data(), keys.size(), out.data());
            CHECK(out == sorted);
        }
    }
}

TEST_CASE("floats in order, equal ones by place") {
    std::mt19937_64 random(8);
    for (const auto* table : tables()) {
        CAPTURE(name(table->isa));
        for (std::size_t n = 0; n <= table->few_keys; ++n) {
            std::vector<float> values(n);
            for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 40) - 20);
            if (n > 2) values[n / 2] = -0.0F;
            if (n > 3) values[n / 3] = HUGE_VALF;
            std::vector<std::uint32_t> expected(n);
            std::iota(expected.begin(), expected.end(), 0U);
            std::stable_sort(expected.begin(), expected.end(),
                             [&](std::uint32_t i, std::uint32_t j) { return values[i] < values[j]; });
            for (const std::size_t k : {std::size_t{1}, std::size_t{2}, std::size_t{15}, n / 2, n}) {
                if (k > n) continue;
                CAPTURE(n);
                CAPTURE(k);
                std::vector<std::uint32_t> order(n + 1, 77);
                table->rank_floats(values.data(), n, k, order.data());
                CHECK(order.back() == 77);
                CHECK(std::equal(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k),
                                 expected.begin()));
            }
        }
    }
}

TEST_CASE("the columns of a matrix in order, equal numbers by place") {
    std::mt19937_64 random(12);
    for (const auto* table : tables()) {
        CAPTURE(name(table->isa));
        for (std::size_t n = 1; n <= kernels::most_ranked_rows; ++n) {
            std::vector<float> values(n * n);
            for (float& value : values)
                value = static_cast<float>(static_cast<int>(random() % 40) - 20) / 7.0F;
            values[n / 2 * n] = -0.0F;
            for (std::size_t i = 0; i < n; ++i) values[i * n + i] = HUGE_VALF;
            for (const std::size_t k : {std::size_t{1}, std::size_t{15}, n - 1, n}) {
                if (k > n) continue;
                CAPTURE(n);
                CAPTURE(k);
                std::vector<std::uint32_t> order(n * k + 1, 77);
                table->rank_columns(values.data(), n, k, order.data());
                CHECK(order.back() == 77);
                for (std::size_t i = 0; i < n; ++i) {
                    std::vector<std::uint32_t> expected(n);
                    std::iota(expected.begin(), expected.end(), 0U);
                    std::stable_sort(expected.begin(), expected.end(), [&](std::uint32_t a, std::uint32_t b) {
                        return values[a * n + i] < values[b * n + i];
                    });
                    CHECK(std::equal(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(k),
                                     order.begin() + static_cast<std::ptrdiff_t>(i * k)));
                }
            }
        }
    }
}

TEST_CASE("the largest floats and those within a margin of them") {
    std::mt19937_64 random(9);
    for (const auto* table : tables()) {
        CAPTURE(name(table->isa));
        for (const std::size_t n : {1U, 2U, 15U, 16U, 17U, 40U, 127U, 128U, 129U, 200U, 512U, 600U}) {
            for (const bool ties : {false, true}) {
                std::vector<float> values(n);
                std::normal_distribution<float> normal;
                for (float& value : values) value = ties ? std::round(normal(random) * 3.0F) : normal(random);
                values[n / 2] = -0.0F;
                if (n > 3) values[n / 3] = -HUGE_VALF;
                std::vector<float> offsets(n);
                for (float& offset : offsets) offset = ties ? 1.0F : normal(random);
                std::vector<float> less(n);
                for (std::size_t i = 0; i < n; ++i) less[i] = values[i] - 0.5F - offsets[i];
                std::vector<float> sorted = less;
                std::sort(sorted.begin(), sorted.end(), std::greater());
                for (const std::size_t k : {1U, 2U, 5U, 8U, 9U, 15U, 16U, 17U, 32U, 33U, 100U, 129U, 300U}) {
                    if (k > n) continue;
                    for (const float margin : {0.0F, 1e-6F, 0.3F, 1.0F, 1e9F}) {
                        CAPTURE(n);
                        CAPTURE(k);
                        CAPTURE(margin);
                        std::vector<std::uint32_t> expected;
                        for (std::uint32_t i = 0; i < n; ++i) {
                            if (less[i] >= sorted[k - 1] - margin) expected.push_back(i);
                        }
                        std::vector<std::uint32_t> scratch(2 * n + 64 + 1, 77);
                        std::vector<std::uint32_t> columns(n + 16 + 1, 77);
                        const std::size_t count =
                            table->find_largest(values.data(), 0.5F, offsets.data(), n, k, margin,
                                                scratch.data(), columns.data());
                        CHECK(scratch.back() == 77);
                        CHECK(columns.back() == 77);
                        columns.resize(count);
                        CHECK(columns == expected);
                    }
                }
            }
        }
    }
}

TEST_CASE("a matrix mirrors what is above its diagonal") {
    for (const auto* table : tables()) {
        CAPTURE(name(table->isa));
        for (const std::size_t n : {0U, 1U, 2U, 15U, 16U, 17U, 31U, 32U, 33U, 48U, 100U}) {
            std::vector<float> matrix(n * n + 1);
            std::iota(matrix.begin(), matrix.end(), 0.0F);
            table->mirror(matrix.data(), n);
            for (std::size_t i = 0; i < n; ++i) {
                for (std::size_t j = 0; j < n; ++j)
                    CHECK(matrix[i * n + j] == static_cast<float>(std::min(i, j) * n + std::max(i, j)));
            }
            CHECK(matrix.back() == static_cast<float>(n * n));
        }
    }
}

TEST_CASE("GROUPLINK_ISA names a set that exists") {
    setenv("GROUPLINK_ISA", "baseline", 1);
    CHECK(kernels::best().isa == Isa::baseline);
    setenv("GROUPLINK_ISA", "avx9000", 1);
    CHECK_THROWS_WITH_AS(kernels::best(),
                         "GROUPLINK_ISA: \"avx9000\" is no instruction set; use baseline, avx2, avx512, "
                         "avx512vnni or avx512amx",
                         Error);
    unsetenv("GROUPLINK_ISA");
    CHECK(kernels::find(kernels::best().isa) == &kernels::best());
}
