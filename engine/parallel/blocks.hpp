#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace grouplink::parallel {

struct BlockPair {
    std::int64_t a;  ///< the lower one
    std::int64_t b;
    std::int64_t shift;  ///< grows with the units
};

/// The unordered pairs of `blocks` blocks, each with itself too, in an order in which neighbours
/// share no block where that can be: (b, b + s mod blocks), shift after shift. Workers that take
/// consecutive pairs then seldom want the same block. Of `some` blocks, ascending, only the pairs that
/// one of these is in.
class BlockPairs {
public:
    BlockPairs() = default;
    explicit BlockPairs(std::int64_t blocks) : blocks_(blocks) {}
    BlockPairs(std::int64_t blocks, std::vector<std::int64_t> some)
        : blocks_(blocks), some_(std::move(some)), is_some_(static_cast<std::size_t>(blocks), false) {
        for (const std::int64_t block : some_) is_some_[static_cast<std::size_t>(block)] = true;
    }

    std::int64_t count() const {
        if (!is_some_.empty()) return std::ssize(some_) * blocks_;
        return blocks_ * (blocks_ + 1) / 2;
    }

    /// None where the pair is that of another unit: two of the some blocks are two shifts apart.
    std::optional<BlockPair> at(std::int64_t unit) const {
        const std::int64_t froms = is_some_.empty() ? blocks_ : std::ssize(some_);
        const std::int64_t shift = unit / froms;
        const std::int64_t from =
            is_some_.empty() ? unit % froms : some_[static_cast<std::size_t>(unit % froms)];
        const std::int64_t to = (from + shift) % blocks_;
        if (!is_some_.empty() && is_some_[static_cast<std::size_t>(to)]) {
            const std::int64_t back = blocks_ - shift;
            if (shift > back || (shift == back && from > to)) return std::nullopt;
        }
        return from < to ? BlockPair{from, to, shift} : BlockPair{to, from, shift};
    }

private:
    std::int64_t blocks_ = 0;
    std::vector<std::int64_t> some_;
    std::vector<bool> is_some_;  ///< of each block; empty for all
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
