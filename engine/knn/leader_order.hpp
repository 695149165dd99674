#pragma once

#include "knn/group.hpp"
#include "knn/group_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace grouplink::knn {

/// An order of a group's classes in which near ones stand close together: by their nearest of some leaders
/// drawn at random, and these from neighbor to neighbor. A join of such blocks finds most of a row's
/// neighbors in its first tiles, turns away all the more in the others, and scores what it keeps while it is
/// in cache. What is found does not depend on the order.
class LeaderOrder {
public:
    LeaderOrder() = default;  ///< of no rows
    /// Draws the leaders. All must outlive the order; rows must be finished.
    LeaderOrder(const GroupJob& job, const GroupRows& rows, Scratch& scratch);

    /// Whether it pays: inner products, and more than a few tiles of them.
    bool wanted() const { return !leaders_.empty(); }

    /// Finds the leaders of the rows of a block; once for each block.
    void assign(std::int64_t block, Scratch& scratch);

    /// The classes in order.
    std::vector<std::uint32_t> find() const;

private:
    std::size_t size() const { return offsets_.size(); }
    void chain(Scratch& scratch);
    void assign_rows(std::size_t first, std::size_t count, Scratch& scratch);

    const GroupJob* job_ = nullptr;
    const GroupRows* rows_ = nullptr;
    std::vector<float> leaders_;          ///< `dim` floats each, in the order they stand in
    std::vector<float> offsets_;          ///< half their squared lengths, or 0 under dot
    std::vector<std::uint32_t> nearest_;  ///< of each class: its leader
};

}  // namespace grouplink::knn
