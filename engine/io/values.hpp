#pragma once

#include <grouplink/io.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace grouplink::io {

/// A file with a value a row, and the column of it that was asked for: "FILE.tsv:COLUMN".
struct ValuesFile {
    std::string path;
    std::string column;  ///< empty: none was asked for
};

/// Takes `text` apart at its last ':', unless a file of the whole name exists or what stands before
/// is neither a file nor a .tsv or .csv name. `column` is one that was given beside it; may be empty.
/// Throws Error(invalid_options) when both name one and they differ, or when a column is named of a
/// file that has none.
ValuesFile parse_values_file(const std::string& text, const std::string& column);

/// An empty value is a null group. Throws Error(bad_input | io).
GroupColumn read_group_file(const ValuesFile& file, const JobControl& control);

/// Integers from arrays of integers, else strings; distinct and not empty. Throws Error(bad_input | io).
IdColumn read_id_file(const ValuesFile& file, const JobControl& control);

struct TextsRead {
    StringColumn texts;       ///< of the rows asked for, as far as the file has them
    std::int64_t values = 0;  ///< in the file
};

/// Strings, or integers as their digits, of `rows`, which ascend. Throws Error(bad_input | io).
TextsRead read_text_file(const ValuesFile& file, std::span<const std::int64_t> rows,
                         const JobControl& control);

/// Throws Error(bad_input) unless the file has as many values as `input` has rows.
void check_value_count(const ValuesFile& file, std::int64_t values, const std::string& input,
                       std::int64_t rows);

/// The position of `name` among `names`. Throws Error(bad_input): unknown, listing them, or twice.
std::size_t find_column(const std::string& path, const std::string& name,
                        const std::vector<std::string>& names);

}  // namespace grouplink::io
