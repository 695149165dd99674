#pragma once

#include <cstddef>
#include <vector>

namespace grouplink::knn {

/// Asks the system for large pages where it has them, for memory that was not touched yet: what is filled
/// once costs a fault every few KiB otherwise. A piece of advice: nothing happens where it cannot be taken.
void advise_large_pages(void* memory, std::size_t bytes) noexcept;

/// Has `threads` threads write to memory that holds nothing yet: the system clears a page for whoever touches
/// it first, which takes longer than to fill it.
void touch(void* memory, std::size_t bytes, int threads);

/// `count` zeros on such pages, in place of what `values` holds, touched by as many threads.
template <typename T>
void resize_on_large_pages(std::vector<T>& values, std::size_t count, int threads = 1) {
    values = {};
    values.reserve(count);
    advise_large_pages(values.data(), count * sizeof(T));
    if (threads > 1) touch(values.data(), count * sizeof(T), threads);
    values.resize(count);
}

/// Hands pages that hold zeros, written and never used since, back to the system where it can take them: they
/// are zeros again when they are next touched.
void give_back_zeros(void* memory, std::size_t bytes) noexcept;

}  // namespace grouplink::knn
