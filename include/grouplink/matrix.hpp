#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace grouplink {

enum class ElementType : std::uint8_t { float16, float32, float64, int8 };

/// Bytes of one component.
constexpr std::size_t element_size(ElementType type) {
    switch (type) {
        case ElementType::float16: return 2;
        case ElementType::float32: return 4;
        case ElementType::float64: return 8;
        case ElementType::int8: return 1;
    }
    return 0;
}

/// A borrowed view of embeddings, one a row, components contiguous; nothing is copied or owned.
/// Dense (`offsets` null): `rows` x `dim`, row-major. Ragged: row i holds the components
/// [offsets[i], offsets[i + 1]), so rows may differ in length; `dim` is then ignored.
struct MatrixView {
    const void* values = nullptr;
    ElementType type = ElementType::float32;
    std::int64_t rows = 0;
    std::int64_t dim = 0;
    const std::int64_t* offsets = nullptr;  ///< rows + 1 positions in components, or null
    const std::uint8_t* valid = nullptr;    ///< a byte a row, 0 = no embedding; null = all have one
    /// `values` lie in a mapping of a file that is only ever read. A job that is short of memory gives its
    /// pages back to the system once it has read them, and they are read anew from the file when needed.
    bool file_backed = false;

    std::int64_t row_dim(std::int64_t row) const { return offsets ? offsets[row + 1] - offsets[row] : dim; }
    const void* row(std::int64_t row) const {
        const auto first = static_cast<std::size_t>(offsets ? offsets[row] : row * dim);
        return static_cast<const std::byte*>(values) + first * element_size(type);
    }
    bool has_row(std::int64_t row) const { return !valid || valid[row] != 0; }
};

/// A dense float32 view over `values`, whose size is rows x dim.
inline MatrixView matrix_view(std::span<const float> values, std::int64_t dim) {
    const auto rows = dim > 0 ? static_cast<std::int64_t>(values.size()) / dim : 0;
    return {.values = values.data(), .type = ElementType::float32, .rows = rows, .dim = dim};
}

}  // namespace grouplink
