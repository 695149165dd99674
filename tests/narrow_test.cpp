#include "knn/narrow.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace grouplink;
using knn::NarrowFilter;

namespace {

/// The set that has kernels of int8 codes, or null where this CPU lacks it: there is nothing to test then.
const kernels::Table* table() {
    const kernels::Table* const tiles = kernels::find(kernels::Isa::avx512amx);
    return tiles ? tiles : kernels::find(kernels::Isa::avx512vnni);
}

struct Rows {
    std::size_t count, dim;
    std::vector<float> values;
    std::vector<float> offsets;  ///< as FlatIndex has them
    knn::RowCodes codes{};

    /// Half the squared length, where that counts, less what is rounded off.
    void measure(bool euclidean) {
        offsets.resize(count);
        codes = knn::RowCodes(count, dim, true);
        for (std::size_t i = 0; i < count; ++i) {
            double squares = 0;
            for (std::size_t c = 0; c < dim; ++c) squares += std::pow(static_cast<double>(row(i)[c]), 2.0);
            codes.set(i, row(i), *table());
            const auto norm = static_cast<double>(codes.norm(i));
            const double offset = (euclidean ? squares / 2 : 0.0) - 0x1p-20 * norm * norm;
            offsets[i] = std::nextafter(static_cast<float>(offset), -std::numeric_limits<float>::infinity());
        }
    }
    float* row(std::size_t i) { return values.data() + i * dim; }
    const float* row(std::size_t i) const { return values.data() + i * dim; }

    double score(std::size_t i, std::size_t j) const {
        double sum = 0;
        for (std::size_t c = 0; c < dim; ++c)
            sum += static_cast<double>(row(i)[c]) * static_cast<double>(row(j)[c]);
        // The slack of the offsets is the filter's: a score has it only once more.
        const auto slack = [&](std::size_t r) {
            return std::pow(static_cast<double>(codes.norm(r)), 2.0) * 0x1p-20;
        };
        return sum - static_cast<double>(offsets[i]) - static_cast<double>(offsets[j]) - slack(i) - slack(j);
    }
};

/// Rows of sizes from huge to nothing, some of them equal or nearly so.
Rows hard_rows(std::size_t count, std::size_t dim, std::mt19937_64& random) {
    Rows rows{.count = count, .dim = dim, .values = std::vector<float>(count * dim), .offsets = {}};
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < count; ++i) {
        const float size = std::exp2(static_cast<float>(random() % 12) - 8.0F);
        for (std::size_t c = 0; c < dim; ++c) {
            const float fresh = normal(random) * size;
            rows.row(i)[c] = i % 5 == 4 ? rows.row(i - 1)[c] * (1.0F + 1e-4F * normal(random)) : fresh;
        }
        if (i % 11 == 0) rows.row(i)[random() % dim] = 100.0F;
        if (i % 17 == 0) std::fill_n(rows.row(i), dim, 0.0F);
    }
    return rows;
}

NarrowFilter filter_of(const Rows& rows) { return {rows.codes, rows.offsets.data(), 4, rows.dim, *table()}; }

}  // namespace

TEST_CASE("the filter lets go no pair that reaches a threshold") {
    if (!table()) return;
    std::mt19937_64 random(1);
    for (const bool euclidean : {true, false}) {
        for (const std::size_t dim : {1U, 33U, 64U, 130U}) {
            Rows rows = hard_rows(90, dim, random);
            rows.measure(euclidean);
            const NarrowFilter filter = filter_of(rows);
            constexpr std::size_t a = 3, na = 35, b = 38, nb = 50;
            std::size_t let_go = 0;
            for (int round = 0; round < 20; ++round) {
                // Each threshold is just at the score of one pair, which must pass; few others do.
                std::vector<float> thresholds(na + nb, std::numeric_limits<float>::infinity());
                const auto just_at = [](double score) {
                    return std::nextafter(static_cast<float>(score), -std::numeric_limits<float>::infinity());
                };
                for (int t = 0; t < 4; ++t) {
                    const std::size_t i = random() % na;
                    const std::size_t j = random() % nb;
                    thresholds[t % 2 ? i : na + j] = just_at(rows.score(a + i, b + j));
                }
                std::vector<std::uint32_t> packed, found;
                const auto [pairs, share] = filter.find(a, na, b, nb, thresholds.data(), packed, found);
                if (share < 1.0) continue;
                let_go += na * nb - pairs.size();
                for (std::size_t i = 0; i < na; ++i) {
                    for (std::size_t j = 0; j < nb; ++j) {
                        const double score = rows.score(a + i, b + j);
                        const double lower = static_cast<double>(std::min(thresholds[i], thresholds[na + j]));
                        if (score < lower) continue;
                        CAPTURE(dim);
                        CAPTURE(i);
                        CAPTURE(j);
                        CHECK(std::count(pairs.begin(), pairs.end(), i << 16 | j) == 1);
                    }
                }
            }
            CHECK(let_go > 0);
        }
    }
}

TEST_CASE("the filter says where it gave up, and waits the longer the earlier that was") {
    if (!table()) return;
    std::mt19937_64 random(2);
    Rows rows = hard_rows(200, 40, random);
    rows.measure(true);
    NarrowFilter filter = filter_of(rows);
    std::vector<std::uint32_t> packed, found;
    // Nothing reaches these; all reaches those; of the last, only the last columns.
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> thresholds(200, infinity);
    const grouplink::knn::ClosePairs none = filter.find(0, 100, 100, 100, thresholds.data(), packed, found);
    CHECK(none.share == 1.0);
    CHECK(none.pairs.empty());
    thresholds.assign(200, -infinity);
    const double early = filter.find(0, 100, 100, 100, thresholds.data(), packed, found).share;
    CHECK(early > 0.0);
    CHECK(early <= 0.35);
    thresholds.assign(200, infinity);
    std::fill(thresholds.end() - 20, thresholds.end(), -infinity);
    CHECK(filter.find(0, 100, 100, 100, thresholds.data(), packed, found).share == 0.5);

    CHECK_FALSE(filter.worth(0, 0, 0));
    CHECK(filter.worth(0, 1, 1));
    filter.wait(0, 1, 1, 0.25);
    CHECK_FALSE(filter.worth(0, 2, 3));
    CHECK_FALSE(filter.worth(2, 1, 3));
    CHECK(filter.worth(0, 1, 4));
    CHECK(filter.worth(2, 3, 1));
    filter.wait(0, 2, 1, 0.5);  // never sooner than said before
    CHECK_FALSE(filter.worth(0, 3, 3));
    CHECK(filter.worth(2, 3, 2));
}

TEST_CASE("a filter of nothing is not in use") { CHECK_FALSE(NarrowFilter().in_use()); }
