#include "rows/pages.hpp"

#include <cstddef>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace grouplink {

void give_back([[maybe_unused]] const MatrixView& vectors, [[maybe_unused]] std::int64_t first,
               [[maybe_unused]] std::int64_t last) noexcept {
#if defined(__linux__)
    if (!vectors.file_backed || first >= last) return;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(vectors.row(first));
    const auto size = static_cast<std::size_t>(vectors.row_dim(last - 1)) * element_size(vectors.type);
    const auto end = reinterpret_cast<std::uintptr_t>(vectors.row(last - 1)) + size;
    // With the pages that other rows share: those are read anew as well.
    const std::uintptr_t from = begin / page * page;
    const std::uintptr_t to = (end + page - 1) / page * page;
    ::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
#endif
}

std::int64_t value_bytes(const MatrixView& vectors) {
    if (vectors.rows == 0) return 0;
    const std::int64_t components =
        vectors.offsets ? vectors.offsets[vectors.rows] - vectors.offsets[0] : vectors.rows * vectors.dim;
    return components * static_cast<std::int64_t>(element_size(vectors.type));
}

}  // namespace grouplink
