#pragma once

#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>

#include "knn/calibration.hpp"
#include "knn/candidates.hpp"
#include "knn/flat.hpp"
#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/rank.hpp"
#include "parallel/blocks.hpp"
#include "parallel/workers.hpp"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace grouplink::knn {

/// The approximate search of one group over inverted lists.
///
/// FAISS trains the centroids by k-means on a sample, one round a stage; then the rows of a list stand one
/// behind another in the flat index. A tile product with the centroids finds the lists that each row probes,
/// and each list is scored in tiles against all the rows that probe it, by the first bytes of codes where
/// these show that a pair is of no use, as in SelfJoin. Candidates go through the canonical scoring. The
/// best of a set of candidates are the same whatever the order they come in, so nothing depends on the
/// threads.
///
/// Unless nprobe is given, it is the least for which a sample, whose exact neighbors are known, has enough
/// of them within the lists it then probes. Where that is so many that scoring each pair once takes less, the
/// search is exact, as FlatSearch's.
class IvfSearch {
public:
    /// `scratch` has one entry a worker; `plan` is the group's.
    IvfSearch(GroupJob job, std::span<Scratch> scratch, const GroupPlan& plan);
    IvfSearch(const IvfSearch&) = delete;
    IvfSearch& operator=(const IvfSearch&) = delete;

    /// The search as stages for the scheduler; they refer to this object.
    std::vector<parallel::Stage> stages();

private:
    /// Some of the rows that probe one list: [first, first + count) of probing_.
    struct Unit {
        std::size_t list;
        std::size_t first;
        std::size_t count;
    };
    using Probe = std::pair<std::uint32_t, std::uint32_t>;  ///< a row and a list

    std::int64_t begin_measure(Scratch&);
    void measure(std::int64_t block, Scratch& scratch);
    std::int64_t begin_sample(Scratch& scratch);
    void sample(std::int64_t block, Scratch& scratch);
    std::int64_t begin_train(Scratch&);
    void train(std::int64_t, Scratch&);
    std::int64_t begin_assign(Scratch&);
    void assign(std::int64_t block, Scratch& scratch);
    std::int64_t begin_gather(Scratch&);
    void gather(std::int64_t block, Scratch& scratch);
    std::int64_t begin_sample_search(Scratch&);
    void search_sample(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_probe(Scratch&);
    void probe(std::int64_t block, Scratch& scratch);
    std::int64_t begin_join(Scratch&);
    void join(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_rank(Scratch&);
    void rank(std::int64_t block, Scratch& scratch);

    /// scratch.gathered = rows [first, first + count) as the centroids are, `dim` floats each.
    void place(std::size_t first, std::size_t count, Scratch& scratch) const;
    /// Offers all lists to places [0, rows) of `best` for rows of floats.
    void offer_lists(const float* rows, std::size_t count, CandidateLists& best, Scratch& scratch) const;
    void choose_nprobe();
    void probe_more(std::uint32_t row, const float* placed, std::vector<Probe>& more, Scratch& scratch) const;
    void invert_probes();
    /// Offers the `nb` rows from b to the lists of the queries.
    void offer_tile(std::span<const std::uint32_t> queries, const FlatIndex::Selection& selected,
                    std::size_t b, std::size_t nb, Scratch& scratch);
    bool offer_close(std::span<const std::uint32_t> queries, const FlatIndex::Selection& selected,
                     std::size_t b, std::size_t nb, Scratch& scratch);

    std::size_t nlist() const { return static_cast<std::size_t>(options_.nlist); }
    std::size_t list_size(std::size_t list) const { return list_first_[list + 1] - list_first_[list]; }
    const std::uint32_t* probes(std::size_t row) const { return probes_.data() + row * nprobe_; }
    parallel::BlockLocks::Guard hold(std::uint32_t row) {
        const auto block = static_cast<std::int64_t>(row / rows_a_lock);
        return locks_->hold(block, block);
    }

    /// Rows that share a lock: few, so that workers seldom meet.
    static constexpr std::size_t rows_a_lock = 16;

    GroupJob job_;
    std::span<Scratch> scratch_;
    IvfOptions options_;
    double recall_target_;
    FlatSearch all_pairs_;  ///< where an exhaustive search is cheaper, of the same rows and index
    GroupRows& rows_;       ///< list by list, once these are known
    const RowRanker& ranker_;
    FlatIndex& index_;
    std::vector<std::uint32_t> sampled_;
    std::vector<float> sample_;
    std::unique_ptr<faiss::Clustering> clustering_;
    std::unique_ptr<faiss::IndexFlat> quantizer_;
    std::vector<float> centroid_offsets_;  ///< what the score of a list is less: see FlatIndex::offsets
    std::size_t nprobe_ = 0;
    bool exhaustive_ = false;  ///< all pairs are scored instead
    Calibration calibration_;
    /// Of each row of the sample: the place, among the lists by nearness, of that of each other neighbor.
    std::vector<std::vector<std::uint32_t>> places_;
    std::vector<std::uint32_t> list_of_;      ///< of each row: the nearest list, which holds it
    std::vector<std::uint32_t> probes_;       ///< nprobe_ lists of each row, the nearest first
    std::vector<std::vector<Probe>> more_;    ///< of each block: probes past nprobe_
    std::vector<std::size_t> list_first_;     ///< of each list, and the total: place of its first row
    std::vector<std::int64_t> list_members_;  ///< input rows of each list
    std::vector<std::size_t> probing_first_;
    std::vector<std::uint32_t> probing_;  ///< rows that probe list l, ascending: from probing_first_[l]
    std::vector<Unit> units_;
    std::unique_ptr<parallel::BlockLocks> locks_;
    CandidateLists lists_;
};

}  // namespace grouplink::knn
