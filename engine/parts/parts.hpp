#pragma once

#include <grouplink/part.hpp>

#include "knn/knn.hpp"
#include "rows/groups.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace grouplink {

/// What a job knows once neighbors are found, by a search or by the parts of its shares: all that thresholds,
/// link modes and the report ask for.
struct Found {
    Report report;  ///< with an entry for each group, whose links and cut are still to come
    std::vector<RowStatus> row_status;
    RowsByGroup grouped;                  ///< the rows that take part
    std::vector<std::int64_t> group_dim;  ///< one a group
    std::vector<PartRange> searched;      ///< whose neighbors these are, when not those of all
    Neighbors neighbors;
};

/// The part of what a share found. The fingerprint is left to be filled in.
LinkPart make_part(Found found);

/// What the whole job found. Throws Error(bad_input) when these are not the parts of one job, each share
/// once.
Found join_parts(std::span<const LinkPart> parts, int threads, const JobControl& control);

}  // namespace grouplink
