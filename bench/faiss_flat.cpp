#include "harness.hpp"
#include "peers.hpp"

#include <faiss/Index.h>
#include <faiss/IndexFlat.h>
#include <omp.h>

#include <algorithm>

// OpenBLAS's own; other BLAS libraries leave it out.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));
extern "C" int openblas_get_num_threads() __attribute__((weak));

namespace bench {
namespace {

#define BENCH_TEXT(x) #x
#define BENCH_TEXT_OF(x) BENCH_TEXT(x)

/// One BLAS thread for each of ours, as long as it lives.
class SerialBlas {
public:
    SerialBlas() {
        if (!openblas_set_num_threads || !openblas_get_num_threads) return;
        before_ = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    ~SerialBlas() {
        if (before_ > 0) openblas_set_num_threads(before_);
    }
    SerialBlas(const SerialBlas&) = delete;
    SerialBlas& operator=(const SerialBlas&) = delete;

private:
    int before_ = 0;
};

}  // namespace

const char* faiss_version() {
    return BENCH_TEXT_OF(FAISS_VERSION_MAJOR) "." BENCH_TEXT_OF(FAISS_VERSION_MINOR) "." BENCH_TEXT_OF(
        FAISS_VERSION_PATCH);
}

Neighbors faiss_flat(const Dataset& data, std::int64_t k, int threads) {
    const SerialBlas serial;
    Neighbors out{.k = k, .targets = {}};
    out.targets.assign(static_cast<std::size_t>(data.vectors.rows * k), -1);
    for_each(data.group_count(), threads, [&](std::int64_t place) {
        omp_set_num_threads(1);  // of this thread alone
        const std::int64_t group = data.by_size[static_cast<std::size_t>(place)];
        const auto rows = data.group_rows(group);
        const auto n = static_cast<faiss::Index::idx_t>(rows.size());
        if (n < 2) return;
        const std::vector<float> vectors = gather(data, group, true);
        faiss::IndexFlatIP index(static_cast<faiss::Index::idx_t>(data.vectors.dim));
        index.add(n, vectors.data());
        const auto wanted = std::min<std::int64_t>(k + 1, n);
        std::vector<float> scores(static_cast<std::size_t>(n * wanted));
        std::vector<faiss::Index::idx_t> found(scores.size());
        index.search(n, vectors.data(), wanted, scores.data(), found.data());
        for (std::int64_t i = 0; i < n; ++i) {
            std::int64_t* to = out.targets.data() + rows[static_cast<std::size_t>(i)] * k;
            std::int64_t kept = 0;
            for (std::int64_t j = 0; j < wanted && kept < k; ++j) {
                const auto neighbor = found[static_cast<std::size_t>(i * wanted + j)];
                if (neighbor >= 0 && neighbor != i) to[kept++] = rows[static_cast<std::size_t>(neighbor)];
            }
        }
    });
    return out;
}

}  // namespace bench
