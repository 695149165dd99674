#include "knn/large_pages.hpp"

#include "parallel/workers.hpp"

#include <algorithm>
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace grouplink::knn {

namespace {

/// Of whole large pages alone, so that nothing around them is meant.
void advise([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes,
            [[maybe_unused]] int advice) noexcept {
#if defined(__linux__)
    constexpr std::uintptr_t page = std::uintptr_t{1} << 21;
    const auto first = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) / page * page;
    const auto last = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / page * page;
    if (first < last) madvise(reinterpret_cast<void*>(first), last - first, advice);
#endif
}

#if defined(__linux__)
constexpr int huge = MADV_HUGEPAGE;
constexpr int unused = MADV_DONTNEED;
#else
constexpr int huge = 0;
constexpr int unused = 0;
#endif

}  // namespace

void advise_large_pages(void* memory, std::size_t bytes) noexcept { advise(memory, bytes, huge); }

void touch(void* memory, std::size_t bytes, int threads) {
    constexpr std::int64_t page = 4096;
    constexpr std::int64_t pages_at_once = 512;
    auto* const first = static_cast<volatile unsigned char*>(memory);
    parallel::for_blocks((static_cast<std::int64_t>(bytes) + page - 1) / page, pages_at_once, threads, {},
                         "memory", [first](std::int64_t begin, std::int64_t end, int) {
                             for (std::int64_t p = begin; p < end; ++p) first[p * page] = 0;
                         });
}

void give_back_zeros(void* memory, std::size_t bytes) noexcept { advise(memory, bytes, unused); }

}  // namespace grouplink::knn
