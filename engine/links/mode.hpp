#pragma once

#include <grouplink/link.hpp>
#include <grouplink/options.hpp>

#include "knn/knn.hpp"

#include <cstdint>
#include <vector>

namespace grouplink {

/// The links of a mode, out of the first kept[row] neighbors of each row. `neighbors` is consumed: its
/// memory becomes the result's where it can. A row's links stand by distance, equal ones by target.
Neighbors apply_mode(Neighbors neighbors, const std::vector<std::int64_t>& kept, LinkMode mode, int threads,
                     const JobControl& control);

}  // namespace grouplink
