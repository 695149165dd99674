#pragma once

#include <grouplink/link.hpp>
#include <grouplink/options.hpp>

#include "knn/knn.hpp"
#include "rows/groups.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace grouplink {

/// Weights that links must reach.
struct Cut {
    std::vector<double> of_group;  ///< one a group
    double lowest = 0.0;           ///< of all groups that have links; similarity_min when none has
};

/// The stricter of similarity_min and the quantile similarity_min_q of the weights of all neighbors, or
/// of each group's. The quantile is numpy's default: linear between the two nearest ranks. Throws
/// Error(cancelled) on a stop.
Cut find_cut(const Neighbors& neighbors, const RowsByGroup& grouped, std::span<const std::int64_t> group_dim,
             const LinkOptions& options, const JobControl& control);

/// How many of its neighbors each row keeps: as weights never increase along a row, its first ones.
std::vector<std::int64_t> kept_neighbors(const Neighbors& neighbors, const RowsByGroup& grouped,
                                         std::span<const std::int64_t> group_dim, const Cut& cut,
                                         const LinkOptions& options, int threads, const JobControl& control);

}  // namespace grouplink
