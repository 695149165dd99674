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

enum class Isa : std::uint8_t { baseline, avx2, avx512 };

std::string_view name(Isa isa) noexcept;

/// Floats that ip_tile needs to lay out `rows` rows anew.
constexpr std::size_t packed_floats(std::size_t rows, std::size_t dim) {
    return (rows + lanes - 1) / lanes * lanes * dim;
}

/// The largest `few_keys` of all tables.
inline constexpr std::size_t most_few_keys = 128;

struct Extent {
    double max_abs;  ///< largest magnitude
    bool finite;     ///< no NaN, no infinity
};

/// One entry for each kernel, all of one instruction set. `n` of the double kernels is a multiple
/// of `lanes`.
struct Table {
    Isa isa;
    std::size_t few_keys;  ///< see least_keys; at most most_few_keys

    /// out[i] = values[i] as a double for i < n, 0 from there to padded(n).
    void (*load)(const void* values, ElementType type, std::size_t n, double* out);

    Extent (*extent)(const double* x, std::size_t n);
    /// x[i] *= factor.
    void (*scale)(double* x, double factor, std::size_t n);
    double (*dot)(const double* x, const double* y, std::size_t n);
    /// out[j] = dot(x, y + j * stride, n) for j < count, where every product is exact in double, as those
    /// of float32 components are: then, and only then, the fused operations used here round alike.
    void (*dots_of_exact)(const double* x, const double* y, std::size_t stride, std::size_t count,
                          std::size_t n, double* out);
    double (*squared_l2)(const double* x, const double* y, std::size_t n);
    /// squared_l2 of x * x_factor and y * y_factor.
    double (*squared_l2_scaled)(const double* x, double x_factor, const double* y, double y_factor,
                                std::size_t n);
    double (*l1)(const double* x, const double* y, std::size_t n);

    /// out[0 .. k) = the k least of n distinct keys, ascending; k <= n. The work grows with n squared: up
    /// to `few_keys` it beats sorting.
    void (*least_keys)(const std::uint64_t* keys, std::size_t n, std::size_t k, std::uint64_t* out);

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
};

/// The widest set this CPU has; the variable GROUPLINK_ISA ("baseline", "avx2", "avx512") lowers it.
/// Throws Error(invalid_options) when it names one that does not exist or that the CPU lacks.
const Table& best();

/// The kernels of one set, or null where the CPU or the build lacks it.
const Table* find(Isa isa) noexcept;

}  // namespace grouplink::kernels
