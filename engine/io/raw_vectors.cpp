#include "io/message.hpp"
#include "io/readers.hpp"
#include "io/row_buffer.hpp"

#include <cstring>
#include <span>
#include <string_view>

namespace grouplink::io {
namespace {

constexpr std::size_t word = 4;

std::uint32_t word_at(std::string_view file, std::size_t position) {
    std::uint32_t value = 0;
    std::memcpy(&value, file.data() + position, word);
    return value;
}

}  // namespace

void check_claimed_dim(const MatrixView& view, const std::string& path) {
    constexpr std::int64_t most = 1'000'000;
    if (view.rows > 0 || view.dim <= most) return;
    fail(ErrorCode::bad_input, "{}: says that its rows, of which there are none, have {} components each",
         path, view.dim);
}

RowsRead read_fbin(const std::string& path) {
    auto storage = std::make_shared<Table::Storage>();
    storage->file = MappedFile(path);
    const std::string_view file = storage->file.text();
    constexpr std::size_t header = 2 * word;
    if (file.size() < header) {
        fail(ErrorCode::bad_input, "{}: has {} bytes, an fbin file begins with 8: rows and dimension", path,
             file.size());
    }
    RowsRead read;
    read.vectors.rows = word_at(file, 0);
    read.vectors.dim = word_at(file, word);
    if (read.vectors.dim == 0) fail(ErrorCode::bad_input, "{}: says that rows have no components", path);
    check_claimed_dim(read.vectors, path);
    // Two numbers of 32 bits: the product of both and 4 does not overflow 66 bits, so it is not taken.
    const std::uint64_t components = (file.size() - header) / word;
    const auto rows = static_cast<std::uint64_t>(read.vectors.rows);
    const auto dim = static_cast<std::uint64_t>(read.vectors.dim);
    const bool whole =
        (file.size() - header) % word == 0 && components % dim == 0 && components / dim == rows;
    if (!whole) {
        fail(ErrorCode::bad_input, "{}: says {} rows of {} float32, which is not what {} bytes hold", path,
             rows, dim, file.size());
    }
    read.vectors.values = file.data() + header;
    read.vectors.file_backed = true;
    read.storage = std::move(storage);
    return read;
}

RowsRead read_fvecs(const std::string& path, const Spill& spill) {
    const MappedFile mapped(path);
    mapped.read_in_order();
    const std::string_view file = mapped.text();
    if (file.size() < word) {
        fail(ErrorCode::bad_input, "{}: has {} bytes, a row of fvecs begins with 4: its dimension", path,
             file.size());
    }
    const std::size_t dim = word_at(file, 0);
    if (dim == 0 || dim > file.size() / word - 1) {
        fail(ErrorCode::bad_input, "{}: row 0 says {} components, which is not what {} bytes hold", path, dim,
             file.size());
    }
    const std::size_t bytes = word * dim;
    const std::size_t rows = file.size() / (word + bytes);
    RowBuffer buffer(path, ElementType::float32, static_cast<std::int64_t>(file.size()), spill);
    constexpr std::size_t bytes_to_keep = std::size_t{8} << 20;
    std::size_t given_back = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t at = row * (word + bytes);
        if (word_at(file, at) != dim) {
            fail(ErrorCode::bad_input, "{}: row {} says {} components, the rows before have {}", path, row,
                 word_at(file, at), dim);
        }
        std::memcpy(buffer.extend(static_cast<std::int64_t>(dim)), file.data() + at + word, bytes);
        buffer.add_row(static_cast<std::int64_t>(dim), true);
        if (at < given_back + bytes_to_keep) continue;
        mapped.give_back();
        given_back = at;
    }
    if (rows * (word + bytes) != file.size()) {
        fail(ErrorCode::bad_input, "{}: was cut short, {} bytes are left after {} rows of {} components",
             path, file.size() - rows * (word + bytes), rows, dim);
    }
    mapped.check_unchanged();
    auto storage = std::make_shared<Table::Storage>();
    RowsRead read;
    read.vectors = buffer.finish(*storage);
    read.storage = std::move(storage);
    return read;
}

}  // namespace grouplink::io
