#pragma once

#include "knn/key.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// The best neighbors that each row has found so far, and the rows that have it among theirs.
class NeighborGraph {
public:
    NeighborGraph() = default;
    /// Room for `rows` rows of `degree` neighbors.
    NeighborGraph(std::size_t rows, std::size_t degree);

    /// Sets a row's neighbors from its candidates, best first.
    void set(std::size_t row, std::span<const Key> best);
    /// To be called once all rows are set: finds the reverse neighbors.
    void invert();

    std::size_t degree() const { return degree_; }
    /// Best first.
    std::span<const std::uint32_t> neighbors(std::size_t row) const {
        return {neighbors_.data() + row * degree_, counts_[row]};
    }
    /// At most 2 * degree of the rows that have `row` as a neighbor: those in whose lists it stands first.
    std::span<const std::uint32_t> reverse(std::size_t row) const {
        return std::span(reverse_).subspan(reverse_first_[row],
                                           reverse_first_[row + 1] - reverse_first_[row]);
    }

private:
    std::size_t degree_ = 0;
    std::vector<std::uint32_t> neighbors_;  ///< degree_ of each row
    std::vector<std::uint16_t> counts_;
    std::vector<std::size_t> reverse_first_;  ///< of each row, and the total
    std::vector<std::uint32_t> reverse_;
};

/// The rows that a row meets through its neighbors and reverse neighbors: theirs. It meets each once, and
/// neither itself nor its neighbors.
class Acquaintances {
public:
    explicit Acquaintances(const NeighborGraph& graph);

    /// Starts with a row that has met nobody.
    void start(std::uint32_t row);

    /// Follows the neighbor and the reverse neighbor in place `step`, the first of which brings along all
    /// reverse neighbors themselves. Returns the rows that this is the first to meet.
    std::span<const std::uint32_t> follow(std::size_t step);

private:
    void add(std::uint32_t row);

    const NeighborGraph& graph_;
    std::uint32_t row_ = 0;
    std::vector<std::uint32_t> met_;
    std::vector<std::uint32_t> slots_;  ///< a hash table of those met
    std::vector<std::uint32_t> used_;   ///< places of slots_ that are taken
};

}  // namespace grouplink::knn
