#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::io {

/// The text without a UTF-8 byte order mark.
std::string_view without_mark(std::string_view text);

/// One field of a line, as it stands in the text.
struct Field {
    std::string_view raw;  ///< without the quotes around it
    bool escaped = false;  ///< holds doubled quotes

    /// The value; `scratch` is used where it differs from what stands in the text.
    std::string_view value(std::string& scratch) const;
};

/// Reads CSV as RFC 4180 has it, lines ending in LF or CRLF, and TSV in the same way but for this:
/// quotes are common in unquoted TSV, so a field that begins with one is quoted only when a closing
/// quote stands before a tab or the end of a line; any other is taken as it stands.
class DelimitedReader {
public:
    /// `path` and `text` must outlive the reader. A byte order mark is skipped.
    DelimitedReader(const std::string& path, std::string_view text, char delimiter);

    /// Reads the next line into `fields`; false at the end.
    /// Throws Error(bad_input), naming the line: a quote that is never closed (CSV), a NUL byte.
    bool next(std::vector<Field>& fields);

    /// As next(), but the line must have `count` fields.
    bool next(std::vector<Field>& fields, std::size_t count);

    std::int64_t line() const { return line_; }  ///< of the last next(), from 1
    std::int64_t position() const { return at_ - begin_; }

private:
    bool quoted_field(Field& field);
    Field plain_field();

    const std::string& path_;
    char delimiter_;
    const char* begin_;
    const char* at_;
    const char* end_;
    std::int64_t line_ = 0;
    std::int64_t next_line_ = 1;
};

}  // namespace grouplink::io
