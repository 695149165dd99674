#include "io/columnar_keys.hpp"

#include "io/ids.hpp"
#include "io/message.hpp"
#include "io/utf8.hpp"

#include <limits>

namespace grouplink::io {
namespace {

template <typename ArrayType>
auto value_at(const arrow::Array& array, std::int64_t i) {
    return static_cast<const ArrayType&>(array).Value(i);
}

template <typename ArrayType>
std::string_view view_at(const arrow::Array& array, std::int64_t i) {
    return static_cast<const ArrayType&>(array).GetView(i);
}

/// Calls null(), text(string_view), integer(int64) or large(uint64) for value i.
template <typename Visitor>
void visit(const arrow::Array& array, std::int64_t i, Visitor&& visitor) {
    if (array.IsNull(i)) return visitor.null();
    switch (array.type_id()) {
        case arrow::Type::STRING: return visitor.text(view_at<arrow::StringArray>(array, i));
        case arrow::Type::LARGE_STRING: return visitor.text(view_at<arrow::LargeStringArray>(array, i));
        case arrow::Type::STRING_VIEW: return visitor.text(view_at<arrow::StringViewArray>(array, i));
        case arrow::Type::BINARY_VIEW: return visitor.text(view_at<arrow::BinaryViewArray>(array, i));
        case arrow::Type::BINARY: return visitor.text(view_at<arrow::BinaryArray>(array, i));
        case arrow::Type::LARGE_BINARY: return visitor.text(view_at<arrow::LargeBinaryArray>(array, i));
        case arrow::Type::BOOL:
            return visitor.text(value_at<arrow::BooleanArray>(array, i) ? "true" : "false");
        case arrow::Type::INT8: return visitor.integer(value_at<arrow::Int8Array>(array, i));
        case arrow::Type::INT16: return visitor.integer(value_at<arrow::Int16Array>(array, i));
        case arrow::Type::INT32: return visitor.integer(value_at<arrow::Int32Array>(array, i));
        case arrow::Type::INT64: return visitor.integer(value_at<arrow::Int64Array>(array, i));
        case arrow::Type::UINT8: return visitor.integer(value_at<arrow::UInt8Array>(array, i));
        case arrow::Type::UINT16: return visitor.integer(value_at<arrow::UInt16Array>(array, i));
        case arrow::Type::UINT32: return visitor.integer(value_at<arrow::UInt32Array>(array, i));
        case arrow::Type::UINT64: {
            const std::uint64_t value = value_at<arrow::UInt64Array>(array, i);
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                return visitor.large(value);
            }
            return visitor.integer(static_cast<std::int64_t>(value));
        }
        case arrow::Type::DICTIONARY: {
            const auto& encoded = static_cast<const arrow::DictionaryArray&>(array);
            const std::int64_t index = encoded.GetValueIndex(i);
            const arrow::Array& values = *encoded.dictionary();
            if (index < 0 || index >= values.length()) return visitor.out_of_range();
            return visit(values, index, visitor);
        }
        default: return visitor.out_of_range();
    }
}

struct Place {
    const std::string& where;
    std::int64_t row;

    void out_of_range() const { fail(ErrorCode::bad_input, "{}: row {} refers to no value", where, row); }
    void check_utf8(std::string_view value) const {
        if (!is_utf8(value)) fail(ErrorCode::bad_input, "{}: row {} is not UTF-8 text", where, row);
    }
};

struct GroupVisitor : Place {
    GroupEncoder& encoder;

    void null() const { encoder.push_null(); }
    void text(std::string_view value) const {
        check_utf8(value);
        encoder.push(value);
    }
    void integer(std::int64_t value) const { encoder.push(value); }
    void large(std::uint64_t value) const { encoder.push(std::to_string(value)); }
};

struct IdVisitor : Place {
    std::vector<std::int64_t>& numbers;
    StringColumn& texts;

    void null() const { fail(ErrorCode::bad_input, "{}: row {} is null; give each row an id", where, row); }
    void text(std::string_view value) const {
        check_utf8(value);
        texts.push_back(value);
    }
    void integer(std::int64_t value) const { numbers.push_back(value); }
    void large(std::uint64_t value) const {
        fail(ErrorCode::bad_input, "{}: row {} has the id {}, past 2^63 - 1; store the ids as strings", where,
             row, value);
    }
};

struct TextVisitor {
    TextPicker& picker;

    void null() const { picker.push({}); }
    void text(std::string_view value) const { picker.push(value); }
    void integer(std::int64_t value) const { picker.push(std::to_string(value)); }
    void large(std::uint64_t value) const { picker.push(std::to_string(value)); }
    void out_of_range() const { picker.push({}); }
};

struct RowVisitor {
    RowNames& names;
    std::vector<std::int64_t>& rows;

    void null() const { rows.push_back(no_row); }
    void text(std::string_view value) const { rows.push_back(names.find(value)); }
    void integer(std::int64_t value) const { rows.push_back(names.find(value)); }
    void large(std::uint64_t) const { rows.push_back(no_row); }
    void out_of_range() const { rows.push_back(no_row); }
};

}  // namespace

bool is_key_type(const arrow::DataType& type) {
    switch (type.id()) {
        case arrow::Type::STRING:
        case arrow::Type::LARGE_STRING:
        case arrow::Type::STRING_VIEW:
        case arrow::Type::BINARY_VIEW:
        case arrow::Type::BINARY:
        case arrow::Type::LARGE_BINARY:
        case arrow::Type::BOOL: return true;
        case arrow::Type::DICTIONARY: {
            const auto& values = *static_cast<const arrow::DictionaryType&>(type).value_type();
            return values.id() != arrow::Type::DICTIONARY && is_key_type(values);
        }
        default: return arrow::is_integer(type.id());
    }
}

void GroupReader::append(const arrow::Array& array) {
    for (std::int64_t i = 0; i < array.length(); ++i)
        visit(array, i, GroupVisitor{{where_, row_++}, encoder_});
}

void IdReader::append(const arrow::Array& array) {
    const arrow::DataType* type = array.type().get();
    if (type->id() == arrow::Type::DICTIONARY) {
        type = static_cast<const arrow::DictionaryType*>(type)->value_type().get();
    }
    texts_seen_ = !arrow::is_integer(type->id());
    for (std::int64_t i = 0; i < array.length(); ++i)
        visit(array, i, IdVisitor{{where_, row_++}, numbers_, texts_});
}

void pick_texts(const arrow::Array& array, std::int64_t first, TextPicker& picker) {
    if (!picker.wants_some(first, first + array.length())) return;
    for (std::int64_t i = 0; i < array.length(); ++i) {
        if (picker.wants(first + i)) visit(array, i, TextVisitor{picker});
    }
}

void append_rows(const arrow::Array& array, RowNames& names, std::vector<std::int64_t>& rows) {
    for (std::int64_t i = 0; i < array.length(); ++i) visit(array, i, RowVisitor{names, rows});
}

IdColumn IdReader::finish() {
    IdColumn ids;
    if (texts_seen_) {
        ids = std::move(texts_);
    } else {
        ids = std::move(numbers_);
    }
    check_ids(where_, ids);
    return ids;
}

}  // namespace grouplink::io
