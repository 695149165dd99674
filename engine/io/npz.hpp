#pragma once

#include "io/atomic_file.hpp"
#include "io/links_out.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace grouplink::io {

/// The header of a .npy file (version 1.0) for C order: `descr` such as "<f4", `shape` such as "(3,)".
std::string npy_header(std::string_view descr, std::string_view shape);

/// Writes the links as scipy.sparse.load_npz reads a CSR matrix: indices, indptr, format, shape and data,
/// uncompressed, and beside them the record, where there is one, as the 0-d string array `grouplink`. Along a
/// row the columns stand nearest first, not ascending. Indices are int32 where rows and links allow, as SciPy
/// chooses them.
void write_npz(AtomicFile& file, const LinksOut& links, const JobControl& control,
               std::uint64_t zip64_from = 0xFFFFFFFF);

}  // namespace grouplink::io
