#include "io/columnar_vectors.hpp"

#include "io/message.hpp"
#include "rows/missing.hpp"

#include <cstring>

namespace grouplink::io {
namespace {

std::optional<ElementType> element_type(const arrow::DataType& type) {
    switch (type.id()) {
        case arrow::Type::HALF_FLOAT: return ElementType::float16;
        case arrow::Type::FLOAT: return ElementType::float32;
        case arrow::Type::DOUBLE: return ElementType::float64;
        case arrow::Type::INT8: return ElementType::int8;
        default: return std::nullopt;
    }
}

bool any_null(const arrow::Array& values, std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
        if (values.IsNull(i)) return true;
    }
    return false;
}

}  // namespace

std::optional<ElementType> vector_type(const arrow::DataType& type) {
    switch (type.id()) {
        case arrow::Type::LIST:
        case arrow::Type::LARGE_LIST:
        case arrow::Type::FIXED_SIZE_LIST: return element_type(*type.field(0)->type());
        default: return std::nullopt;
    }
}

VectorGatherer::VectorGatherer(std::string where, const arrow::DataType& type, std::int64_t most_bytes,
                               const Spill& spill)
    : rows_(std::move(where), vector_type(type).value(), most_bytes, spill) {}

/// Appends components [first, last) of a list's values.
void VectorGatherer::copy(const arrow::Array& values, std::int64_t first, std::int64_t last) {
    while (last - first > RowBuffer::most_at_once) {
        copy(values, first, first + RowBuffer::most_at_once);
        first += RowBuffer::most_at_once;
    }
    if (last <= first) return;
    const std::size_t size = element_size(rows_.type());
    std::byte* const place = rows_.extend(last - first);
    const auto* const data = reinterpret_cast<const std::byte*>(values.data()->buffers[1]->data());
    const auto begin = static_cast<std::size_t>(values.offset() + first) * size;
    std::memcpy(place, data + begin, static_cast<std::size_t>(last - first) * size);
    if (values.null_count() == 0) return;
    // A vector with a missing component cannot be linked; as NaN it is reported as not finite.
    for (std::int64_t i = first; i < last; ++i) {
        if (values.IsNull(i)) write_nan(place + static_cast<std::size_t>(i - first) * size, rows_.type());
    }
}

template <typename Lists>
void VectorGatherer::append_lists(const Lists& lists, bool fixed_size) {
    const arrow::Array& values = *lists.values();
    // int8 has no NaN: there a row with a missing component has no embedding.
    const bool drop_holes = rows_.type() == ElementType::int8 && values.null_count() > 0;
    // Neighbouring rows stand side by side and are copied as one.
    std::int64_t first = 0;
    std::int64_t last = 0;
    for (std::int64_t i = 0; i < lists.length(); ++i) {
        const std::int64_t begin = lists.value_offset(i);
        const std::int64_t dim = lists.value_length(i);
        const bool null = lists.IsNull(i);
        if (null || begin != last) {
            copy(values, first, last);
            first = last = begin;
        }
        if (!null) {
            last = begin + dim;
            rows_.add_row(dim, !drop_holes || !any_null(values, begin, last));
            continue;
        }
        // Dense rows keep their places, filled with zeros.
        const std::int64_t kept = fixed_size ? dim : 0;
        if (kept > 0)
            std::memset(rows_.extend(kept), 0, static_cast<std::size_t>(kept) * element_size(rows_.type()));
        rows_.add_row(kept, false);
        first = last = begin + dim;
    }
    copy(values, first, last);
}

void VectorGatherer::append(const arrow::Array& array) {
    switch (array.type_id()) {
        case arrow::Type::LIST: return append_lists(static_cast<const arrow::ListArray&>(array), false);
        case arrow::Type::LARGE_LIST:
            return append_lists(static_cast<const arrow::LargeListArray&>(array), false);
        case arrow::Type::FIXED_SIZE_LIST:
            return append_lists(static_cast<const arrow::FixedSizeListArray&>(array), true);
        default:
            fail(ErrorCode::bad_input, "{}: changes its type to {}", rows_.where(), array.type()->ToString());
    }
}

}  // namespace grouplink::io
