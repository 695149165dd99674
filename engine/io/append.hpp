#pragma once

#include <grouplink/io.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace grouplink::io {

/// The shortest decimal text that reads back as the same number.
template <typename Number>
void append_number(std::string& text, Number value) {
    char digits[32];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// A JSON string; what is not UTF-8 becomes U+FFFD.
inline void append_json(std::string& text, std::string_view value) {
    using Json = nlohmann::json;
    text += Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The id of a row, in JSON: its number where rows have none.
inline void append_json_id(std::string& text, const IdColumn& ids, std::int64_t row) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) {
        append_number(text, (*numbers)[static_cast<std::size_t>(row)]);
    } else if (const auto* texts = std::get_if<StringColumn>(&ids)) {
        append_json(text, (*texts)[row]);
    } else {
        append_number(text, row);
    }
}

}  // namespace grouplink::io
