#pragma once

#include "io/storage.hpp"

#include <grouplink/io.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace grouplink::io {

/// Columns of a table; an empty name is a column not asked for, or, for `embedding`, the only one
/// that could be it.
struct TableColumns {
    std::string embedding{};
    std::string group{};
    std::string id{};
};

// Each reads the rows of one kind of file. Throws Error(bad_input | io).

/// Parquet and Arrow IPC, batch by batch. Throws bad_input in a build without Parquet.
RowsRead read_columnar(const std::string& path, const TableColumns& columns, const Spill& spill,
                       const JobControl& control);

/// An object a line: the embedding an array of numbers, kept as float32; groups strings, integers, booleans
/// or null; ids strings or integers. What a line lacks is null.
RowsRead read_json_lines(const std::string& path, const TableColumns& columns, const Spill& spill,
                         const JobControl& control);

/// The table `embeddings` of a database as `llm` writes it, in the order of its rows. Beside its own
/// columns there are `collection` and `model`, the name and the model of a row's collection.
RowsRead read_sqlite(const std::string& path, const TableColumns& columns, const Spill& spill,
                     const JobControl& control);

// The texts of `rows`, which ascend, from a column of the same files: strings, or integers as their digits;
// empty for a null. Of no rows: whether the column is there. Throws Error(bad_input | io).

StringColumn read_columnar_texts(const std::string& path, const std::string& column,
                                 std::span<const std::int64_t> rows, const JobControl& control);
StringColumn read_json_lines_texts(const std::string& path, const std::string& column,
                                   std::span<const std::int64_t> rows, const JobControl& control);
StringColumn read_sqlite_texts(const std::string& path, const std::string& column,
                               std::span<const std::int64_t> rows, const JobControl& control);

/// NPY, mapped.
RowsRead read_npy(const std::string& path, const Spill& spill);

/// Two 32-bit integers, rows and dimension, then rows of float32; mapped.
RowsRead read_fbin(const std::string& path);

/// Throws Error(bad_input) for rows of which there are none and which claim more components than any have: no
/// bytes back that number.
void check_claimed_dim(const MatrixView& view, const std::string& path);

/// Rows of float32, before each its dimension as a 32-bit integer.
RowsRead read_fvecs(const std::string& path, const Spill& spill);

}  // namespace grouplink::io
