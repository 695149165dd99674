#include "knn/leader_order.hpp"

#include "kernels/gemm.hpp"
#include "knn/seed.hpp"

#include <algorithm>
#include <limits>

namespace grouplink::knn {
namespace {

constexpr std::size_t rows_a_leader = 128;
constexpr std::size_t most_leaders = 1024;
constexpr std::int64_t least_blocks = 3;
constexpr std::size_t rows_at_once = 256;
constexpr std::uint64_t leader_salt = 0x6c6561646572ULL;

/// The place of the greatest of scores[0, n) less `offsets`; of equal ones, any.
std::uint32_t greatest(const float* scores, const float* offsets, std::size_t n) {
    // Lanes for the compiler to compare at once.
    constexpr std::size_t lanes = 16;
    float best[lanes];
    std::uint32_t places[lanes] = {};
    std::fill_n(best, lanes, -std::numeric_limits<float>::infinity());
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (std::size_t l = 0; l < lanes; ++l) {
            const float score = scores[i + l] - offsets[i + l];
            places[l] = score > best[l] ? static_cast<std::uint32_t>(i + l) : places[l];
            best[l] = score > best[l] ? score : best[l];
        }
    }
    const std::size_t lane = static_cast<std::size_t>(std::max_element(best, best + lanes) - best);
    float most = best[lane];
    std::uint32_t place = places[lane];
    for (; i < n; ++i) {
        if (scores[i] - offsets[i] <= most) continue;
        most = scores[i] - offsets[i];
        place = static_cast<std::uint32_t>(i);
    }
    return place;
}

}  // namespace

LeaderOrder::LeaderOrder(const GroupJob& job, const GroupRows& rows, Scratch& scratch)
    : job_(&job), rows_(&rows) {
    const Metric metric = job.scorer.metric();
    if (metric == Metric::hamming || metric == Metric::manhattan || rows.blocks() < least_blocks) return;
    const std::size_t wanted = std::min(rows.size() / rows_a_leader, most_leaders);
    const auto drawn = draw_rows(all_rows(rows.size()), wanted, mix(job.seed ^ leader_salt));
    leaders_.resize(drawn.size() * job.dim);
    offsets_.resize(drawn.size());
    nearest_.resize(rows.size());
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        rows.load(drawn[i], scratch);
        const RowLength length =
            place_row(rows.frame(), metric, job.dim, scratch.x.data(), leaders_.data() + i * job.dim);
        offsets_[i] =
            searched_as(metric) == Metric::euclidean ? static_cast<float>(length.squares / 2) : 0.0F;
    }
    chain(scratch);
}

/// Puts the leaders in an order from each to the nearest of those left.
void LeaderOrder::chain(Scratch& scratch) {
    const std::size_t n = size();
    const std::size_t dim = job_->dim;
    std::vector<float> scores(n * n);
    kernels::inner_products(job_->scorer.kernel(), leaders_.data(), n, leaders_.data(), n, dim,
                            scratch.packed, scores.data());
    std::vector<float> taken = offsets_;
    std::vector<float> leaders(leaders_.size());
    std::vector<float> offsets(n);
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < n; ++i) {
        std::copy_n(leaders_.data() + next * dim, dim, leaders.data() + i * dim);
        offsets[i] = offsets_[next];
        taken[next] = std::numeric_limits<float>::infinity();
        next = greatest(scores.data() + next * n, taken.data(), n);
    }
    leaders_ = std::move(leaders);
    offsets_ = std::move(offsets);
}

void LeaderOrder::assign(std::int64_t block, Scratch& scratch) {
    const std::size_t first = rows_->block_first(block);
    const std::size_t last = first + rows_->block_size(block);
    for (std::size_t part = first; part < last; part += rows_at_once) {
        assign_rows(part, std::min(rows_at_once, last - part), scratch);
    }
}

void LeaderOrder::assign_rows(std::size_t first, std::size_t count, Scratch& scratch) {
    const std::size_t dim = job_->dim;
    make_room(scratch.gathered, count * dim);
    make_room(scratch.scores, count * size());
    for (std::size_t i = 0; i < count; ++i) {
        rows_->load(first + i, scratch, count - i);
        place_row(rows_->frame(), job_->scorer.metric(), dim, scratch.x.data(),
                  scratch.gathered.data() + i * dim);
    }
    kernels::inner_products(job_->scorer.kernel(), scratch.gathered.data(), count, leaders_.data(), size(),
                            dim, scratch.packed, scratch.scores.data());
    for (std::size_t i = 0; i < count; ++i) {
        nearest_[first + i] = greatest(scratch.scores.data() + i * size(), offsets_.data(), size());
    }
}

std::vector<std::uint32_t> LeaderOrder::find() const {
    return order_by_key(nearest_.data(), 1, nearest_.size(), size());
}

}  // namespace grouplink::knn
