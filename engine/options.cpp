#include <grouplink/error.hpp>
#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>
#include <grouplink/report.hpp>

#include <fmt/format.h>

#include <cmath>

namespace grouplink {

namespace {

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorCode::invalid_options, message); }

void validate_index(const LinkOptions& options) {
    const bool approximate = options.index != IndexKind::automatic && options.index != IndexKind::flat;
    if (approximate && (options.metric == Metric::manhattan || options.metric == Metric::hamming)) {
        fail(fmt::format("index: \"{}\" works for angular, dot and euclidean, got \"{}\"",
                         name(options.index), name(options.metric)));
    }
    if (options.ivf.nlist < 0) {
        fail(fmt::format("nlist: got {}, must be 0 (automatic) or more", options.ivf.nlist));
    }
    if (options.ivf.nprobe < 0) {
        fail(fmt::format("nprobe: got {}, must be 0 (automatic) or more", options.ivf.nprobe));
    }
    if (options.hnsw.M < 2 || options.hnsw.M > 512) {
        fail(fmt::format("M: got {}, must be from 2 to 512", options.hnsw.M));
    }
    if (options.hnsw.ef_construction < 1) {
        fail(fmt::format("ef_construction: got {}, must be at least 1", options.hnsw.ef_construction));
    }
    if (options.hnsw.ef_search < 0) {
        fail(fmt::format("ef_search: got {}, must be 0 (automatic) or more", options.hnsw.ef_search));
    }
    const PartitionOptions& partition = options.partition;
    if (partition.fanout < 0 || partition.fanout > PartitionOptions::most_fanout) {
        fail(fmt::format("fanout: got {}, must be from 0 (automatic) to {}", partition.fanout,
                         +PartitionOptions::most_fanout));
    }
    if (partition.passes < 0 || partition.passes > 100) {
        fail(fmt::format("passes: got {}, must be from 0 (automatic) to 100", partition.passes));
    }
    if (partition.refinements < 0 || partition.refinements > 100) {
        fail(fmt::format("refinements: got {}, must be from 0 to 100", partition.refinements));
    }
    if (!(options.recall_target > 0.0 && options.recall_target <= 1.0)) {
        fail(fmt::format("recall_target: got {}, must be above 0 and at most 1", options.recall_target));
    }
}

}  // namespace

void validate(const LinkOptions& options) {
    if (options.n_nearest < 1) fail(fmt::format("n_nearest: got {}, must be at least 1", options.n_nearest));
    if (!std::isfinite(options.similarity_min)) {
        fail(fmt::format("similarity_min: got {}, must be a finite number", options.similarity_min));
    }
    if (!(options.similarity_min_q >= 0.0 && options.similarity_min_q <= 1.0)) {
        fail(fmt::format("similarity_min_q: got {}, must be a quantile between 0 and 1",
                         options.similarity_min_q));
    }
    if (options.threads < 0) {
        fail(fmt::format("threads: got {}, must be 0 (automatic) or more", options.threads));
    }
    if (options.memory_bytes < 0) {
        fail(fmt::format("memory_bytes: got {}, must be 0 (automatic) or more", options.memory_bytes));
    }
    if (options.memory_afterwards_bytes < 0) {
        fail(fmt::format("memory_afterwards_bytes: got {}, must be 0 or more",
                         options.memory_afterwards_bytes));
    }
    if (options.metric != Metric::angular && options.similarity != Similarity::angular) {
        fail(fmt::format("similarity: \"{}\" needs metric \"angular\", got \"{}\"", name(options.similarity),
                         name(options.metric)));
    }
    validate_index(options);
}

void validate(const Shard& shard) {
    if (shard.count < 1 || shard.count > Shard::most) {
        fail(fmt::format("shard: got {} shares, must be from 1 to {}", shard.count, +Shard::most));
    }
    if (shard.index < 1 || shard.index > shard.count) {
        fail(fmt::format("shard: got share {} of {}, must be from 1 to {}", shard.index, shard.count,
                         shard.count));
    }
}

std::string_view name(Metric metric) noexcept {
    switch (metric) {
        case Metric::angular: return "angular";
        case Metric::euclidean: return "euclidean";
        case Metric::manhattan: return "manhattan";
        case Metric::hamming: return "hamming";
        case Metric::dot: return "dot";
    }
    return "";
}

std::string_view name(Similarity similarity) noexcept {
    switch (similarity) {
        case Similarity::angular: return "angular";
        case Similarity::half_cosine: return "half-cosine";
        case Similarity::cosine: return "cosine";
    }
    return "";
}

std::string_view name(QuantileScope scope) noexcept {
    switch (scope) {
        case QuantileScope::all: return "all";
        case QuantileScope::group: return "group";
    }
    return "";
}

std::string_view name(LinkMode mode) noexcept {
    switch (mode) {
        case LinkMode::directed: return "directed";
        case LinkMode::mutual: return "mutual";
        case LinkMode::symmetric: return "symmetric";
    }
    return "";
}

std::string_view name(IndexKind kind) noexcept {
    switch (kind) {
        case IndexKind::automatic: return "auto";
        case IndexKind::flat: return "flat";
        case IndexKind::ivf: return "ivf";
        case IndexKind::hnsw: return "hnsw";
        case IndexKind::partition: return "partition";
    }
    return "";
}

std::string_view name(BadRowPolicy policy) noexcept {
    switch (policy) {
        case BadRowPolicy::error: return "error";
        case BadRowPolicy::drop: return "drop";
    }
    return "";
}

std::string_view name(RowStatus status) noexcept {
    switch (status) {
        case RowStatus::ok: return "ok";
        case RowStatus::null_group: return "null_group";
        case RowStatus::null_embedding: return "null_embedding";
        case RowStatus::wrong_dim: return "wrong_dim";
        case RowStatus::non_finite: return "non_finite";
        case RowStatus::zero_norm: return "zero_norm";
    }
    return "";
}

std::string_view name(FlatPath path) noexcept {
    switch (path) {
        case FlatPath::none: return "none";
        case FlatPath::direct: return "direct";
        case FlatPath::tiles: return "tiles";
    }
    return "";
}

std::string_view mapping_name(const LinkOptions& options) noexcept {
    return options.metric == Metric::angular ? name(options.similarity) : name(options.metric);
}

}  // namespace grouplink
