#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace grouplink::parallel {

/// The unordered pairs of `blocks` blocks, each with itself too, in an order in which neighbours
/// share no block where that can be: (b, b + s mod blocks), shift after shift. Workers that take
/// consecutive pairs then seldom want the same block.
class BlockPairs {
public:
    explicit BlockPairs(std::int64_t blocks) : blocks_(blocks) {}

    std::int64_t count() const { return blocks_ * (blocks_ + 1) / 2; }

    /// The blocks of a pair, the lower one first.
    std::pair<std::int64_t, std::int64_t> at(std::int64_t unit) const {
        const std::int64_t shift = unit / blocks_;
        const std::int64_t a = unit % blocks_;
        const std::int64_t b = (a + shift) % blocks_;
        return a < b ? std::pair(a, b) : std::pair(b, a);
    }

private:
    std::int64_t blocks_;
};

/// One lock a block.
class BlockLocks {
public:
    explicit BlockLocks(std::int64_t blocks)
        : mutexes_(std::make_unique<std::mutex[]>(static_cast<std::size_t>(blocks))) {}

    /// Holds one block, or two without the danger of a deadlock.
    class Guard {
    public:
        Guard(std::mutex& a, std::mutex& b) {
            if (&a == &b) {
                first_ = std::unique_lock(a);
            } else {
                first_ = std::unique_lock(a, std::defer_lock);
                second_ = std::unique_lock(b, std::defer_lock);
                std::lock(first_, second_);
            }
        }

    private:
        std::unique_lock<std::mutex> first_;
        std::unique_lock<std::mutex> second_;
    };

    Guard hold(std::int64_t a, std::int64_t b) {
        return {mutexes_[static_cast<std::size_t>(a)], mutexes_[static_cast<std::size_t>(b)]};
    }

private:
    std::unique_ptr<std::mutex[]> mutexes_;
};

}  // namespace grouplink::parallel
