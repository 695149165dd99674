#pragma once

#include "wording.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::cli {

using grouplink::bytes_text;
using grouplink::count_text;
using grouplink::plural;

/// Operations in thousands of millions: "128", "1.26", "< 0.001".
std::string gflop_text(double operations);

/// "edges or lists", "bash, zsh or fish".
std::string one_of(const std::vector<std::string_view>& names);

/// The text with all that could move the cursor or is not UTF-8 written out as \n, \t or \xNN: keys
/// and paths are data, and a terminal obeys what it is sent.
std::string printable(std::string_view text);

/// Columns that printable text takes on a terminal.
std::size_t display_width(std::string_view text);

/// Printable text of at most `width` columns, with "..." where it was cut.
std::string shorten(std::string_view text, std::size_t width);

/// The lines of `text`, broken between words where they are longer than `width`; "[default: 15]" is one
/// word, and a line that begins with a blank is laid out already.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

/// A line for each.
std::string notes_text(const std::vector<std::string>& notes);

struct TableColumn {
    std::string title;
    bool right = false;  ///< numbers stand at the right
};

/// Lines of columns two blanks apart, without blanks at the ends. Each row has a cell a column;
/// more are left out.
std::string table_text(const std::vector<TableColumn>& columns,
                       const std::vector<std::vector<std::string>>& rows);

}  // namespace grouplink::cli
