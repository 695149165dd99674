#pragma once

#include <grouplink/matrix.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace grouplink::knn {

/// The rows of a group without its duplicates: rows equal bit by bit form a class, which is searched
/// once and stands for all its members. Rows are counted within the group.
struct UniqueRows {
    std::vector<std::uint32_t> first;    ///< of each class: its lowest row; ascending, unless reordered
    std::vector<std::uint32_t> offsets;  ///< classes + 1; empty when no row has a duplicate
    std::vector<std::uint32_t> members;  ///< those of class c: [offsets[c], offsets[c + 1]), ascending

    std::size_t size() const { return first.size(); }
    std::span<const std::uint32_t> rows_of(std::uint32_t c) const {
        if (offsets.empty()) return {first.data() + c, 1};
        return std::span(members).subspan(offsets[c], offsets[c + 1] - offsets[c]);
    }

    /// Class order[i] becomes class i.
    void reorder(std::span<const std::uint32_t> order);
};

/// A hash of the bytes of a row.
std::uint64_t hash_row(const MatrixView& vectors, std::int64_t row);

/// `rows` are a group's rows, all of one dimension, and `hashes` theirs.
UniqueRows find_unique(const MatrixView& vectors, std::span<const std::int64_t> rows,
                       std::span<const std::uint64_t> hashes);

}  // namespace grouplink::knn
