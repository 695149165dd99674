#include "io/write_rows.hpp"

#include "io/append.hpp"
#include "io/message.hpp"
#include "io/npz.hpp"
#include "io/ticker.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <variant>
#include <vector>

namespace grouplink::io {
namespace {

constexpr std::int64_t rows_a_step = 1 << 10;
constexpr std::size_t flush_bytes = std::size_t{1} << 18;

float from_half(std::uint16_t half) {
    const int exponent = (half >> 10) & 0x1F;
    const int fraction = half & 0x3FF;
    const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
    if (exponent == 0x1F) {
        return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                             : sign * std::numeric_limits<float>::infinity();
    }
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
    return sign * std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
}

template <typename Value>
Value value_at(const void* values, std::int64_t i) {
    Value value{};
    std::memcpy(&value, static_cast<const std::byte*>(values) + static_cast<std::size_t>(i) * sizeof(Value),
                sizeof value);
    return value;
}

/// Component `i` of a row.
double component(ElementType type, const void* row, std::int64_t i) {
    switch (type) {
        case ElementType::float16: return static_cast<double>(from_half(value_at<std::uint16_t>(row, i)));
        case ElementType::float32: return static_cast<double>(value_at<float>(row, i));
        case ElementType::float64: return value_at<double>(row, i);
        case ElementType::int8: return static_cast<double>(value_at<std::int8_t>(row, i));
    }
    return 0.0;
}

std::string_view bytes_of(const void* data, std::size_t size) {
    return {static_cast<const char*>(data), size};
}

/// The one dimension of all rows.
std::int64_t only_dim(const std::string& path, const MatrixView& vectors) {
    const std::int64_t dim = vectors.rows > 0 ? vectors.row_dim(0) : vectors.dim;
    for (std::int64_t row = 0; row < vectors.rows; ++row) {
        if (!vectors.has_row(row)) {
            fail(ErrorCode::bad_input,
                 "{}: row {} has no embedding, and an array no place for that; write .jsonl, "
                 ".parquet or .arrow",
                 path, row);
        }
        if (vectors.row_dim(row) != dim) {
            fail(ErrorCode::bad_input,
                 "{}: row {} has dim {}, those before have {}, and an array has one; write .jsonl, .parquet "
                 "or "
                 ".arrow",
                 path, row, vectors.row_dim(row), dim);
        }
    }
    return dim;
}

std::string_view npy_type(ElementType type) {
    switch (type) {
        case ElementType::float16: return "<f2";
        case ElementType::float32: return "<f4";
        case ElementType::float64: return "<f8";
        case ElementType::int8: return "|i1";
    }
    return "";
}

std::string word(std::int64_t value) {
    const auto narrow = static_cast<std::uint32_t>(value);
    return std::string(bytes_of(&narrow, sizeof narrow));
}

/// The rows as float32, before each `before`.
void write_float32(AtomicFile& file, const MatrixView& vectors, std::int64_t dim, const std::string& before,
                   const JobControl& control) {
    Ticker ticker(control, "write", vectors.rows, "rows");
    std::vector<float> values(static_cast<std::size_t>(dim));
    for (std::int64_t row = 0; row < vectors.rows; ++row) {
        if (row % rows_a_step == 0) ticker.at(row);
        for (std::int64_t i = 0; i < dim; ++i) {
            values[static_cast<std::size_t>(i)] =
                static_cast<float>(component(vectors.type, vectors.row(row), i));
        }
        file.write(before);
        file.write(bytes_of(values.data(), values.size() * sizeof(float)));
    }
}

void check_words(const std::string& path, std::int64_t rows, std::int64_t dim) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (rows <= most && dim <= most) return;
    fail(ErrorCode::bad_input, "{}: {} rows of {} components are more than its header counts; write .npy",
         path, rows, dim);
}

void append_vector(std::string& text, const MatrixView& vectors, std::int64_t row) {
    if (!vectors.has_row(row)) {
        text += "null";
        return;
    }
    text += '[';
    for (std::int64_t i = 0; i < vectors.row_dim(row); ++i) {
        if (i > 0) text += ',';
        const double value = component(vectors.type, vectors.row(row), i);
        if (!std::isfinite(value)) {
            text += "null";
        } else if (value == 0.0 && std::signbit(value)) {
            text += "-0.0";  // "-0" is read as an integer, which has no sign then
        } else if (vectors.type == ElementType::float64) {
            append_number(text, value);
        } else {
            append_number(text, static_cast<float>(value));
        }
    }
    text += ']';
}

}  // namespace

void write_npy_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control) {
    const MatrixView& vectors = rows.table.vectors;
    const std::int64_t dim = only_dim(file.path(), vectors);
    file.write(npy_header(npy_type(vectors.type), fmt::format("({}, {})", vectors.rows, dim)));
    const std::size_t row_bytes = static_cast<std::size_t>(dim) * element_size(vectors.type);
    Ticker ticker(control, "write", vectors.rows, "rows");
    for (std::int64_t row = 0; row < vectors.rows; ++row) {
        if (row % rows_a_step == 0) ticker.at(row);
        file.write(bytes_of(vectors.row(row), row_bytes));
    }
}

void write_fbin_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control) {
    const MatrixView& vectors = rows.table.vectors;
    const std::int64_t dim = only_dim(file.path(), vectors);
    check_words(file.path(), vectors.rows, dim);
    file.write(word(vectors.rows) + word(dim));
    write_float32(file, vectors, dim, "", control);
}

void write_fvecs_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control) {
    const MatrixView& vectors = rows.table.vectors;
    const std::int64_t dim = only_dim(file.path(), vectors);
    check_words(file.path(), 0, dim);
    if (vectors.rows == 0) {
        fail(ErrorCode::bad_input, "{}: there are no rows, of which fvecs can tell no dimension",
             file.path());
    }
    write_float32(file, vectors, dim, word(dim), control);
}

void write_json_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control) {
    const Table& table = rows.table;
    Ticker ticker(control, "write", table.vectors.rows, "rows");
    std::string text;
    for (std::int64_t row = 0; row < table.vectors.rows; ++row) {
        if (row % rows_a_step == 0) ticker.at(row);
        text += '{';
        const auto begin = [&](const std::string& key) {
            if (text.back() != '{') text += ',';
            append_json(text, key);
            text += ':';
        };
        if (!rows.id.empty()) {
            begin(rows.id);
            append_json_id(text, table.ids, row);
        }
        if (!rows.group.empty()) {
            begin(rows.group);
            const std::int32_t code = table.groups.codes[static_cast<std::size_t>(row)];
            if (code < 0) {
                text += "null";
            } else {
                append_json(text, table.groups.keys[static_cast<std::size_t>(code)]);
            }
        }
        begin(rows.embedding);
        append_vector(text, table.vectors, row);
        text += "}\n";
        if (text.size() < flush_bytes) continue;
        file.write(text);
        text.clear();
    }
    file.write(text);
}

}  // namespace grouplink::io
