#include "knn/group_rows.hpp"

namespace grouplink::knn {

std::int64_t GroupRows::begin_measure() {
    blocks_ = blocks_of(static_cast<std::int64_t>(job_.rows.size()));
    hashes_.resize(job_.rows.size());
    extremes_.resize(static_cast<std::size_t>(blocks_.count));
    return blocks_.count;
}

void GroupRows::measure(std::int64_t block, Scratch& scratch) {
    const std::size_t first = block_first(block);
    const std::size_t last = std::min(job_.rows.size(), first + block_rows());
    const Metric metric = job_.scorer.metric();
    scratch.x.resize(RowScorer::loaded_size(job_.dim));
    for (std::size_t i = first; i < last; ++i) {
        hashes_[i] = hash_row(job_.scorer.vectors(), job_.rows[i]);
        if (!needs_frame(metric)) continue;
        job_.scorer.load(job_.rows[i], scratch.x.data());
        add_row(extremes_[static_cast<std::size_t>(block)],
                std::span(scratch.x).first(kernels::padded(job_.dim)), metric, job_.scorer.kernel());
    }
}

void GroupRows::finish(Scratch& scratch) {
    unique_ = find_unique(job_.scorer.vectors(), job_.rows, hashes_);
    scratch.counters.duplicate_rows += static_cast<std::int64_t>(job_.rows.size() - unique_.size());
    frame_ = make_frame(extremes_, job_.rows.size());
    hashes_ = {};
    extremes_ = {};
    blocks_ = blocks_of(static_cast<std::int64_t>(unique_.size()));
}

void GroupRows::load(std::size_t row, Scratch& scratch) const {
    scratch.x.resize(RowScorer::loaded_size(job_.dim));
    job_.scorer.load(job_.rows[unique_.first[row]], scratch.x.data());
}

void gather_block(const GroupRows& rows, std::int64_t block, FlatIndex& index, Scratch& scratch) {
    const std::size_t first = rows.block_first(block);
    for (std::size_t i = first; i < first + rows.block_size(block); ++i) {
        rows.load(i, scratch);
        index.set(i, scratch.x.data());
    }
}

}  // namespace grouplink::knn
