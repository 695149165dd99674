#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::io {

/// What stands under a key of an object.
struct JsonField {
    enum class Kind : std::uint8_t {
        null,
        boolean,
        integer,  ///< that fits 64 bits with a sign
        number,   ///< any other
        text,
        numbers,  ///< an array of numbers and nulls
        mixed,    ///< an array of anything else
        object,
    };

    std::string key;
    Kind kind = Kind::null;
    bool boolean = false;
    std::int64_t integer = 0;
    double number = 0.0;  ///< of an integer as well
    std::string text;
    std::vector<float> numbers;  ///< nulls are NaN

    /// "a number", "an array of numbers", ...
    std::string_view kind_name() const;
};

/// Reads JSON Lines: an object a line; lines of blanks are passed over.
class JsonLines {
public:
    /// `path` and `text` must outlive the reader. A byte order mark is skipped.
    JsonLines(const std::string& path, std::string_view text);

    /// Reads the next object; false at the end. Throws Error(bad_input), naming the line, for what is no
    /// object of JSON in UTF-8.
    bool next();

    /// Of the last object, in their order, until the next call.
    const std::vector<JsonField>& fields() const { return fields_; }
    /// Null where there is none. Throws Error(bad_input) where there are two.
    const JsonField* find(std::string_view key) const;
    std::vector<std::string> keys() const;

    const std::string& path() const { return path_; }
    std::int64_t line() const { return line_; }  ///< of the last object, from 1
    std::int64_t position() const { return static_cast<std::int64_t>(at_); }

private:
    const std::string& path_;
    std::string_view text_;
    std::size_t at_ = 0;
    std::int64_t line_ = 0;
    std::vector<JsonField> fields_;
};

}  // namespace grouplink::io
