#include "io/delimited.hpp"

#include "io/message.hpp"

#include <algorithm>

namespace grouplink::io {

namespace {

/// Each takes some hundred bytes where it is a column, and but one in the file.
constexpr std::size_t most_fields = 1'000'000;

}  // namespace

std::string_view without_mark(std::string_view text) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    return text;
}

std::string_view Field::value(std::string& scratch) const {
    if (!escaped) return raw;
    scratch.clear();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        scratch += raw[i];
        if (raw[i] == '"') ++i;  // the second of a pair
    }
    return scratch;
}

DelimitedReader::DelimitedReader(const std::string& path, std::string_view text, char delimiter)
    : path_(path), delimiter_(delimiter) {
    text = without_mark(text);
    begin_ = at_ = text.data();
    end_ = begin_ + text.size();
}

/// False when the field at hand is not a quoted one; nothing is consumed then.
bool DelimitedReader::quoted_field(Field& field) {
    const char* const first = at_ + 1;
    bool escaped = false;
    for (const char* quote = first;; quote += 2) {
        quote = std::find(quote, end_, '"');
        if (quote == end_) {
            if (delimiter_ == '\t') return false;
            fail(ErrorCode::bad_input, "{}: line {}: a quote is opened and never closed", path_, line_);
        }
        const char* const after = quote + 1;
        if (after != end_ && *after == '"') {
            escaped = true;
            continue;
        }
        const bool ends = after == end_ || *after == delimiter_ || *after == '\n' ||
                          (*after == '\r' && (after + 1 == end_ || after[1] == '\n'));
        if (!ends) {
            if (delimiter_ == '\t') return false;
            fail(ErrorCode::bad_input,
                 "{}: line {}: text after a closing quote; double the quotes within a field", path_, line_);
        }
        field.raw = {first, quote};
        field.escaped = escaped;
        next_line_ += std::count(first, quote, '\n');
        at_ = after;
        if (at_ != end_ && *at_ == '\r') ++at_;
        return true;
    }
}

Field DelimitedReader::plain_field() {
    const char* const first = at_;
    while (at_ != end_ && *at_ != delimiter_ && *at_ != '\n') {
        if (*at_ == '\0')
            fail(ErrorCode::bad_input, "{}: line {}: holds a NUL byte; it is not a text", path_, line_);
        ++at_;
    }
    const bool ends_line = at_ == end_ || *at_ == '\n';
    const bool carriage_return = ends_line && at_ != first && at_[-1] == '\r';
    return {{first, carriage_return ? at_ - 1 : at_}, false};
}

bool DelimitedReader::next(std::vector<Field>& fields) {
    fields.clear();
    if (at_ == end_) return false;
    line_ = next_line_;
    for (;;) {
        Field field;
        if (at_ == end_ || *at_ != '"' || !quoted_field(field)) field = plain_field();
        if (fields.size() == most_fields) {
            fail(ErrorCode::bad_input, "{}: line {} has more than {} fields; it is not a table", path_, line_,
                 most_fields);
        }
        fields.push_back(field);
        if (at_ == end_) return true;
        if (*at_++ == '\n') {
            ++next_line_;
            return true;
        }
    }
}

bool DelimitedReader::next(std::vector<Field>& fields, std::size_t count) {
    if (!next(fields)) return false;
    if (fields.size() == count) return true;
    fail(ErrorCode::bad_input, "{}: line {} has {} field{}, the header has {}", path_, line_, fields.size(),
         fields.size() == 1 ? "" : "s", count);
}

}  // namespace grouplink::io
