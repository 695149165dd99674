#pragma once

#include <grouplink/options.hpp>
#include <grouplink/plan.hpp>

#include "knn/calibration.hpp"
#include "knn/candidates.hpp"
#include "knn/group.hpp"
#include "knn/group_rows.hpp"
#include "knn/rank.hpp"
#include "parallel/blocks.hpp"
#include "parallel/workers.hpp"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace grouplink::knn {

/// The approximate search of one group over FAISS's inverted lists.
///
/// FAISS trains the lists by k-means on a sample, one round a stage, and holds the rows. One tile
/// product with the centroids finds the lists that each row probes; then each list is scored in tiles
/// against all the rows that probe it. Candidates go through the canonical scoring. The best of a set
/// of candidates are the same whatever the order they come in, so nothing depends on the threads.
///
/// Unless nprobe is given, it is the least for which a sample, whose exact neighbors are known, has enough
/// of them within the lists it then probes.
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
    std::int64_t begin_fill(Scratch&);
    void fill(std::int64_t block, Scratch& scratch);
    std::int64_t begin_sample_search(Scratch&);
    void search_sample(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_probe(Scratch&);
    void probe(std::int64_t block, Scratch& scratch);
    std::int64_t begin_join(Scratch&);
    void join(std::int64_t unit, Scratch& scratch);
    std::int64_t begin_rank(Scratch&);
    void rank(std::int64_t block, Scratch& scratch);

    /// Offers all lists to places [0, rows) of `best` for rows of floats.
    void offer_lists(const float* rows, std::size_t count, CandidateLists& best, Scratch& scratch) const;
    void choose_nprobe();
    void probe_more(std::uint32_t row, std::vector<Probe>& more, Scratch& scratch) const;
    void invert_probes();

    std::size_t nlist() const { return index_->nlist; }
    const std::uint32_t* probes(std::size_t row) const { return probes_.data() + row * nprobe_; }
    const float* list_rows(std::size_t list) const {
        return reinterpret_cast<const float*>(index_->invlists->get_codes(list));
    }
    const float* floats(std::uint32_t row) const { return list_rows(list_of_[row]) + place_[row] * job_.dim; }

    GroupJob job_;
    std::span<Scratch> scratch_;
    IvfOptions options_;
    double recall_target_;
    GroupRows rows_;
    RowRanker ranker_;
    std::vector<std::uint32_t> sampled_;
    std::vector<float> sample_;
    std::unique_ptr<faiss::Clustering> clustering_;
    std::unique_ptr<faiss::IndexFlat> quantizer_;
    std::unique_ptr<faiss::IndexIVFFlat> index_;
    std::vector<float> centroid_offsets_;  ///< what the score of a list is less: see FlatIndex::offsets
    std::size_t nprobe_ = 0;
    Calibration calibration_;
    /// Of each row of the sample: the place, among the lists by nearness, of that of each other neighbor.
    std::vector<std::vector<std::uint32_t>> places_;
    std::vector<std::uint32_t> list_of_;      ///< of each row: the nearest list, which holds it
    std::vector<std::uint32_t> probes_;       ///< nprobe_ lists of each row, the nearest first
    std::vector<std::vector<Probe>> more_;    ///< of each block: probes past nprobe_
    std::vector<std::size_t> list_first_;     ///< of each list, and the total: place of its first row
    std::vector<std::uint32_t> place_;        ///< of each row within its list
    std::vector<std::int64_t> list_members_;  ///< input rows of each list
    std::vector<float> offsets_;              ///< of the rows, list by list
    std::vector<std::size_t> probing_first_;
    std::vector<std::uint32_t> probing_;  ///< rows that probe list l, ascending: from probing_first_[l]
    std::vector<Unit> units_;
    std::unique_ptr<parallel::BlockLocks> locks_;
    CandidateLists lists_;
};

}  // namespace grouplink::knn
