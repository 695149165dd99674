#include "io/npy.hpp"

#include "io/message.hpp"
#include "io/readers.hpp"
#include "io/row_buffer.hpp"
#include "io/ticker.hpp"
#include "io/utf8.hpp"

#include <cstring>
#include <limits>
#include <span>
#include <type_traits>

namespace grouplink::io {
namespace {

constexpr std::int64_t rows_per_tick = 1 << 14;

[[noreturn]] void fail_big_endian(const NpyHeader& header, const std::string& path) {
    fail(ErrorCode::bad_input,
         "{}: has big-endian elements, dtype {}; save it as little-endian, dtype \"<{}\"", path,
         in_quotes(header.descr), header.descr.substr(1));
}

template <typename Integer>
std::vector<std::int64_t> integers(std::string_view data, std::int64_t rows, const std::string& path,
                                   Ticker& ticker) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(rows));
    for (std::int64_t row = 0; row < rows; ++row) {
        if (row % rows_per_tick == 0) ticker.at(row);
        Integer value{};
        std::memcpy(&value, data.data() + static_cast<std::size_t>(row) * sizeof(Integer), sizeof(Integer));
        if constexpr (std::is_same_v<Integer, std::uint64_t>) {
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                fail(ErrorCode::bad_input, "{}: row {} is {}, past the largest 64-bit signed integer", path,
                     row, value);
            }
        }
        values[static_cast<std::size_t>(row)] = static_cast<std::int64_t>(value);
    }
    return values;
}

/// UTF-32, padded with NULs.
void append_utf32(std::string& bytes, std::string_view item, std::int64_t row, const std::string& path) {
    std::size_t size = item.size() / 4;
    const auto code_point = [&](std::size_t i) {
        std::uint32_t value = 0;
        std::memcpy(&value, item.data() + 4 * i, 4);
        return value;
    };
    while (size > 0 && code_point(size - 1) == 0) --size;
    for (std::size_t i = 0; i < size; ++i) {
        if (!append_utf8(bytes, code_point(i))) {
            fail(ErrorCode::bad_input, "{}: row {} holds {:#x}, which is no character of Unicode", path, row,
                 code_point(i));
        }
    }
}

void append_bytes(std::string& bytes, std::string_view item, std::int64_t row, const std::string& path) {
    item = item.substr(0, item.find_last_not_of('\0') + 1);
    if (!is_utf8(item)) fail(ErrorCode::bad_input, "{}: row {} is not UTF-8 text", path, row);
    bytes.append(item);
}

StringColumn strings(const NpyHeader& header, std::string_view data, const std::string& path,
                     Ticker& ticker) {
    StringColumn column;
    column.offsets.reserve(static_cast<std::size_t>(header.items) + 1);
    for (std::int64_t row = 0; row < header.items; ++row) {
        if (row % rows_per_tick == 0) ticker.at(row);
        const std::string_view item =
            data.substr(static_cast<std::size_t>(row) * header.item_size, header.item_size);
        if (header.kind == 'b') {
            column.bytes += item[0] != 0 ? "true" : "false";
        } else if (header.kind == 'U') {
            append_utf32(column.bytes, item, row, path);
        } else {
            append_bytes(column.bytes, item, row, path);
        }
        column.offsets.push_back(static_cast<std::int64_t>(column.bytes.size()));
    }
    return column;
}

}  // namespace

MatrixView npy_vectors(const NpyHeader& header, std::string_view file, const std::string& path) {
    if (header.shape.size() != 2) {
        fail(ErrorCode::bad_input, "{}: has shape {}; vectors are a matrix, shape (rows, dim)", path,
             npy_shape(header));
    }
    MatrixView view;
    const bool real = header.kind == 'f';
    if (real && header.item_size == 2) {
        view.type = ElementType::float16;
    } else if (real && header.item_size == 4) {
        view.type = ElementType::float32;
    } else if (real && header.item_size == 8) {
        view.type = ElementType::float64;
    } else if (header.kind == 'i' && header.item_size == 1) {
        view.type = ElementType::int8;
    } else {
        fail(ErrorCode::bad_input,
             "{}: has elements of dtype {}; vectors are float16, float32, float64 or int8", path,
             in_quotes(header.descr));
    }
    if (header.big_endian) fail_big_endian(header, path);
    view.rows = header.shape[0];
    view.dim = header.shape[1];
    if (view.dim == 0)
        fail(ErrorCode::bad_input, "{}: has shape {}, rows of no components", path, npy_shape(header));
    check_claimed_dim(view, path);
    if (header.fortran && view.rows > 1 && view.dim > 1) {
        fail(ErrorCode::bad_input,
             "{}: is in Fortran order, column by column; save numpy.ascontiguousarray of it", path);
    }
    view.values = file.data() + header.data_offset;
    return view;
}

std::variant<std::vector<std::int64_t>, StringColumn> npy_values(const NpyHeader& header,
                                                                 std::string_view file,
                                                                 const std::string& path,
                                                                 const JobControl& control) {
    if (header.shape.size() != 1) {
        fail(ErrorCode::bad_input, "{}: has shape {}; values a row are one-dimensional, shape (rows,)", path,
             npy_shape(header));
    }
    if (header.big_endian) fail_big_endian(header, path);
    const std::string_view data = file.substr(header.data_offset);
    const std::int64_t rows = header.items;
    Ticker ticker(control, "read", rows, "rows");
    if (header.kind == 'U' || header.kind == 'S' || (header.kind == 'b' && header.item_size == 1)) {
        return strings(header, data, path, ticker);
    }
    if (header.kind == 'i') {
        switch (header.item_size) {
            case 1: return integers<std::int8_t>(data, rows, path, ticker);
            case 2: return integers<std::int16_t>(data, rows, path, ticker);
            case 4: return integers<std::int32_t>(data, rows, path, ticker);
            case 8: return integers<std::int64_t>(data, rows, path, ticker);
            default: break;
        }
    } else if (header.kind == 'u') {
        switch (header.item_size) {
            case 1: return integers<std::uint8_t>(data, rows, path, ticker);
            case 2: return integers<std::uint16_t>(data, rows, path, ticker);
            case 4: return integers<std::uint32_t>(data, rows, path, ticker);
            case 8: return integers<std::uint64_t>(data, rows, path, ticker);
            default: break;
        }
    }
    fail(ErrorCode::bad_input, "{}: has elements of dtype {}; groups and ids are integers or strings", path,
         in_quotes(header.descr));
}

std::string npy_text(const NpyHeader& header, std::string_view data) {
    std::string text;
    if (header.kind != 'U') return std::string(data.substr(0, data.find('\0')));
    for (std::size_t i = 0; i + 4 <= data.size(); i += 4) {
        std::uint32_t code_point = 0;
        std::memcpy(&code_point, data.data() + i, 4);
        if (code_point != 0) append_utf8(text, code_point);
    }
    return text;
}

RowsRead read_npy(const std::string& path, const Spill& spill) {
    auto storage = std::make_shared<Table::Storage>();
    storage->file = MappedFile(path);
    RowsRead read;
    const NpyHeader header = parse_npy(storage->file.text(), path);
    read.vectors = npy_vectors(header, storage->file.text(), path);
    if (header.data_offset % element_size(read.vectors.type) != 0) {
        // Components are read in place, so they must stand aligned; numpy's own files have them so.
        const MappedFile file = std::move(storage->file);
        const MatrixView view = read.vectors;
        RowBuffer rows(path, view.type, std::numeric_limits<std::int64_t>::max(), spill);
        for (std::int64_t row = 0; row < view.rows; ++row) {
            std::memcpy(rows.extend(view.dim), view.row(row),
                        static_cast<std::size_t>(view.dim) * element_size(view.type));
            rows.add_row(view.dim, true);
        }
        file.check_unchanged();
        read.vectors = rows.finish(*storage);
    } else {
        read.vectors.file_backed = true;
    }
    read.storage = std::move(storage);
    return read;
}

}  // namespace grouplink::io
