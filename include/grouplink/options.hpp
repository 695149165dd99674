#pragma once

#include <grouplink/export.hpp>

#include <cstdint>
#include <string_view>

namespace grouplink {

enum class Metric : std::uint8_t { angular, euclidean, manhattan, hamming, dot };

/// How an angular distance d becomes a weight; the other metrics have one mapping each.
enum class Similarity : std::uint8_t {
    angular,      ///< 1 - d / 2
    half_cosine,  ///< (1 + cos) / 2
    cosine,       ///< max(0, cos)
};

enum class QuantileScope : std::uint8_t { all, group };

enum class LinkMode : std::uint8_t {
    directed,   ///< each row's own links
    mutual,     ///< those found in both directions
    symmetric,  ///< those found in either direction, listed at both rows
};

enum class IndexKind : std::uint8_t {
    automatic,  ///< the planner chooses for each group
    flat,       ///< exact
    ivf,        ///< k-means lists, of which a row searches some; angular, dot and euclidean
    hnsw,       ///< a navigable graph; angular, dot and euclidean
    partition,  ///< overlapping cells of random leaders, then refined; angular, dot and euclidean
};

enum class BadRowPolicy : std::uint8_t {
    error,  ///< stop before any search
    drop,   ///< leave such rows without links, never a target, and count them
};

/// Knobs of IndexKind::ivf.
struct IvfOptions {
    std::int64_t nlist = 0;   ///< lists of a group, at most one a row; 0 = the square root of its rows
    std::int64_t nprobe = 0;  ///< lists that a row searches, more where they hold too few rows; 0 = as
                              ///< many as the recall target takes
};

/// Knobs of IndexKind::hnsw.
struct HnswOptions {
    std::int64_t M = 32;                ///< links of a node, twice that on the lowest level; in [2, 512]
    std::int64_t ef_construction = 80;  ///< candidates kept while a node is added; >= 1
    std::int64_t ef_search = 0;         ///< candidates kept while a row is searched; 0 = as many as the
                                        ///< recall target takes
};

/// Knobs of IndexKind::partition.
struct PartitionOptions {
    static constexpr std::int64_t most_fanout = 32;
    std::int64_t passes = 0;       ///< times that cells are drawn and searched, at most 100; 0 = passes and
                                   ///< refinements as many as the recall target takes
    std::int64_t fanout = 0;       ///< cells that a row goes to in each pass; 0 = chosen from the recall
                                   ///< target; at most most_fanout
    std::int64_t refinements = 2;  ///< rounds over the neighbors of neighbors, where passes are given; in
                                   ///< [0, 100]
};

struct LinkOptions {
    std::int64_t n_nearest = 15;    ///< links a row at most; >= 1
    double similarity_min = 0.0;    ///< keep links with weight >= this; finite
    double similarity_min_q = 0.0;  ///< keep links with weight >= this quantile of the found; in [0, 1]
    QuantileScope quantile_scope = QuantileScope::all;
    Metric metric = Metric::angular;
    Similarity similarity = Similarity::angular;  ///< other than `angular` only with Metric::angular
    LinkMode links = LinkMode::directed;
    IndexKind index = IndexKind::automatic;
    /// Share of the exact neighbors that an approximate group is to find, in (0, 1]: its effort is raised
    /// until the lower end of the 95 % confidence interval of a sample's recall reaches this. A knob that
    /// is set below holds the effort where it is instead.
    double recall_target = 0.95;
    IvfOptions ivf{};              ///< of no effect on other indexes
    HnswOptions hnsw{};            ///< of no effect on other indexes
    PartitionOptions partition{};  ///< of no effect on other indexes
    BadRowPolicy on_bad_row = BadRowPolicy::error;
    std::uint64_t seed = 0;  ///< everything random derives from hash(seed, group key)
    int threads = 0;         ///< 0 = as many as the process may run at once; the result is the same
    /// That the process may hold at its peak, what it holds already included; 0 = default_memory_budget().
    /// The groups are searched in waves that fit; the result is the same.
    std::int64_t memory_bytes = 0;
    std::int64_t memory_afterwards_bytes =
        0;  ///< of that, what the caller takes for what it does with the links
};

/// 80 % of the memory that the process may have: the machine's, or less where a cgroup says so.
GROUPLINK_EXPORT std::int64_t default_memory_budget();
/// What a job with these options may hold: LinkOptions::memory_bytes, or the default.
GROUPLINK_EXPORT std::int64_t memory_budget(const LinkOptions& options);

/// One of the shares that a job is cut into, to be run apart from the others.
struct Shard {
    static constexpr std::int64_t most = 1'000'000;
    std::int64_t index = 1;  ///< from 1 to count
    std::int64_t count = 1;  ///< at most `most`

    friend bool operator==(const Shard&, const Shard&) = default;
};

/// Throws Error(invalid_options) naming the first option that is out of range.
GROUPLINK_EXPORT void validate(const LinkOptions& options);
GROUPLINK_EXPORT void validate(const Shard& shard);

/// The names that the command, parameter files and reports use, such as "half-cosine".
GROUPLINK_EXPORT std::string_view name(Metric metric) noexcept;
GROUPLINK_EXPORT std::string_view name(Similarity similarity) noexcept;
GROUPLINK_EXPORT std::string_view name(QuantileScope scope) noexcept;
GROUPLINK_EXPORT std::string_view name(LinkMode mode) noexcept;
GROUPLINK_EXPORT std::string_view name(IndexKind kind) noexcept;
GROUPLINK_EXPORT std::string_view name(BadRowPolicy policy) noexcept;

/// The name of the distance-to-weight mapping in force, as every output records it: that of
/// `similarity` under Metric::angular, else that of the metric.
GROUPLINK_EXPORT std::string_view mapping_name(const LinkOptions& options) noexcept;

}  // namespace grouplink
