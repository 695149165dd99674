#pragma once

#include <grouplink/export.hpp>
#include <grouplink/groups.hpp>
#include <grouplink/job.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>
#include <grouplink/report.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace grouplink {

/// How a flat group is searched. It depends on the group's rows and dimension, the metric and n_nearest
/// alone.
enum class FlatPath : std::uint8_t {
    none,    ///< not flat, or fewer than two rows: nothing to search
    direct,  ///< at once: every pair through the canonical scoring, or those that float32 scores leave,
             ///< and tiles where these leave too many
    tiles,   ///< tiles of codes or float32, candidates rescored: all groups of more rows
};

GROUPLINK_EXPORT std::string_view name(FlatPath path) noexcept;

struct GroupPlan {
    std::int32_t group = 0;  ///< position in GroupColumn::keys
    std::int64_t rows = 0;   ///< that take part
    std::int64_t dim = 0;
    std::int64_t first_query = 0;  ///< of these rows, ascending, the first whose neighbors are searched
    std::int64_t queries = 0;      ///< how many: all, but where a group is cut into shares
    IndexKind index = IndexKind::flat;
    FlatPath path = FlatPath::none;
    double recall_target = 1.0;  ///< that an approximate group is to reach
    IvfOptions ivf{};            ///< of an ivf group: the knobs in force, 0 where the recall target rules
    HnswOptions hnsw{};          ///< of an hnsw group, likewise
    bool fanout_is_free =
        false;  ///< partition.fanout is the most; the group's sample may show less to be enough
    PartitionOptions partition{};   ///< of a partition group, likewise
    std::int64_t tiles = 0;         ///< pairs of row blocks, or blocks, that are scheduled one by one
    double cost = 0.0;              ///< estimated float32 tile operations, or what takes as long
    std::int64_t memory_bytes = 0;  ///< working memory while the group is searched
};

/// Whether a group may be cut into ranges of queries: flat ones of several tiles and ivf ones.
GROUPLINK_EXPORT bool can_be_cut(const GroupPlan& group);

/// What would be done, without the doing. It depends on the input and the options alone.
struct Plan {
    std::vector<GroupPlan> groups;  ///< by cost, largest first; equal costs by group
    double cost = 0.0;
    std::int64_t result_bytes = 0;                            ///< of the links, before thresholds
    std::array<std::int64_t, row_status_count> row_status{};  ///< rows of each RowStatus
    /// Of a job in this process, whose memory counts. It decides how many groups are searched at once, and
    /// nothing else; of plan_links() alone.
    MemoryReport memory{};
};

/// Cuts a plan into `count` shares of about the same cost, some of them perhaps of no groups: all groups
/// stand in one of them, those that cost more than a share and can be cut in several, each with its own
/// queries. A cut group costs more than it does whole: two rows of different shares are scored in both, and
/// both train and calibrate an ivf index. It depends on the plan and `count` alone. Throws
/// Error(invalid_options) as validate(Shard) does.
GROUPLINK_EXPORT std::vector<Plan> cut_plan(const Plan& plan, const LinkOptions& options, std::int64_t count);

/// The plan that build_links would follow. Bad rows are left out, whatever the policy.
/// Throws Error(invalid_options | bad_input) as build_links does for malformed arguments, or for a group
/// of more rows than can be searched: 2^32 - 1, under hnsw 2^31 - 1.
GROUPLINK_EXPORT Plan plan_links(const MatrixView& vectors, const GroupColumn& groups,
                                 const LinkOptions& options = {}, const JobControl& control = {});

}  // namespace grouplink
