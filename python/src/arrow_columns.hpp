#pragma once

#include "arrow.hpp"
#include "rows.hpp"

#include <grouplink/groups.hpp>

#include <memory>
#include <string>

namespace grouplink::python {

/// Whether a column can be one of embeddings: a list, large_list or fixed_size_list of float16, float32,
/// float64 or int8.
bool is_vectors(const ArrowSchema& schema);

/// The type in Arrow's words, as far as messages need them: "fixed_size_list<float>[384]", "utf8".
std::string type_name(const ArrowSchema& schema);

/// Borrows one chunk; several are copied into one array, as are components among which there are nulls.
Rows rows_of_arrow(const std::shared_ptr<ArrowData>& data, std::size_t place);

/// Strings, integers, booleans and dictionaries of these; null is no group.
GroupColumn groups_of_arrow(const ArrowData& data, std::size_t place);

/// An array of int64, or a list of str. Throws Error(bad_input) for a null.
nb::object ids_of_arrow(const ArrowData& data, std::size_t place);

}  // namespace grouplink::python
