#pragma once

#include "knn/knn.hpp"
#include "plan/memory.hpp"

namespace grouplink {

/// As find_neighbors(), one wave after another.
KnnResult find_neighbors(const MatrixView& vectors, const RowsByGroup& grouped,
                         std::span<const std::string> keys, const Plan& plan, const Waves& waves,
                         const LinkOptions& options, int threads, const JobControl& control);

}  // namespace grouplink
