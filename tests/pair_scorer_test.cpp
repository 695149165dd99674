#include "knn/pair_scorer.hpp"

#include "knn/frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace grouplink;
using knn::FlatIndex;
using knn::PairScorer;
using knn::Scratch;

namespace {

constexpr std::size_t count = 70;

struct Group {
    std::size_t dim;
    FlatIndex index;
    std::vector<double> rows;  ///< as the index holds them

    Group(std::size_t dimension, Metric metric, const kernels::Table& kernel, std::mt19937_64& random)
        : dim(dimension), index(count, dimension, metric, {}, kernel, true), rows(count * dimension) {
        std::normal_distribution<double> normal;
        std::vector<double> loaded(kernels::padded(dim) + 8, 0.0);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t c = 0; c < dim; ++c) loaded[c] = normal(random);
            loaded[kernels::padded(dim)] = kernel.dot(loaded.data(), loaded.data(), kernels::padded(dim));
            std::vector<float> row(dim), scratch;
            index.set(i, loaded.data(), scratch);
            knn::place_row({}, metric, dim, loaded.data(), row.data());
            std::copy(row.begin(), row.end(), rows.data() + i * dim);
        }
    }

    double inner(std::size_t i, std::size_t j) const {
        double sum = 0.0;
        for (std::size_t c = 0; c < dim; ++c) sum += rows[i * dim + c] * rows[j * dim + c];
        return sum;
    }
    double size(std::size_t i) const { return std::sqrt(inner(i, i)); }
};

}  // namespace

TEST_CASE("scores of tiles and of scattered rows are near the true ones under every instruction set") {
    std::mt19937_64 random(1);
    for (const auto isa : kernels::all_isas) {
        const kernels::Table* kernel = kernels::find(isa);
        if (!kernel) continue;
        CAPTURE(name(isa));
        for (const std::size_t dim : {3U, 64U, 100U}) {
            for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::dot}) {
                CAPTURE(dim);
                CAPTURE(name(metric));
                const Group group(dim, metric, *kernel, random);
                const PairScorer scorer(group.index, dim, *kernel);
                // Of a code's 127 steps to the largest component half of one is lost at most, in each
                // component.
                const auto slack = [&](std::size_t i, std::size_t j) {
                    const double share = kernel->quantize ? std::sqrt(static_cast<double>(dim)) / 127 : 1e-5;
                    return share * group.size(i) * group.size(j) + 1e-30;
                };

                std::vector<std::uint32_t> chosen;
                for (std::uint32_t i = 0; i < count; i += 3)
                    chosen.push_back(static_cast<std::uint32_t>(i * 37 % count));
                const PairScorer::Copies copies = scorer.copy(chosen);
                REQUIRE(copies.size() == chosen.size());
                Scratch scratch;
                constexpr std::size_t first = 5;
                constexpr std::size_t rows = 40;
                scorer.tile(scorer.rows_from(first), rows, scorer.rows_from(copies, 0), chosen.size(), false,
                            scratch);
                for (std::size_t i = 0; i < rows; ++i) {
                    for (std::size_t j = 0; j < chosen.size(); ++j) {
                        const double error = static_cast<double>(scratch.scores[i * chosen.size() + j]) -
                                             group.inner(first + i, chosen[j]);
                        CHECK(std::abs(error) <= slack(first + i, chosen[j]));
                    }
                }
                const auto own = scorer.rows_from(copies, 2);
                scorer.tile(own, chosen.size() - 2, own, chosen.size() - 2, true, scratch);
                for (std::size_t i = 0; i + 2 < chosen.size(); ++i) {
                    CHECK(copies.offsets[i] == group.index.offsets()[chosen[i]]);
                    for (std::size_t j = i; j + 2 < chosen.size(); ++j) {
                        const double error =
                            static_cast<double>(scratch.scores[i * (chosen.size() - 2) + j]) -
                            group.inner(chosen[i + 2], chosen[j + 2]);
                        CHECK(std::abs(error) <= slack(chosen[i + 2], chosen[j + 2]));
                    }
                }
                std::vector<float> scores(chosen.size());
                scorer.score(11, chosen, scores.data());
                for (std::size_t j = 0; j < chosen.size(); ++j) {
                    const double expected = group.inner(11, chosen[j]) -
                                            static_cast<double>(group.index.offsets()[11]) -
                                            static_cast<double>(group.index.offsets()[chosen[j]]);
                    CHECK(std::abs(static_cast<double>(scores[j]) - expected) <=
                          slack(11, chosen[j]) +
                              1e-5 * (group.inner(11, 11) + group.inner(chosen[j], chosen[j])));
                }
                scorer.score(11, {}, scores.data());
            }
        }
    }
}
