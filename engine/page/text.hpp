#pragma once

#include "wording.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace grouplink::page {

/// Data as text of HTML, in an element or a quoted attribute: at most `most` characters and then an ellipsis,
/// whitespace and controls as blanks, what is not UTF-8 as U+FFFD.
std::string escaped(std::string_view data, std::size_t most = std::string_view::npos);

/// Columns that the data takes when it is written in at most `most` characters; wide ones count as two.
std::size_t width_of(std::string_view data, std::size_t most);

using grouplink::bytes_text;
using grouplink::count_text;
using grouplink::plural;

/// "1.8M": a count where there is little room.
std::string short_count(double number);

/// "0.4 ms", "1.24 s", "3 min 5 s".
std::string seconds_text(double seconds);

/// A weight or another measure in four digits, a whole number from 10,000 on; "none" when it is not finite.
std::string number_text(double number);

/// "12.3 %" of a share from 0 to 1; 100 % and 0 % only where it is exactly that.
std::string percent_text(double share);

/// The number for people, and for programs in its attributes: <data id="links" value="1764885">.
std::string data_text(std::string_view id, double value, std::string_view text);
std::string data_text(std::string_view id, std::int64_t value);

}  // namespace grouplink::page
