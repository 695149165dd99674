#include "kernels/gemm.hpp"
#include "knn/frame.hpp"
#include "knn/group.hpp"
#include "knn/key.hpp"
#include "knn/row_codes.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace grouplink::knn {
namespace {

/// Rows that are, byte by byte, an earlier one.
std::int64_t count_duplicates(const GroupJob& job, std::vector<std::uint64_t>& starts) {
    const MatrixView& vectors = job.scorer.vectors();
    const std::size_t bytes = job.dim * element_size(vectors.type);
    // Most pairs differ in their first bytes: these are compared where they lie side by side.
    starts.assign(job.rows.size(), 0);
    std::int64_t duplicates = 0;
    for (std::size_t j = 0; j < job.rows.size(); ++j) {
        const void* row = vectors.row(job.rows[j]);
        std::memcpy(&starts[j], row, std::min(bytes, sizeof starts[j]));
        bool any = false;
        for (std::size_t i = 0; i < j; ++i) any |= starts[i] == starts[j];
        if (!any) continue;
        for (std::size_t i = 0; i < j; ++i) {
            if (starts[i] != starts[j] || std::memcmp(vectors.row(job.rows[i]), row, bytes) != 0) continue;
            ++duplicates;
            break;
        }
    }
    return duplicates;
}

/// scratch.columns = the places of the k least of n distances, ascending, equal ones by place.
void nearest_places(const float* distances, std::size_t n, std::size_t k, const kernels::Table& kernel,
                    Scratch& scratch) {
    make_room(scratch.columns, n);
    std::uint32_t* places = scratch.columns.data();
    const std::size_t few = kernel.few_keys;
    if (n <= few) return kernel.rank_floats(distances, n, k, places);
    if (2 * k > few) {
        scratch.keys.resize(n);
        scratch.expanded.resize(k);
        for (std::size_t j = 0; j < n; ++j)
            scratch.keys[j] = make_key(distances[j], static_cast<std::uint32_t>(j));
        std::partial_sort_copy(scratch.keys.begin(), scratch.keys.end(), scratch.expanded.begin(),
                               scratch.expanded.end());
        for (std::size_t m = 0; m < k; ++m) places[m] = key_row(scratch.expanded[m]);
        return;
    }
    // Part by part: the k least so far, and those of the next part, whose places are higher.
    std::uint32_t order[kernels::most_few_keys];
    float values[kernels::most_few_keys];
    std::uint32_t from[kernels::most_few_keys];
    std::size_t kept = 0;
    for (std::size_t first = 0; first < n; first += few) {
        const std::size_t part = std::min(few, n - first);
        const std::size_t best = std::min(k, part);
        kernel.rank_floats(distances + first, part, best, order);
        for (std::size_t m = 0; m < best; ++m) {
            values[kept + m] = distances[first + order[m]];
            from[kept + m] = static_cast<std::uint32_t>(first) + order[m];
        }
        const std::size_t count = kept + best;
        kept = std::min(k, count);
        kernel.rank_floats(values, count, kept, order);
        float ranked[kernels::most_few_keys];
        for (std::size_t m = 0; m < kept; ++m) {
            ranked[m] = values[order[m]];
            places[m] = from[order[m]];
        }
        std::copy_n(ranked, kept, values);
        std::copy_n(places, kept, from);
    }
}

/// Writes k of `rows`, those at `places`, as the neighbors of row i; `distances` are those of all `rows`.
void write_neighbors(const GroupJob& job, std::size_t i, std::span<const std::int64_t> rows,
                     const float* distances, const std::uint32_t* places) {
    std::int64_t* targets = job.targets(i);
    float* found = job.distances(i);
    for (std::size_t m = 0; m < job.k; ++m) {
        targets[m] = rows[places[m]];
        found[m] = distances[places[m]];
    }
}

/// Writes the k nearest of `rows`, ascending and at `distances`, as the neighbors of row i.
void write_nearest(const GroupJob& job, std::size_t i, std::span<const std::int64_t> rows,
                   const float* distances, Scratch& scratch) {
    nearest_places(distances, rows.size(), job.k, job.scorer.kernel(), scratch);
    write_neighbors(job, i, rows, distances, scratch.columns.data());
}

/// Every pair goes through the canonical scoring.
void score_all_pairs(const GroupJob& job, Scratch& scratch) {
    const std::size_t rows = job.rows.size();
    const std::size_t stride = RowScorer::loaded_size(job.dim);
    make_room(scratch.x, rows * stride);
    for (std::size_t i = 0; i < rows; ++i)
        job.scorer.load_components(job.rows[i], scratch.x.data() + i * stride);

    make_room(scratch.scores, rows * rows);
    float* distances = scratch.scores.data();
    job.scorer.all_distances(scratch.x.data(), rows, job.dim, scratch.y, distances);
    scratch.counters.scored_pairs += static_cast<std::int64_t>(rows * (rows - 1) / 2);

    for (std::size_t i = 0; i < rows; ++i)
        distances[i * rows + i] = std::numeric_limits<float>::infinity();  // out of reach
    if (rows > kernels::most_ranked_rows) {
        for (std::size_t i = 0; i < rows; ++i) write_nearest(job, i, job.rows, distances + i * rows, scratch);
        return;
    }
    make_room(scratch.columns, rows * job.k);
    job.scorer.kernel().rank_columns(distances, rows, job.k, scratch.columns.data());
    for (std::size_t i = 0; i < rows; ++i)
        write_neighbors(job, i, job.rows, distances + i * rows, scratch.columns.data() + i * job.k);
}

constexpr double unit_roundoff = 0x1p-24;

/// How to read the scores of all pairs in scratch.scores, rows x rows, which are near the true ones: the
/// larger the closer, though those of row i may all be off by the same.
struct RoughScores {
    std::vector<float> offsets;  ///< of each column, still to be taken off
    /// Of each row: how far below its k-th largest score those of its k nearest, and of all that are as near,
    /// may be.
    std::vector<float> margins;
};

/// As inner products of rows at unit length, in float32. With u = 2^-24 and n = dim, such a product is off by
/// at most n u for the sum (Jeannerod and Rump, Improved error bounds for inner products in floating-point
/// arithmetic, 2013) and 3 u for the rows, each of which was rounded once: twice that for two products.
/// Distances that round to the same float32 differ by at most 2^-23 of themselves, so their products by at
/// most 8 u; and the difference of the k-th and this margin is rounded, too. The canonical scoring, in
/// doubles, adds n 2^-50.
RoughScores score_in_float32(std::size_t rows, std::size_t dim, const kernels::Table& kernel,
                             Scratch& scratch) {
    kernels::inner_products_of_pairs(kernel, scratch.gathered.data(), rows, dim, scratch.packed,
                                     scratch.scores.data());
    const double margin = (static_cast<double>(dim) * (2.0 + 0x1p-8) + 32.0) * unit_roundoff;
    return {std::vector<float>(rows, 0.0F), std::vector<float>(rows, static_cast<float>(margin))};
}

/// As minus half of squared distances, but for what depends on i alone, of rows at unit length less their
/// mean, which are held as codes. With N and E the largest norm and error of a row's codes, an inner product
/// of those of i is off by at most errors[i] N + norms[i] E: twice that for two of them. All else is
/// roundings: with u = 2^-24 and n = dim, of two scores n u N^2 for half of the squares, 9 u N^2 for a
/// product of integers and its scales and for differences, 8 u (1 + N) for the rows, which were rounded
/// twice, 8 u for distances that round to the same float32, and 2 u N^2 for the difference of the k-th and
/// the margin.
RoughScores score_in_codes(std::size_t rows, std::size_t dim, const kernels::Table& kernel,
                           Scratch& scratch) {
    float* units = scratch.gathered.data();
    std::vector<float> mean(dim, 0.0F);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t c = 0; c < dim; ++c) mean[c] += units[i * dim + c];
    }
    for (float& component : mean) component /= static_cast<float>(rows);
    RowCodes codes(rows, dim, false);
    RoughScores rough{std::vector<float>(rows), std::vector<float>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
        float* row = units + i * dim;
        for (std::size_t c = 0; c < dim; ++c) row[c] -= mean[c];
        codes.set(i, row, kernel);
        rough.offsets[i] = kernel.dot_f32(row, row, dim) / 2.0F;
    }
    const kernels::NarrowRows narrow = codes.from(0);
    make_room(scratch.packed_codes, kernels::narrow_packed_words(rows, dim));
    kernel.s8_tile(narrow, rows, narrow, rows, dim, true, scratch.packed_codes.data(), scratch.scores.data());

    const auto longest = static_cast<double>(*std::max_element(narrow.norms, narrow.norms + rows));
    const auto worst = static_cast<double>(*std::max_element(narrow.errors, narrow.errors + rows));
    const double roundings = (static_cast<double>(dim) * (1.0 + 0x1p-8) + 32.0) * unit_roundoff *
                             (1.0 + longest) * (1.0 + longest);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto error = static_cast<double>(narrow.errors[i]);
        const auto norm = static_cast<double>(narrow.norms[i]);
        rough.margins[i] = static_cast<float>(2.0 * (error * longest + norm * worst) + roundings);
    }
    return rough;
}

/// scratch.gathered = the rows at unit length, squares[i] = the squared length that the scorer finds.
void load_units(const GroupJob& job, Scratch& scratch, double* squares) {
    make_room(scratch.gathered, job.rows.size() * job.dim);
    for (std::size_t i = 0; i < job.rows.size(); ++i) {
        job.scorer.load(job.rows[i], scratch.x.data());
        squares[i] = scratch.x[kernels::padded(job.dim)];
        const double factor = unit_factor(Metric::angular, job.dim, scratch.x.data());
        float* unit = scratch.gathered.data() + i * job.dim;
        for (std::size_t c = 0; c < job.dim; ++c) unit[c] = static_cast<float>(scratch.x[c] * factor);
    }
}

/// Only those pairs go through the canonical scoring whose rough score is near the largest of one of the
/// rows. Returns false when these are more than `most` a row, which the first rows tell.
bool score_close_pairs(const GroupJob& job, const RoughScores& rough, const double* squares, std::size_t most,
                       Scratch& scratch) {
    const std::size_t rows = job.rows.size();
    const kernels::Table& kernel = job.scorer.kernel();
    kernel.mirror(scratch.scores.data(), rows);
    make_room(scratch.columns, rows + 16);
    make_room(scratch.pairs, 2 * (rows + 32));
    make_room(scratch.found, rows);
    std::vector<std::int64_t> close;
    std::vector<double> close_squares;
    constexpr std::size_t rows_to_tell = 16;
    std::size_t scored = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        float* row = scratch.scores.data() + i * rows;
        row[i] = -std::numeric_limits<float>::infinity();  // out of reach
        const std::size_t count =
            kernel.find_largest(row, 0.0F, rough.offsets.data(), rows, job.k, rough.margins[i],
                                scratch.pairs.data(), scratch.columns.data());
        scored += count;
        if (i >= rows_to_tell && scored > most * (i + 1)) return false;
        close.resize(count);
        close_squares.resize(count);
        for (std::size_t m = 0; m < count; ++m) {
            close[m] = job.rows[scratch.columns[m]];
            close_squares[m] = squares[scratch.columns[m]];
        }
        // Once more: all rows as doubles would not stay in the cache.
        job.scorer.load_components(job.rows[i], scratch.x.data());
        scratch.x[kernels::padded(job.dim)] = squares[i];
        job.scorer.distances_to(scratch.x.data(), close, close_squares.data(), scratch.y.data(),
                                scratch.found.data());
        write_nearest(job, i, close, scratch.found.data(), scratch);
    }
    scratch.counters.scored_pairs += static_cast<std::int64_t>(scored);
    return true;
}

/// Under angular: by codes first, then, where these tell too little apart, by float32. Returns false where
/// neither pays.
bool search_screened(const GroupJob& job, Scratch& scratch) {
    constexpr std::size_t least_of_codes = 300;  // below, what they save is less than what they let pass
    constexpr std::size_t most_by_blas = 512;    // past that it is as fast on tiles
    const std::size_t rows = job.rows.size();
    const kernels::Table& kernel = job.scorer.kernel();
    const bool codes =
        kernel.s8_tile != nullptr && rows >= least_of_codes && job.dim <= kernels::most_narrow_dim;
    const bool floats = kernel.ip_tile != nullptr || rows <= most_by_blas;
    if (!codes && !floats) return false;
    const std::size_t loaded = RowScorer::loaded_size(job.dim);
    make_room(scratch.x, loaded);
    make_room(scratch.y, loaded + rows);
    double* squares = scratch.y.data() + loaded;
    make_room(scratch.scores, rows * rows);
    load_units(job, scratch, squares);
    if (codes) {
        // What is saved of a row's products in float32 pays for so many canonical ones.
        const std::size_t most = job.k + rows / 8;
        const RoughScores rough = score_in_codes(rows, job.dim, kernel, scratch);
        if (score_close_pairs(job, rough, squares, most, scratch)) return true;
        if (!floats) return false;
        load_units(job, scratch, squares);
    }
    // A neighbor may be one of several as near; where most rows have many such, tiles tell them apart.
    constexpr std::size_t most_a_neighbor = 4;
    const RoughScores rough = score_in_float32(rows, job.dim, kernel, scratch);
    return score_close_pairs(job, rough, squares, most_a_neighbor * job.k, scratch);
}

}  // namespace

bool search_direct(const GroupJob& job, Scratch& scratch) {
    if (!wants_screening(job.scorer.metric(), static_cast<std::int64_t>(job.rows.size()),
                         static_cast<std::int64_t>(job.k))) {
        score_all_pairs(job, scratch);
    } else if (!search_screened(job, scratch)) {
        return false;
    }
    scratch.counters.duplicate_rows += count_duplicates(job, scratch.keys);
    return true;
}

}  // namespace grouplink::knn
