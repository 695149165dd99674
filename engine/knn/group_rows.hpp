#pragma once

#include "knn/gather.hpp"
#include "knn/group.hpp"
#include "knn/unique.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace grouplink::knn {

/// The rows of a group as every index takes them: the classes of equal rows, cut into blocks, and the
/// frame that they are searched in. A stage of measure() comes first, then finish().
///
/// Rows that lie scattered over the input are copied side by side as they are first read, where that takes
/// little room: they are read several times, and a page of the input holds a row of the group or two.
class GroupRows {
public:
    explicit GroupRows(const GroupJob& job) : job_(job) {}
    GroupRows(const GroupRows&) = delete;
    GroupRows& operator=(const GroupRows&) = delete;

    /// How many blocks there are to measure.
    std::int64_t begin_measure();
    void measure(std::int64_t block);
    /// Finds the classes; from here on blocks are blocks of classes.
    void finish(Scratch& scratch);
    /// Adds the rows that are no class's first to the counters; once for each group, before reorder().
    void count_duplicates(Scratch& scratch) const;

    /// Class order[i] becomes class i.
    void reorder(std::span<const std::uint32_t> order);
    /// Has the classes of `order` whose neighbors are wanted, where not all are, come before the others, to
    /// fill blocks of their own.
    void put_wanted_first(std::vector<std::uint32_t>& order) const;

    const UniqueRows& unique() const { return unique_; }
    const Frame& frame() const { return frame_; }
    std::size_t size() const { return unique_.size(); }

    std::int64_t blocks() const { return blocks_.count; }
    std::size_t block_rows() const { return static_cast<std::size_t>(blocks_.block_rows); }
    std::size_t block_first(std::int64_t block) const {
        return static_cast<std::size_t>(block) * block_rows();
    }
    std::size_t block_size(std::int64_t block) const {
        return std::min(block_rows(), unique_.size() - block_first(block));
    }

    /// Whether the neighbors of a class, or of any class of a block, are wanted.
    bool wanted(std::size_t row) const { return wanted_.empty() || wanted_[row]; }
    bool block_wanted(std::int64_t block) const {
        return wanted_.empty() || block_wanted_[static_cast<std::size_t>(block)];
    }
    bool all_wanted() const { return wanted_.empty(); }

    /// Where a class is read: it is row stored(c) of scorer().
    const RowScorer& scorer() const { return copied_ ? *copied_ : job_.scorer; }
    std::int64_t stored(std::size_t c) const { return stored_member(unique_.first[c]); }

    /// Of a class that gather_block() has gathered: what the scorer's load() puts behind it under angular.
    double squares(std::size_t c) const { return squares_.empty() ? 0.0 : squares_[c]; }
    void set_squares(std::size_t c, const double* loaded) {
        if (!squares_.empty()) squares_[c] = loaded[kernels::padded(job_.dim)];
    }

    /// Loads a class into scratch.x, as the scorer does. `next` is how many more will follow: rows lie
    /// anywhere in memory, and those soon to come are asked for.
    void load(std::size_t row, Scratch& scratch, std::size_t next = 0) const;

private:
    std::int64_t stored_member(std::size_t i) const {
        return copied_ ? static_cast<std::int64_t>(i) : job_.rows[i];
    }
    void make_room_for_copy();
    std::vector<double> find_center(Scratch& scratch) const;
    void find_wanted();

    const GroupJob& job_;
    std::unique_ptr<std::byte[]> copy_;
    MatrixView copied_rows_;
    std::optional<RowScorer> copied_;  ///< of the copied rows, if they are
    Blocks blocks_;
    std::vector<std::uint64_t> hashes_;
    std::vector<double> max_abs_;  ///< of each block
    UniqueRows unique_;
    std::vector<double> squares_;  ///< of each class, under angular
    std::vector<bool> wanted_;     ///< of each class; empty when all are
    std::vector<bool> block_wanted_;
    Frame frame_;
};

/// The rows [0, count) in the order of keys[row * stride], which are below `keys_end`; equal ones ascending.
std::vector<std::uint32_t> order_by_key(const std::uint32_t* keys, std::size_t stride, std::size_t count,
                                        std::size_t keys_end);

/// Fills the index's places of one block, and the squares of its rows. No class moves after that.
void gather_block(GroupRows& rows, std::int64_t block, FlatIndex& index, Scratch& scratch);

}  // namespace grouplink::knn
