#pragma once

#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>

#include "knn/calibration.hpp"
#include "knn/flat.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/rank.hpp"
#include "parallel/workers.hpp"

#include <faiss/IndexHNSW.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace grouplink::knn {

class HnswStorage;

/// The approximate search of one group over FAISS's HNSW graph.
///
/// The graph is grown by one worker, row after row in a random order, so that it depends on nothing
/// but the rows and the seed; distances come from kernels of ours. Each row is then searched from its own
/// node, its candidates go through the canonical scoring, and the few rows that cannot reach enough
/// others are compared with all. Unless ef_search is given, a sample whose exact neighbors are known is
/// searched with more and more until its recall is enough; where none is, all pairs are scored.
class HnswSearch {
public:
    /// `scratch` has one entry a worker; `plan` is the group's.
    HnswSearch(GroupJob job, std::span<Scratch> scratch, const GroupPlan& plan);
    ~HnswSearch();
    HnswSearch(const HnswSearch&) = delete;
    HnswSearch& operator=(const HnswSearch&) = delete;

    /// The search as stages for the scheduler; they refer to this object.
    std::vector<parallel::Stage> stages();

private:
    std::int64_t begin_measure(Scratch&);
    void measure(std::int64_t block, Scratch& scratch);
    std::int64_t begin_gather(Scratch& scratch);
    void gather(std::int64_t block, Scratch& scratch);
    std::int64_t begin_graph(Scratch&);
    std::int64_t begin_grow(Scratch&);
    void grow(std::int64_t, Scratch&);
    std::int64_t begin_sample(Scratch&);
    void search_sample(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_trial(Scratch&);
    void try_sample(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_exhaust(Scratch&);
    std::int64_t begin_search(Scratch&);
    void search(std::int64_t block, Scratch& scratch);
    std::int64_t begin_complete(Scratch&);
    void complete(std::int64_t batch, Scratch& scratch);

    /// What the graph is grown with.
    struct Growth;
    /// What one worker searches the graph with.
    struct Walk;
    /// The best candidates of a row but itself, best first.
    std::span<const Key> search_graph(std::uint32_t row, Walk& walk) const;
    void set_ef_search(std::int64_t ef_search);

    GroupJob job_;
    std::span<Scratch> scratch_;
    HnswOptions options_;
    double recall_target_;
    bool effort_is_given_;
    FlatSearch all_pairs_;  ///< the exact search that is done instead, of the same rows
    GroupRows& rows_;
    const RowRanker& ranker_;
    FlatIndex flat_;
    std::vector<std::uint32_t> row_of_;   ///< of each node
    std::vector<std::uint32_t> node_of_;  ///< of each row
    std::unique_ptr<HnswStorage> storage_;
    std::unique_ptr<faiss::IndexHNSW> graph_;
    std::unique_ptr<Growth> growth_;
    Calibration calibration_;
    bool reached_ = false;                           ///< the recall target
    bool exhaustive_ = false;                        ///< all pairs are scored instead
    std::vector<std::int64_t> found_;                ///< neighbors that each row of the sample has
    std::vector<std::vector<std::uint32_t>> short_;  ///< of each block: rows with too few candidates
    std::vector<std::uint32_t> again_;
};

}  // namespace grouplink::knn
