#pragma once

#include <grouplink/export.hpp>
#include <grouplink/groups.hpp>
#include <grouplink/job.hpp>
#include <grouplink/link.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>
#include <grouplink/report.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace grouplink {

/// Hashes that tell one input from another, whatever file it is in.
struct InputFingerprint {
    std::uint64_t vectors = 0;
    std::uint64_t groups = 0;
    std::uint64_t ids = 0;  ///< 0: there are none, or nobody looked

    friend bool operator==(const InputFingerprint&, const InputFingerprint&) = default;
};

/// Of a group's rows that take part, ascending, those that a part has.
struct PartRange {
    std::int32_t group = 0;  ///< position in GroupColumn::keys
    std::int64_t first = 0;
    std::int64_t count = 0;
};

/// The neighbors that a share of a job found: all that the others need not find again, before any threshold
/// and link mode, for which the links of all shares are needed.
struct LinkPart {
    /// What the share did; `groups` has an entry a range, in which `links` counts neighbors found.
    Report report;
    InputFingerprint input;         ///< of the whole job
    std::int64_t groups = 0;        ///< of the whole job
    std::vector<PartRange> ranges;  ///< by group, then by row
    /// Of some rows of the job, as many in each part: rows_of_part() says which.
    std::span<const RowStatus> row_status;
    std::span<const std::int64_t> rows;  ///< of the ranges, one behind another
    /// The nearest rows of each of these: min(n_nearest, rows of the group that take part - 1), nearest
    /// first.
    std::span<const std::int64_t> targets;
    std::span<const float> distances;     ///< canonical ones; minus the inner product under dot
    std::string name;                     ///< of the file, for messages
    std::shared_ptr<const void> storage;  ///< what the spans point at
};

/// [first, last) of the rows of a job: those whose status stands in the part of `shard`.
struct RowSlice {
    std::int64_t first = 0;
    std::int64_t last = 0;
};
GROUPLINK_EXPORT RowSlice rows_of_part(const Shard& shard, std::int64_t rows);

/// Runs one share of build_links(). The parts of all shares, made on any machine, are merged by
/// merge_parts(). Throws as build_links() does.
GROUPLINK_EXPORT LinkPart link_part(const MatrixView& vectors, const GroupColumn& groups, const Shard& shard,
                                    const LinkOptions& options = {}, const JobControl& control = {});

/// What build_links() would have returned, times and counts of work aside: the graph is the same to the last
/// bit. `threads` is as in LinkOptions.
/// Throws Error: bad_input when the parts are not those of one job, each share once; cancelled.
GROUPLINK_EXPORT LinkResult merge_parts(std::span<const LinkPart> parts, int threads = 0,
                                        const JobControl& control = {});

}  // namespace grouplink
