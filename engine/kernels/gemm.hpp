#pragma once

#include "kernels/kernels.hpp"

#include <cstddef>
#include <vector>

namespace grouplink::kernels {

/// scores (na x nb, row-major) = inner products of the rows of a (na x dim) and b (nb x dim), by the kernel
/// of the table or, where it has none, by BLAS. `packed` is scratch.
void inner_products(const Table& kernel, const float* a, std::size_t na, const float* b, std::size_t nb,
                    std::size_t dim, std::vector<float>& packed, float* scores);

/// The same of n rows among themselves: only scores[i * n + j] with i <= j are sure to be written.
void inner_products_of_pairs(const Table& kernel, const float* a, std::size_t n, std::size_t dim,
                             std::vector<float>& packed, float* scores);

}  // namespace grouplink::kernels
