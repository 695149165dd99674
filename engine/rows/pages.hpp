#pragma once

#include <grouplink/matrix.hpp>

#include <cstdint>

namespace grouplink {

/// Gives the pages of rows [first, last) back to the system, where they lie in a file: they will be read anew
/// from there when they are needed again.
void give_back(const MatrixView& vectors, std::int64_t first, std::int64_t last) noexcept;

/// Bytes of all components.
std::int64_t value_bytes(const MatrixView& vectors);

}  // namespace grouplink
