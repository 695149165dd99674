#include "knn/neighbor_graph.hpp"

#include "knn/exhaustive.hpp"

#include <algorithm>
#include <numeric>

namespace grouplink::knn {
namespace {

/// A row of very many reverse neighbors meets no more than this.
constexpr std::size_t most_met = 1024;
constexpr std::uint32_t slot_bits = 12;
constexpr std::uint32_t slot_count = 1U << slot_bits;

}  // namespace

NeighborGraph::NeighborGraph(std::size_t rows, std::size_t degree)
    : degree_(degree), neighbors_(rows * degree), counts_(rows, 0) {}

void NeighborGraph::set(std::size_t row, std::span<const Key> best) {
    const std::size_t count = std::min(degree_, best.size());
    std::transform(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(count),
                   neighbors_.begin() + static_cast<std::ptrdiff_t>(row * degree_), key_row);
    counts_[row] = static_cast<std::uint16_t>(count);
}

void NeighborGraph::invert() {
    const std::size_t rows = counts_.size();
    const std::size_t most = 2 * degree_;
    reverse_first_.assign(rows + 1, 0);
    for (std::size_t row = 0; row < rows; ++row) {
        for (const std::uint32_t target : neighbors(row)) {
            if (reverse_first_[target + 1] < most) ++reverse_first_[target + 1];
        }
    }
    std::partial_sum(reverse_first_.begin(), reverse_first_.end(), reverse_first_.begin());
    reverse_.resize(reverse_first_.back());
    std::vector<std::size_t> next(reverse_first_.begin(), reverse_first_.end() - 1);
    for (std::size_t place = 0; place < degree_; ++place) {
        for (std::size_t row = 0; row < rows; ++row) {
            if (place >= counts_[row]) continue;
            const std::uint32_t target = neighbors_[row * degree_ + place];
            if (next[target] == reverse_first_[target + 1]) continue;
            reverse_[next[target]++] = static_cast<std::uint32_t>(row);
        }
    }
}

Acquaintances::Acquaintances(const NeighborGraph& graph) : graph_(graph), slots_(slot_count, nobody) {}

void Acquaintances::start(std::uint32_t row) {
    row_ = row;
    met_.clear();
    for (const std::uint32_t slot : used_) slots_[slot] = nobody;
    used_.clear();
    add(row);
    for (const std::uint32_t neighbor : graph_.neighbors(row)) add(neighbor);
}

std::span<const std::uint32_t> Acquaintances::follow(std::size_t step) {
    const std::size_t before = met_.size();
    const auto neighbors = graph_.neighbors(row_);
    const auto reverse = graph_.reverse(row_);
    if (step == 0) {
        for (const std::uint32_t other : reverse) add(other);
    }
    for (const auto& via : {neighbors, reverse}) {
        if (step >= via.size()) continue;
        for (const std::uint32_t other : graph_.neighbors(via[step])) add(other);
    }
    return std::span(met_).subspan(before);
}

void Acquaintances::add(std::uint32_t row) {
    if (met_.size() == most_met) return;
    std::uint32_t slot = (row * 0x9e3779b1U) >> (32 - slot_bits);  // Fibonacci hashing
    while (slots_[slot] != nobody && slots_[slot] != row) slot = (slot + 1) % slot_count;
    if (slots_[slot] == row) return;
    slots_[slot] = row;
    used_.push_back(slot);
    met_.push_back(row);
}

}  // namespace grouplink::knn
