#pragma once

#include <grouplink/export.hpp>
#include <grouplink/options.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink {

enum class RowStatus : std::uint8_t {
    ok,
    null_group,
    null_embedding,  ///< no embedding, or one of no components
    wrong_dim,       ///< not its group's dimension
    non_finite,      ///< holds a NaN or an infinity
    zero_norm,       ///< all zeros, which has no direction (angular only)
};
inline constexpr int row_status_count = 6;

GROUPLINK_EXPORT std::string_view name(RowStatus status) noexcept;

/// Recall of the rows of a sample, as against their exact neighbors.
struct RecallEstimate {
    std::int64_t rows = 0;  ///< of the sample
    double recall = 1.0;    ///< share of the exact neighbors that were found, ties counted as found
    double low = 1.0;       ///< 95 % confidence interval
    double high = 1.0;
};

/// What an approximate group took.
struct SearchReport {
    RecallEstimate recall;
    IvfOptions ivf{};              ///< in force, of an ivf group
    HnswOptions hnsw{};            ///< in force, of an hnsw group
    PartitionOptions partition{};  ///< in force, of a partition group
    bool exhaustive = false;       ///< all pairs were scored, for nothing less reached the recall target
};

/// What became of one group.
struct GroupReport {
    std::string key;
    std::int64_t rows = 0;        ///< of the group, bad ones included
    std::int64_t valid_rows = 0;  ///< that took part
    std::int64_t dim = 0;
    IndexKind index = IndexKind::flat;
    std::optional<SearchReport> search{};   ///< of an approximate group
    std::int64_t links = 0;                 ///< in the result
    double cut = 0.0;                       ///< weight that a link of this group had to reach
    double planned_cost = 0.0;              ///< see GroupPlan::cost
    std::int64_t planned_memory_bytes = 0;  ///< see GroupPlan::memory_bytes
};

/// How many values lie between edges: counts[i] have edges[i] <= value < edges[i + 1], those at the very
/// last edge being counted before it.
struct Histogram {
    std::vector<double> edges{};  ///< ascending, one more than counts; none where there are no values
    std::vector<std::int64_t> counts{};
};

/// What the job ran on, as far as the system tells.
struct Machine {
    std::string cpu{};     ///< such as "AMD EPYC 9554 64-Core Processor"
    std::string system{};  ///< such as "Debian GNU/Linux 12 (bookworm), Linux 6.1.0"
    std::int64_t cpus = 0;
    std::int64_t memory_bytes = 0;
};

/// What memory a job was expected to take, before its search began.
struct MemoryReport {
    std::int64_t budget_bytes = 0;   ///< see LinkOptions::memory_bytes
    std::int64_t planned_bytes = 0;  ///< that the process was to hold at its peak
    std::int64_t least_bytes = 0;    ///< a budget that would do, one group searched after another
    std::int64_t waves = 1;          ///< in which the groups were searched, for all to fit
};

struct StageTime {
    std::string name;  ///< "check", "plan", "knn", "threshold", ...; the command adds "read", "write"
    double seconds = 0.0;
};

/// How busy one worker thread was in the knn stage, from when its memory was there.
struct WorkerReport {
    double busy_seconds = 0.0;
    double busy = 0.0;          ///< their share of the stage
    std::vector<double> trace;  ///< this share in each of `trace_slices` equal slices of the stage, in order
};
inline constexpr int trace_slices = 50;

/// What a run took over from an earlier one of the same job; it is counted in the rest of the report too.
struct ResumeReport {
    std::int64_t groups = 0;  ///< that were not searched again
    std::int64_t rows = 0;    ///< of these
    std::int64_t scored_pairs = 0;
};

/// What ran, on what, and how long it took: of a whole job, or of a share of one. All but times, threads,
/// memory, `isa`, `machine`, the counts that follow from it (scored_pairs, researched_rows), and `resumed`,
/// depends on the input and the options alone.
struct Report {
    std::string version;
    std::string faiss_version;
    LinkOptions options;
    Shard shard{};        ///< that ran: all of the job but where it was cut
    std::string mapping;  ///< see mapping_name
    std::string isa;      ///< instruction set of the kernels in use
    int threads = 0;      ///< in use
    std::int64_t rows = 0;
    std::int64_t links_found = 0;  ///< kept by n_nearest, before thresholds and link mode
    std::int64_t links = 0;        ///< in the result
    double cut = 0.0;  ///< weight a link had to reach; with QuantileScope::group the lowest of the groups'
    std::array<std::int64_t, row_status_count> row_status{};  ///< rows of each RowStatus
    std::int64_t duplicate_rows = 0;  ///< equal to an earlier row of their group, bit by bit
    std::int64_t scored_pairs = 0;    ///< pairs that went through the canonical scoring
    /// Whose float32 candidates were too close to certify, or, under hnsw, too few.
    std::int64_t researched_rows = 0;
    std::optional<ResumeReport> resumed{};  ///< of a run that was to go on from an earlier one
    Histogram weights;                      ///< of the links_found, before any cut
    Histogram links_from;                   ///< of rows that took part, by their links in the result
    Histogram links_to;                     ///< of the same rows, by the links that lead to them
    std::vector<GroupReport> groups;        ///< in the order of GroupColumn::keys
    std::vector<StageTime> stages;          ///< in the order they ran
    std::vector<WorkerReport> workers;      ///< of the knn stage, a worker each thread
    double seconds = 0.0;                   ///< wall clock of the whole job
    std::int64_t peak_memory_bytes = 0;     ///< of the process, resident
    MemoryReport memory;
    Machine machine;
    std::string input;               ///< set by the command
    std::string output;              ///< set by the command
    std::string finished;            ///< set by the command: "2024-02-29 17:05 UTC"
    std::vector<std::string> notes;  ///< set by the command: what had no effect, a line each
};

/// The report as one JSON object, two spaces an indent, ending in a newline.
GROUPLINK_EXPORT std::string to_json(const Report& report);

}  // namespace grouplink
