#pragma once

#include <grouplink/csr.hpp>
#include <grouplink/link.hpp>

#include "knn/knn.hpp"
#include "rows/groups.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace grouplink {

/// Bins of one width for values from `least` to `most`, both finite: 40 to 100 of them, or one where all
/// values are equal, with edges that are round decimal numbers.
std::vector<double> round_edges(double least, double most);

/// Of the weights that the neighbors would have as links.
Histogram histogram_of_weights(const Neighbors& neighbors, const RowsByGroup& grouped,
                               std::span<const std::int64_t> group_dim, const LinkOptions& options,
                               int threads, const JobControl& control);

/// Of the rows whose status is ok, by how many links they have, and by how many lead to them.
Histogram histogram_of_links_from(const CsrGraph& graph, std::span<const RowStatus> status);
Histogram histogram_of_links_to(const CsrGraph& graph, std::span<const RowStatus> status);

}  // namespace grouplink
