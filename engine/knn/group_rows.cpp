#include "knn/group_rows.hpp"

#include "knn/large_pages.hpp"

#include <cstring>
#include <numeric>

namespace grouplink::knn {
namespace {

/// So many rows are asked for before they are read.
constexpr std::size_t rows_ahead = 6;

}  // namespace

std::int64_t GroupRows::begin_measure() {
    blocks_ = blocks_of(static_cast<std::int64_t>(job_.rows.size()));
    hashes_.resize(job_.rows.size());
    max_abs_.assign(static_cast<std::size_t>(blocks_.count), 0.0);
    make_room_for_copy();
    return blocks_.count;
}

void GroupRows::make_room_for_copy() {
    const MatrixView& vectors = job_.scorer.vectors();
    const auto rows = static_cast<std::int64_t>(job_.rows.size());
    const auto dim = static_cast<std::int64_t>(job_.dim);
    const std::int64_t bytes = copied_bytes(rows, dim, static_cast<std::int64_t>(element_size(vectors.type)));
    if (bytes == 0 || job_.rows.back() - job_.rows.front() == rows - 1) return;
    copy_ = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(bytes));
    advise_large_pages(copy_.get(), static_cast<std::size_t>(bytes));
    copied_rows_ = {.values = copy_.get(), .type = vectors.type, .rows = rows, .dim = dim};
    copied_.emplace(copied_rows_, job_.scorer.metric(), job_.scorer.kernel());
}

void GroupRows::measure(std::int64_t block) {
    const std::size_t first = block_first(block);
    const std::size_t last = std::min(job_.rows.size(), first + block_rows());
    const bool measured = needs_extent(job_.scorer.metric());
    const MatrixView& vectors = job_.scorer.vectors();
    const std::size_t bytes = job_.dim * element_size(vectors.type);
    double& max_abs = max_abs_[static_cast<std::size_t>(block)];
    for (std::size_t i = first; i < last; ++i) {
        if (i + rows_ahead < last) job_.scorer.prefetch(job_.rows[i + rows_ahead]);
        if (copied_) std::memcpy(copy_.get() + i * bytes, vectors.row(job_.rows[i]), bytes);
        const MatrixView& stored = scorer().vectors();
        hashes_[i] = hash_row(stored, stored_member(i));
        if (!measured) continue;
        const auto extent = job_.scorer.kernel().extent(stored.row(stored_member(i)), vectors.type, job_.dim);
        max_abs = std::max(max_abs, extent.max_abs);
    }
}

void GroupRows::finish(Scratch& scratch) {
    unique_ = find_unique(job_.scorer.vectors(), job_.rows, hashes_);
    if (job_.scorer.metric() == Metric::angular) squares_.resize(unique_.size());
    frame_ = make_frame(job_.scorer.metric(), *std::max_element(max_abs_.begin(), max_abs_.end()),
                        find_center(scratch));
    hashes_ = {};
    max_abs_ = {};
    blocks_ = blocks_of(static_cast<std::int64_t>(unique_.size()));
    if (!job_.whole()) find_wanted();
}

void GroupRows::count_duplicates(Scratch& scratch) const {
    const auto& first = unique_.first;
    const auto classes_before = [&](std::size_t row) {
        return std::lower_bound(first.begin(), first.end(), row) - first.begin();
    };
    // Of the rows that are asked for: each is counted in one share of the group.
    scratch.counters.duplicate_rows += static_cast<std::int64_t>(job_.last_query - job_.first_query) -
                                       (classes_before(job_.last_query) - classes_before(job_.first_query));
}

void GroupRows::reorder(std::span<const std::uint32_t> order) {
    unique_.reorder(order);
    if (!all_wanted()) find_wanted();
}

void GroupRows::put_wanted_first(std::vector<std::uint32_t>& order) const {
    if (all_wanted()) return;
    std::stable_partition(order.begin(), order.end(), [this](std::uint32_t c) { return wanted(c); });
}

void GroupRows::find_wanted() {
    wanted_.assign(unique_.size(), false);
    block_wanted_.assign(static_cast<std::size_t>(blocks_.count), false);
    for (std::uint32_t c = 0; c < unique_.size(); ++c) {
        const auto members = unique_.rows_of(c);
        const auto wanted = std::lower_bound(members.begin(), members.end(), job_.first_query);
        if (wanted == members.end() || *wanted >= job_.last_query) continue;
        wanted_[c] = true;
        block_wanted_[c / block_rows()] = true;
    }
}

/// Of rows evenly spaced over the group.
std::vector<double> GroupRows::find_center(Scratch& scratch) const {
    const Metric metric = job_.scorer.metric();
    if (!needs_center(metric)) return {};
    const std::size_t count = std::min(center_sample, unique_.size());
    std::vector<double> sample(count * job_.dim);
    for (std::size_t i = 0; i < count; ++i) {
        load(i * unique_.size() / count, scratch);
        const double factor = unit_factor(metric, job_.dim, scratch.x.data());
        double* row = sample.data() + i * job_.dim;
        for (std::size_t c = 0; c < job_.dim; ++c) row[c] = scratch.x[c] * factor;
    }
    return center_of(sample, count, job_.dim);
}

void GroupRows::load(std::size_t row, Scratch& scratch, std::size_t next) const {
    if (next > rows_ahead) scorer().prefetch(stored(row + rows_ahead));
    make_room(scratch.x, RowScorer::loaded_size(job_.dim));
    scorer().load(stored(row), scratch.x.data());
}

std::vector<std::uint32_t> order_by_key(const std::uint32_t* keys, std::size_t stride, std::size_t count,
                                        std::size_t keys_end) {
    std::vector<std::size_t> next(keys_end + 1, 0);
    for (std::size_t row = 0; row < count; ++row) ++next[keys[row * stride] + 1];
    std::partial_sum(next.begin(), next.end(), next.begin());
    std::vector<std::uint32_t> order(count);
    for (std::uint32_t row = 0; row < count; ++row) order[next[keys[row * stride]]++] = row;
    return order;
}

void gather_block(GroupRows& rows, std::int64_t block, FlatIndex& index, Scratch& scratch) {
    const std::size_t first = rows.block_first(block);
    const std::size_t last = first + rows.block_size(block);
    for (std::size_t i = first; i < last; ++i) {
        rows.load(i, scratch, last - i);
        rows.set_squares(i, scratch.x.data());
        index.set(i, scratch.x.data(), scratch.gathered);
    }
}

}  // namespace grouplink::knn
