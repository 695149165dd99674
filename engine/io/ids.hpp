#pragma once

#include <grouplink/io.hpp>

#include <optional>
#include <utility>

namespace grouplink::io {

/// The first row whose id stands at an earlier row too, and that row, first.
std::optional<std::pair<std::int64_t, std::int64_t>> find_duplicate(const IdColumn& ids);

std::int64_t id_count(const IdColumn& ids);

/// Throws Error(bad_input), beginning with `where`, when an id is empty.
void check_ids(const std::string& where, const IdColumn& ids);

}  // namespace grouplink::io
