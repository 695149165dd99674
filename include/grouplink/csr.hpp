#pragma once

#include <cstdint>
#include <vector>

namespace grouplink {

/// A sparse square matrix of links. Row i links to targets[offsets[i] .. offsets[i + 1]) with the
/// weights at the same places, nearest first: weights never increase along a row, and equal
/// scores stand by target, ascending.
struct CsrGraph {
    std::vector<std::int64_t> offsets;  ///< rows + 1
    std::vector<std::int64_t> targets;
    std::vector<float> weights;

    std::int64_t rows() const { return offsets.empty() ? 0 : static_cast<std::int64_t>(offsets.size()) - 1; }
    std::int64_t links() const { return static_cast<std::int64_t>(targets.size()); }
};

}  // namespace grouplink
