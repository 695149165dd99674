#pragma once

#include <grouplink/io.hpp>
#include <grouplink/link.hpp>
#include <grouplink/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace grouplink::io {

/// The header of an NPY file, versions 1 to 3, checked against the size of the file: the array's
/// bytes fill the rest of it exactly.
struct NpyHeader {
    std::string descr;  ///< such as "<f2"
    char kind = 0;      ///< NumPy's letter: f, i, u, b, S, U, ...
    bool big_endian = false;
    bool fortran = false;
    std::size_t item_size = 0;        ///< bytes of an element
    std::vector<std::int64_t> shape;  ///< none negative; the product is the number of elements
    std::int64_t items = 0;           ///< elements
    std::size_t data_offset = 0;      ///< of the first element in the file
};

/// Throws Error(bad_input) unless `file` is such a file, whole.
NpyHeader parse_npy(std::string_view file, const std::string& path);

/// The vectors as they lie in `file`; Throws Error(bad_input) unless they are a matrix of an element type
/// that can be linked.
MatrixView npy_vectors(const NpyHeader& header, std::string_view file, const std::string& path);

/// Integers or strings, one a row; padding of strings is cut off. Throws Error(bad_input).
std::variant<std::vector<std::int64_t>, StringColumn> npy_values(const NpyHeader& header,
                                                                 std::string_view file,
                                                                 const std::string& path,
                                                                 const JobControl& control);

/// The text of an array of one string, whose `data` begins at NpyHeader::data_offset.
std::string npy_text(const NpyHeader& header, std::string_view data);

/// "(3, 4)" as NumPy writes it.
std::string npy_shape(const NpyHeader& header);

}  // namespace grouplink::io
