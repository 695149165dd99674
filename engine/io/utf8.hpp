#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace grouplink::io {

bool is_utf8(std::string_view text);

/// Appends a code point; false, and nothing appended, when it is none.
bool append_utf8(std::string& text, std::uint32_t code_point);

}  // namespace grouplink::io
