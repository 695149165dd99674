#include "knn/exhaustive.hpp"

namespace grouplink::knn {

std::size_t approximate_keep(std::size_t k, std::size_t rows) {
    return std::max<std::size_t>(1, std::min(k + approximate_spare, rows - 1));
}

void search_all(std::span<const std::uint32_t> selected, std::size_t k, const GroupRows& rows,
                const FlatIndex& index, const RowRanker& ranker, const kernels::Table& kernel,
                Scratch& scratch) {
    CandidateLists lists(selected.size(), approximate_keep(k, rows.size()), kernel);
    scratch.scores.resize(selected.size() * rows.block_rows());
    for (std::int64_t block = 0; block < rows.blocks(); ++block) {
        const std::size_t b = rows.block_first(block);
        const std::size_t nb = rows.block_size(block);
        index.score_rows(selected, b, nb, kernel, scratch.gathered, scratch.packed, scratch.scores.data());
        for (std::size_t i = 0; i < selected.size(); ++i) {
            float* scores = scratch.scores.data() + i * nb;
            if (selected[i] >= b && selected[i] < b + nb) scores[selected[i] - b] = no_score;
            offer_scores(lists, i, scores, index.offsets() + b, nb, kernel, scratch,
                         [&](std::uint32_t j) { return static_cast<std::uint32_t>(b) + j; });
        }
    }
    for (std::size_t i = 0; i < selected.size(); ++i) ranker.rank(selected[i], lists.ranked(i), scratch);
}

}  // namespace grouplink::knn
