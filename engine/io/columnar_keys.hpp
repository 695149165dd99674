#pragma once

#include <grouplink/groups.hpp>
#include <grouplink/io.hpp>

#include "io/row_names.hpp"
#include "io/text_picker.hpp"

#include <arrow/api.h>

#include <string>

namespace grouplink::io {

/// Whether a column of the type can be one of groups or ids: strings, bytes that are UTF-8, integers,
/// bool, or a dictionary of those.
bool is_key_type(const arrow::DataType& type);

/// Takes a group column batch by batch. A null is a row without a group; an empty string is a group.
class GroupReader {
public:
    /// `where` begins messages.
    explicit GroupReader(std::string where) : where_(std::move(where)) {}
    void append(const arrow::Array& array);
    GroupColumn finish() { return encoder_.finish(); }

private:
    std::string where_;
    std::int64_t row_ = 0;
    GroupEncoder encoder_;
};

/// Takes an id column batch by batch. Throws Error(bad_input) at a null.
class IdReader {
public:
    explicit IdReader(std::string where) : where_(std::move(where)) {}
    void append(const arrow::Array& array);
    /// Throws Error(bad_input) when an id is empty or stands twice.
    IdColumn finish();

private:
    std::string where_;
    std::int64_t row_ = 0;
    bool texts_seen_ = false;
    std::vector<std::int64_t> numbers_;
    StringColumn texts_;
};

/// Pushes the texts of the rows that `picker` wants, of an array of a key type whose first row is `first`.
void pick_texts(const arrow::Array& array, std::int64_t first, TextPicker& picker);

/// The row of each name in `array`, which is of a key type; no_row for a null and an unknown name. Appends.
void append_rows(const arrow::Array& array, RowNames& names, std::vector<std::int64_t>& rows);

}  // namespace grouplink::io
