#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace grouplink::knn {

/// Memory from the start of a cache line, so that no register-wide access straddles two.
template <typename T>
struct LineAllocator {
    using value_type = T;
    static constexpr std::align_val_t line{64};

    LineAllocator() = default;
    template <typename U>
    LineAllocator(const LineAllocator<U>&) {}

    T* allocate(std::size_t count) {
        if (count > std::size_t(-1) / sizeof(T)) throw std::bad_array_new_length();
        return static_cast<T*>(::operator new(count * sizeof(T), line));
    }
    void deallocate(T* memory, std::size_t) { ::operator delete(memory, line); }
    friend bool operator==(const LineAllocator&, const LineAllocator&) { return true; }
};

template <typename T>
using AlignedVector = std::vector<T, LineAllocator<T>>;

/// Has scratch memory hold at least `count` values, new ones being `fill`; a vector that shrank would be
/// filled as it grows again.
template <typename Vector>
void make_room(Vector& values, std::size_t count, typename Vector::value_type fill = {}) {
    if (values.size() < count) values.resize(count, fill);
}

}  // namespace grouplink::knn
