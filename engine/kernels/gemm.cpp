#include "kernels/gemm.hpp"

// BLAS's own Fortran interface, which every BLAS has; FAISS uses the same.
extern "C" {
int sgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
           const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
           const float* beta, float* c, const int* ldc);
int ssyrk_(const char* uplo, const char* trans, const int* n, const int* k, const float* alpha,
           const float* a, const int* lda, const float* beta, float* c, const int* ldc);
}

namespace grouplink::kernels {

// BLAS counts by columns: what it calls transposed is what lies here row by row.

void inner_products(const Table& kernel, const float* a, std::size_t na, const float* b, std::size_t nb,
                    std::size_t dim, std::vector<float>& packed, float* scores) {
    if (kernel.ip_tile) {
        packed.resize(packed_floats(nb, dim));
        kernel.ip_tile(a, na, b, nb, dim, false, packed.data(), scores);
        return;
    }
    const int m = static_cast<int>(nb);
    const int n = static_cast<int>(na);
    const int k = static_cast<int>(dim);
    const float one = 1.0F;
    const float zero = 0.0F;
    sgemm_("T", "N", &m, &n, &k, &one, b, &k, a, &k, &zero, scores, &m);
}

void inner_products_of_pairs(const Table& kernel, const float* a, std::size_t n, std::size_t dim,
                             std::vector<float>& packed, float* scores) {
    if (kernel.ip_tile) {
        packed.resize(packed_floats(n, dim));
        kernel.ip_tile(a, n, a, n, dim, true, packed.data(), scores);
        return;
    }
    const int size = static_cast<int>(n);
    const int k = static_cast<int>(dim);
    const float one = 1.0F;
    const float zero = 0.0F;
    ssyrk_("L", "T", &size, &k, &one, a, &k, &zero, scores, &size);
}

}  // namespace grouplink::kernels
