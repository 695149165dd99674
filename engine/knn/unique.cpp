#include "knn/unique.hpp"

#include "rows/hash.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>

namespace grouplink::knn {
namespace {

std::string_view bytes_of(const MatrixView& vectors, std::int64_t row) {
    const std::size_t size = static_cast<std::size_t>(vectors.row_dim(row)) * element_size(vectors.type);
    return {static_cast<const char*>(vectors.row(row)), size};
}

}  // namespace

void UniqueRows::reorder(std::span<const std::uint32_t> order) {
    UniqueRows other;
    other.first.reserve(size());
    for (const std::uint32_t c : order) other.first.push_back(first[c]);
    if (!offsets.empty()) {
        other.offsets.reserve(offsets.size());
        other.members.reserve(members.size());
        other.offsets.push_back(0);
        for (const std::uint32_t c : order) {
            const auto rows = rows_of(c);
            other.members.insert(other.members.end(), rows.begin(), rows.end());
            other.offsets.push_back(static_cast<std::uint32_t>(other.members.size()));
        }
    }
    *this = std::move(other);
}

std::uint64_t hash_row(const MatrixView& vectors, std::int64_t row) {
    return hash_bytes(bytes_of(vectors, row));
}

UniqueRows find_unique(const MatrixView& vectors, std::span<const std::int64_t> rows,
                       std::span<const std::uint64_t> hashes) {
    const auto count = static_cast<std::uint32_t>(rows.size());
    std::vector<std::uint32_t> by_hash(count);
    std::iota(by_hash.begin(), by_hash.end(), 0U);
    std::sort(by_hash.begin(), by_hash.end(), [&](std::uint32_t a, std::uint32_t b) {
        return hashes[a] != hashes[b] ? hashes[a] < hashes[b] : a < b;
    });

    // class_of[row] = the lowest row equal to it. Rows of one hash are compared byte by byte.
    std::vector<std::uint32_t> class_of(count);
    std::iota(class_of.begin(), class_of.end(), 0U);
    bool any = false;
    std::vector<std::uint32_t> different;  // the lowest rows of the classes that share one hash
    for (std::size_t first = 0; first < count;) {
        std::size_t last = first + 1;
        while (last < count && hashes[by_hash[last]] == hashes[by_hash[first]]) ++last;
        if (last - first > 1) {
            different.clear();
            for (std::size_t i = first; i < last; ++i) {
                const std::uint32_t row = by_hash[i];
                const auto same = std::find_if(different.begin(), different.end(), [&](std::uint32_t other) {
                    return bytes_of(vectors, rows[row]) == bytes_of(vectors, rows[other]);
                });
                if (same == different.end()) {
                    different.push_back(row);
                } else {
                    class_of[row] = *same;
                    any = true;
                }
            }
        }
        first = last;
    }

    UniqueRows unique;
    if (!any) {
        unique.first = std::move(class_of);
        return unique;
    }
    std::vector<std::uint32_t> position(count, 0);  // of the class whose lowest row this is
    for (std::uint32_t row = 0; row < count; ++row) {
        if (class_of[row] != row) continue;
        position[row] = static_cast<std::uint32_t>(unique.first.size());
        unique.first.push_back(row);
    }
    unique.offsets.assign(unique.first.size() + 1, 0);
    for (const std::uint32_t lowest : class_of) ++unique.offsets[position[lowest] + 1];
    std::partial_sum(unique.offsets.begin(), unique.offsets.end(), unique.offsets.begin());
    unique.members.resize(count);
    std::vector<std::uint32_t> next(unique.offsets.begin(), unique.offsets.end() - 1);
    for (std::uint32_t row = 0; row < count; ++row) unique.members[next[position[class_of[row]]]++] = row;
    return unique;
}

}  // namespace grouplink::knn
