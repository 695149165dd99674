#pragma once

#include <cstddef>

namespace grouplink::kernels {

/// scores (na x nb, row-major) = inner products of the rows of a (na x dim) and b (nb x dim).
void gemm_tile(const float* a, std::size_t na, const float* b, std::size_t nb, std::size_t dim,
               float* scores);

/// The same of the rows of a among themselves: only scores[i * n + j] with i <= j is written.
void syrk_tile(const float* a, std::size_t n, std::size_t dim, float* scores);

}  // namespace grouplink::kernels
