#pragma once

#include "kernels/kernels.hpp"
#include "knn/key.hpp"
#include "knn/large_pages.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

namespace grouplink::knn {

/// For each row the `keep` best of all the candidates ever pushed, by (score, row): the set does not
/// depend on the order of the pushes. A score grows as things get closer. Half as much room again is held,
/// and a full list is cut back to its best.
class CandidateLists {
public:
    CandidateLists() = default;
    /// `most` is how many candidates a row is offered at most, if that is known: a list needs no more room.
    CandidateLists(std::size_t rows, std::size_t keep, const kernels::Table& kernel,
                   std::size_t most = std::numeric_limits<std::size_t>::max() - 1)
        : kernel_(&kernel),
          keep_(keep),
          capacity_(std::min(keep + std::max<std::size_t>(keep / 2, 1), most + 1)),
          keys_(std::make_unique_for_overwrite<Key[]>(rows * capacity_)),
          counts_(rows, 0),
          thresholds_(rows, -std::numeric_limits<float>::infinity()) {
        advise_large_pages(keys_.get(), rows * capacity_ * sizeof(Key));
    }

    /// Below this score a candidate cannot enter the row's list. Minus infinity until one was turned
    /// away or thrown out, after that no score so lost is above it.
    float threshold(std::size_t row) const { return thresholds_[row]; }
    const float* thresholds(std::size_t first) const { return thresholds_.data() + first; }

    void push(std::size_t row, float score, std::uint32_t candidate) {
        Key* list = keys_.get() + row * capacity_;
        list[counts_[row]++] = make_key(-score, candidate);
        if (counts_[row] == capacity_) cut(row);
    }

    /// The same for a candidate that may be in the list already, or not good enough. Scores of the same pair
    /// that differ in their last bits, as those of BLAS may, count as the best of them.
    void push_new(std::size_t row, float score, std::uint32_t candidate) {
        if (!(score >= thresholds_[row])) return;
        Key* list = keys_.get() + row * capacity_;
        const std::size_t place = kernel_->find_row(list, counts_[row], candidate);
        if (place == counts_[row]) {
            push(row, score, candidate);
        } else {
            list[place] = std::min(list[place], make_key(-score, candidate));
        }
    }

    /// Has a list turn away what is below `threshold` from now on.
    void raise_threshold(std::size_t row, float threshold) {
        thresholds_[row] = std::max(thresholds_[row], threshold);
    }

    /// The row's list, in no order.
    std::span<const Key> kept(std::size_t row) {
        if (counts_[row] > keep_) cut(row);
        return {keys_.get() + row * capacity_, counts_[row]};
    }

    /// The row's list, best first.
    std::span<const Key> ranked(std::size_t row) {
        Key* list = keys_.get() + row * capacity_;
        const bool few = counts_[row] <= kernel_->few_keys;
        const bool too_many = counts_[row] > keep_;
        if (too_many) cut(row);
        if (!few) {
            std::sort(list, list + counts_[row]);
        } else if (!too_many) {  // a cut of a few leaves them in order
            least(list, counts_[row], counts_[row]);
        }
        return {list, counts_[row]};
    }

private:
    /// Brings the `count` least of n <= kernel_->few_keys keys to the front, in order.
    void least(Key* list, std::size_t n, std::size_t count) const {
        Key best[kernels::most_few_keys];
        kernel_->rank_keys(list, n, best);
        std::copy_n(best, count, list);
    }

    void cut(std::size_t row) {
        Key* list = keys_.get() + row * capacity_;
        if (counts_[row] <= kernel_->few_keys) {
            least(list, counts_[row], keep_);
        } else {
            std::nth_element(list, list + keep_ - 1, list + counts_[row]);
        }
        counts_[row] = static_cast<std::uint32_t>(keep_);
        thresholds_[row] = -key_value(list[keep_ - 1]);
    }

    const kernels::Table* kernel_ = nullptr;
    std::size_t keep_ = 0;
    std::size_t capacity_ = 0;
    std::unique_ptr<Key[]> keys_;
    std::vector<std::uint32_t> counts_;
    std::vector<float> thresholds_;
};

}  // namespace grouplink::knn
