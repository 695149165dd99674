#pragma once

#include <grouplink/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace grouplink::kernels {

/// Rows of doubles are padded with zeros to a multiple of this. Sums run over this many lanes,
/// lane l taking the components l, l + lanes, ..., which are then added in one fixed order: the
/// result is the same, bit by bit, under every instruction set.
inline constexpr std::size_t lanes = 32;

constexpr std::size_t padded(std::size_t dim) { return (dim + lanes - 1) / lanes * lanes; }

enum class Isa : std::uint8_t { baseline, avx2, avx512, avx512vnni, avx512amx };

/// Each takes in those before it.
inline constexpr Isa all_isas[] = {Isa::baseline, Isa::avx2, Isa::avx512, Isa::avx512vnni, Isa::avx512amx};

std::string_view name(Isa isa) noexcept;

/// Floats that ip_tile needs to lay out `rows` rows anew.
constexpr std::size_t packed_floats(std::size_t rows, std::size_t dim) {
    return (rows + lanes - 1) / lanes * lanes * dim;
}

/// The largest `few_keys` of all tables.
inline constexpr std::size_t most_few_keys = 128;

/// Rows of the largest matrix that rank_columns takes: past it ranking each by itself is faster.
inline constexpr std::size_t most_ranked_rows = 64;

/// Rows of int8 codes are padded with zeros to a multiple of this.
constexpr std::size_t narrow_padded(std::size_t dim) { return (dim + 63) / 64 * 64; }

/// The largest dim of rows of codes: an inner product past it might not fit 32 bits.
inline constexpr std::size_t most_narrow_dim = 0x7fffffff / (2 * 128 * 128);

/// Words that s8_tile and s8_collect need to lay out `rows` rows anew; s16_tile takes twice as many.
constexpr std::size_t narrow_packed_words(std::size_t rows, std::size_t dim) {
    return (rows + lanes - 1) / lanes * lanes * (narrow_padded(dim) / 4);
}

/// What a float row x becomes besides its codes: x is about scale * codes, and closer to
/// scale * (codes + fine / 256), with a second byte of each code.
struct NarrowRow {
    float scale;            ///< the largest magnitude / 127; 0 where that is below 2^-100, and the codes too
    std::int32_t sum;       ///< of the codes
    std::int32_t fine_sum;  ///< of the second bytes
    /// At least the Euclidean norm of x - scale * codes, and twice fine_error more: so that what the codes
    /// show to be out of reach is out of reach for the bound by both bytes too.
    float error;
    float fine_error;  ///< at least the norm of x - scale * (codes + fine / 256)
    float norm;  ///< at least that of x and those of what stands for it; infinite past the largest float
};

/// Rows of codes, narrow_padded(dim) a row, and arrays of what NarrowRow says of each. An inner product of
/// the codes times both scales differs from that of the rows by at most errors[i] * norms[j] +
/// norms[i] * errors[j].
struct NarrowRows {
    const std::int8_t* codes;
    const float* scales;
    const std::int32_t* sums;
    const float* errors;
    const float* norms;
};

/// The same with the second bytes, laid out as the first ones are and behind them in the same array; for
/// these the errors are fine_errors.
struct FineRows {
    NarrowRows rows;
    std::size_t to_fine;  ///< from a row's first bytes to its second ones
    const std::int32_t* fine_sums;
    const float* fine_errors;
};

/// What s8_collect compares with: for each row.
struct NarrowLimits {
    const float* offsets;
    const float* thresholds;
};

/// Pairs past `most` for which s8_collect needs room.
inline constexpr std::size_t narrow_pairs_beyond = 32 * 32 + 16;

struct Extent {
    double max_abs;  ///< largest magnitude
    bool finite;     ///< no NaN, no infinity
};

/// Of two rows of doubles: their inner product, the sum of the squared differences of their components, that
/// of the magnitudes of these. `exact_dot` is `dot` where every product of two components is exact in double,
/// as those of float32 are: then, and only then, the fused operations that it uses round alike.
enum class PairOp : std::uint8_t { dot, exact_dot, squared_l2, l1 };

/// One entry for each kernel, all of one instruction set. `n` of the double kernels is a multiple
/// of `lanes`.
struct Table {
    Isa isa;
    std::size_t few_keys;  ///< see rank_keys; at most most_few_keys

    /// out[i] = values[i] as a double for i < n, 0 from there to padded(n).
    void (*load)(const void* values, ElementType type, std::size_t n, double* out);

    /// Of `n` values as they are stored. What is no number counts as not finite.
    Extent (*extent)(const void* values, ElementType type, std::size_t n);
    /// x[i] *= factor.
    void (*scale)(double* x, double factor, std::size_t n);
    double (*dot)(const double* x, const double* y, std::size_t n);
    /// out[m] = dot(x, y, padded(n)) with y the doubles that load() makes of the `n` values at rows[m], which
    /// may be any but float64: then the products are exact where x was loaded too.
    void (*dots_with_stored)(const double* x, const void* const* rows, std::size_t count, ElementType type,
                             std::size_t n, double* out);
    /// The sum of the squared differences of x * x_factor and y * y_factor.
    double (*squared_l2_scaled)(const double* x, double x_factor, const double* y, double y_factor,
                                std::size_t n);

    /// out[i] = what `op` says of the rows x + i * stride and y, for i < nx.
    void (*pairs_with)(PairOp op, const double* x, std::size_t nx, std::size_t stride, const double* y,
                       std::size_t n, double* out);
    /// out[i * count + j] = what `op` says of the rows x + i * stride and x + j * stride, for i <= j < count.
    void (*pairs_among)(PairOp op, const double* x, std::size_t count, std::size_t stride, std::size_t n,
                        double* out);
    /// With s = 2 - 2 inner[j] / sqrt(x_squares * y_squares[j]): out[j] = min(2, sqrt(s)) as a float where
    /// s > least, and -1 elsewhere, for j < n. Returns how many are -1.
    std::size_t (*angles)(const double* inner, double x_squares, const double* y_squares, std::size_t n,
                          double least, float* out);

    /// Of two float rows of n components, summed in an order of the instruction set's own.
    float (*dot_f32)(const float* x, const float* y, std::size_t n);
    float (*squared_l2_f32)(const float* x, const float* y, std::size_t n);

    /// out = the n distinct keys, ascending. The work grows with n squared: up to `few_keys` it beats
    /// sorting.
    void (*rank_keys)(const std::uint64_t* keys, std::size_t n, std::uint64_t* out);

    /// order[m] = the place of the m-th least of the n floats, none of them NaN, for m < k; equal ones by
    /// place. What order[k, n) then holds means nothing. The work grows with n squared, as above.
    void (*rank_floats)(const float* values, std::size_t n, std::size_t k, std::uint32_t* order);

    /// order[i * k + m] = the place of the m-th least of column i of a matrix of n x n floats, none of them
    /// NaN, for m < k; equal ones by place. n <= most_ranked_rows.
    void (*rank_columns)(const float* values, std::size_t n, std::size_t k, std::uint32_t* order);

    /// columns = the places, ascending, of those of the n floats values[i] - offset - offsets[i], none of
    /// them NaN, that are not below the k-th largest of them less `margin`, 0 < k <= n. Returns how many.
    /// `columns` has room for n + 16, `scratch` for twice n + 32.
    std::size_t (*find_largest)(const float* values, float offset, const float* offsets, std::size_t n,
                                std::size_t k, float margin, std::uint32_t* scratch, std::uint32_t* columns);

    /// matrix[j * n + i] = matrix[i * n + j] for i < j < n.
    void (*mirror)(float* matrix, std::size_t n);

    /// The first place in [0, n) of a key whose lower half is `row`, or n.
    std::size_t (*find_row)(const std::uint64_t* keys, std::size_t n, std::uint32_t row);

    /// scores[i * nb + j] = inner product of the float rows a[i] and b[j], of `dim` each; with `upper`, at
    /// least where j >= i. `packed` is scratch of packed_floats(nb, dim). Null where BLAS is as fast.
    void (*ip_tile)(const float* a, std::size_t na, const float* b, std::size_t nb, std::size_t dim,
                    bool upper, float* packed, float* scores);

    /// scores[i * nb + j] = minus the L1 distance of the float rows a[i] and b[j], of `dim` each.
    void (*l1_tile)(const float* a, std::size_t na, const float* b, std::size_t nb, std::size_t dim,
                    float* scores);

    /// scores[i * nb + j] = minus the number of bits that differ in the rows a[i] and b[j], of
    /// `words` 64-bit words each.
    void (*hamming_tile)(const std::uint64_t* a, std::size_t na, const std::uint64_t* b, std::size_t nb,
                         std::size_t words, float* scores);

    /// One row of a tile against two rows of thresholds. With s = scores[j] - offset - offsets[j],
    /// every j in [0, n) where s >= threshold or s >= thresholds[j] goes to `columns`, ascending, and
    /// its s to `found`; both hold n. Returns how many.
    std::size_t (*collect)(const float* scores, float offset, const float* offsets, float threshold,
                           const float* thresholds, std::size_t n, std::uint32_t* columns, float* found);

    /// Of a tile of n rows with themselves, of which the scores above the diagonal count, less both offsets:
    /// of_rows[i * groups + g] = the largest of (i, j) where j % groups is g, of_columns[g * n + j] = the
    /// largest of (i, j) where i % groups is g; minus infinity where there is none.
    void (*group_maxima)(const float* scores, const float* offsets, std::size_t n, std::size_t groups,
                         float* of_rows, float* of_columns);

    // From here on the kernels of rows of int8 codes, of dim <= most_narrow_dim. All are null, or none is.

    /// Writes the codes of a row of `dim` finite floats, narrow_padded(dim) of them, and as many second
    /// bytes unless `fine` is null.
    NarrowRow (*quantize)(const float* x, std::size_t dim, std::int8_t* codes, std::int8_t* fine);

    /// scores[i * nb + j] = inner product of the codes of a[i] and b[j], exact, times both scales; with
    /// `upper`, at least where j >= i. `packed` is scratch of narrow_packed_words(nb, dim).
    void (*s8_tile)(const NarrowRows& a, std::size_t na, const NarrowRows& b, std::size_t nb, std::size_t dim,
                    bool upper, std::uint32_t* packed, float* scores);

    /// Finds the pairs that may reach a threshold: all (i, j), with `upper` only those with j > i, but those
    /// where score + errors_a[i] * norms_b[j] + norms_a[i] * errors_b[j] - offsets_a[i] - offsets_b[j], the
    /// score being s8_tile's, is below both thresholds_a[i] and thresholds_b[j]. This sum is one of
    /// float32: what it rounds off, at most 2^-21 of the sum of the magnitudes, is the caller's to allow for.
    /// A pair is i << 16 | j, so na and nb are at most 2^16; pairs come by panels of 32 columns, in no order
    /// within one. Returns how many; past `most` it gives up with those it has, which are more. `pairs`
    /// holds most + narrow_pairs_beyond; `packed` is as above.
    std::size_t (*s8_collect)(const NarrowRows& a, std::size_t na, const NarrowLimits& limits_a,
                              const NarrowRows& b, std::size_t nb, const NarrowLimits& limits_b,
                              std::size_t dim, bool upper, std::size_t most, std::uint32_t* packed,
                              std::uint32_t* pairs);

    /// bounds[i * nb + j] = the least float that is not below score + errors_a[i] * norms_b[j] + norms_a[i] *
    /// errors_b[j], the score being the inner product of both bytes of a[i] and b[j] times both scales; with
    /// `upper`, at least where j >= i. This sum is one of doubles. `packed` is scratch of twice
    /// narrow_packed_words(nb, dim).
    void (*s16_tile)(const FineRows& a, std::size_t na, const FineRows& b, std::size_t nb, std::size_t dim,
                     bool upper, std::uint32_t* packed, float* bounds);

    /// out[m] = what s16_tile says of a[i] and b[j], the pair pairs[m] as s8_collect has it, for m < count.
    void (*s16_pairs)(const FineRows& a, const FineRows& b, const std::uint32_t* pairs, std::size_t count,
                      std::size_t dim, float* out);

    /// out[m] = inner product of the codes x and those of rows[selected[m]], exact, times `scale` and theirs,
    /// for m < count; `sum` is that of x. Made for rows that lie anywhere in memory.
    void (*dot_s8)(const std::int8_t* x, float scale, std::int32_t sum, const NarrowRows& rows,
                   const std::uint32_t* selected, std::size_t count, std::size_t dim, float* out);
};

/// The widest set this CPU has; the variable GROUPLINK_ISA, the name of a set, lowers it.
/// Throws Error(invalid_options) when it names one that does not exist or that the CPU lacks.
const Table& best();

/// The kernels of one set, or null where the CPU or the build lacks it.
const Table* find(Isa isa);

}  // namespace grouplink::kernels
