#pragma once

#include <grouplink/options.hpp>

namespace grouplink {

/// Calls visit(name, option) for each option that decides what the links are, which is all but threads and
/// memory: for those who list options, and cannot forget one. `Options` is LinkOptions, const or not.
template <typename Options, typename Visit>
void for_each_option(Options& options, Visit visit) {
    visit("n_nearest", options.n_nearest);
    visit("similarity_min", options.similarity_min);
    visit("similarity_min_q", options.similarity_min_q);
    visit("quantile_scope", options.quantile_scope);
    visit("metric", options.metric);
    visit("similarity", options.similarity);
    visit("links", options.links);
    visit("index", options.index);
    visit("recall_target", options.recall_target);
    visit("nlist", options.ivf.nlist);
    visit("nprobe", options.ivf.nprobe);
    visit("M", options.hnsw.M);
    visit("ef_construction", options.hnsw.ef_construction);
    visit("ef_search", options.hnsw.ef_search);
    visit("passes", options.partition.passes);
    visit("fanout", options.partition.fanout);
    visit("refinements", options.partition.refinements);
    visit("on_bad_row", options.on_bad_row);
    visit("seed", options.seed);
}

/// Calls visit(name, value) for the knobs of an index, as the options call them; flat has none.
template <typename Visit>
void for_each_knob(IndexKind index, const IvfOptions& ivf, const HnswOptions& hnsw,
                   const PartitionOptions& partition, Visit visit) {
    switch (index) {
        case IndexKind::ivf:
            visit("nlist", ivf.nlist);
            visit("nprobe", ivf.nprobe);
            break;
        case IndexKind::hnsw:
            visit("M", hnsw.M);
            visit("ef_construction", hnsw.ef_construction);
            visit("ef_search", hnsw.ef_search);
            break;
        case IndexKind::partition:
            visit("passes", partition.passes);
            visit("fanout", partition.fanout);
            visit("refinements", partition.refinements);
            break;
        default: break;
    }
}

}  // namespace grouplink
