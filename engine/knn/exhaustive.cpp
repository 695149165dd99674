#include "knn/exhaustive.hpp"

namespace grouplink::knn {

std::size_t approximate_keep(std::size_t k, std::size_t rows) {
    return std::max<std::size_t>(1, std::min(k + approximate_spare, rows - 1));
}

void offer_pairs(CandidateLists& lists, std::size_t a, std::size_t b, std::size_t n, const float* scores,
                 const float* offsets, const kernels::Table& kernel, Scratch& scratch) {
    make_room(scratch.columns, n);
    make_room(scratch.found, n);
    const std::size_t hits =
        kernel.collect(scores, offsets[a], offsets + b, lists.threshold(a), lists.thresholds(b), n,
                       scratch.columns.data(), scratch.found.data());
    for (std::size_t h = 0; h < hits; ++h) {
        const std::size_t other = b + scratch.columns[h];
        const float score = scratch.found[h];
        if (score >= lists.threshold(a)) lists.push(a, score, static_cast<std::uint32_t>(other));
        if (score >= lists.threshold(other)) lists.push(other, score, static_cast<std::uint32_t>(a));
    }
}

void offer_index(std::span<const std::uint32_t> selected, const GroupRows& rows, const FlatIndex& index,
                 CandidateLists& lists, const kernels::Table& kernel, Scratch& scratch) {
    const FlatIndex::Selection selection = index.select(selected);
    std::vector<float> thresholds(selected.size());
    const auto offer = [&](std::size_t i, std::size_t row, float score) {
        if (row != selected[i] && score >= lists.threshold(i))
            lists.push(i, score, static_cast<std::uint32_t>(row));
    };
    for (std::int64_t block = 0; block < rows.blocks(); ++block) {
        const std::size_t b = rows.block_first(block);
        const std::size_t n = rows.block_size(block);
        for (std::size_t i = 0; i < selected.size(); ++i) thresholds[i] = lists.threshold(i);
        if (for_each_close(index, selection, b, n, thresholds.data(), kernel, scratch, offer)) continue;
        index.score_rows(selection, b, n, scratch);
        for (std::size_t i = 0; i < selected.size(); ++i) {
            const auto candidate_of = [b](std::uint32_t j) { return static_cast<std::uint32_t>(b + j); };
            offer_scores(lists, i, scratch.scores.data() + i * n, selection.offsets[i], index.offsets() + b,
                         n, kernel, scratch, candidate_of, selected[i]);
        }
    }
}

void search_all(std::span<const std::uint32_t> selected, const GroupJob& job, const GroupRows& rows,
                const FlatIndex& index, const RowRanker& ranker, Scratch& scratch) {
    const kernels::Table& kernel = job.scorer.kernel();
    CandidateLists lists(selected.size(), approximate_keep(job.k, rows.size()), kernel);
    offer_index(selected, rows, index, lists, kernel, scratch);
    for (std::size_t i = 0; i < selected.size(); ++i) ranker.rank(selected[i], lists.ranked(i), scratch);
}

}  // namespace grouplink::knn
