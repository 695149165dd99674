#pragma once

#include "page/sections.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace grouplink::page {

/// How a group of so many is called: "all rows" where there is no column of groups.
std::string_view key_text(std::string_view key, std::size_t groups);

/// The id of the row, else its number: "row 17".
std::string id_text(const Subject& subject, std::int64_t row);

/// Its text; empty where there is none. `row` is one of the sample's.
std::string_view text_of(const Subject& subject, std::int64_t row);

std::string_view group_of(const Subject& subject, std::int64_t row);

/// The knobs in force of an approximate group, in a few words.
std::string knobs_text(IndexKind index, const SearchReport& search);

}  // namespace grouplink::page
