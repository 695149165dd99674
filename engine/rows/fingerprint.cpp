#include "rows/fingerprint.hpp"

#include "parallel/workers.hpp"
#include "rows/hash.hpp"
#include "rows/pages.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace grouplink {

std::uint64_t hash_vectors(const MatrixView& vectors, int threads, const JobControl& control) {
    constexpr std::int64_t rows_a_block = 1024;
    constexpr std::uint64_t missing = 1;  // apart from any length
    std::vector<std::uint64_t> blocks(
        static_cast<std::size_t>((vectors.rows + rows_a_block - 1) / rows_a_block));
    parallel::for_blocks(
        vectors.rows, rows_a_block, threads, control, "fingerprint",
        [&](std::int64_t first, std::int64_t last, int) {
            std::uint64_t hash = 0;
            for (std::int64_t row = first; row < last; ++row) {
                if (!vectors.has_row(row)) {
                    hash = hash_pair(hash, missing);
                    continue;
                }
                const auto size = static_cast<std::size_t>(vectors.row_dim(row)) * element_size(vectors.type);
                hash = hash_pair(hash, hash_bytes({static_cast<const char*>(vectors.row(row)), size}));
            }
            blocks[static_cast<std::size_t>(first / rows_a_block)] = hash;
            give_back(vectors, first, last);
        });
    std::uint64_t hash =
        hash_pair(static_cast<std::uint64_t>(vectors.rows), static_cast<std::uint64_t>(vectors.type));
    for (const std::uint64_t block : blocks) hash = hash_pair(hash, block);
    return hash;
}

std::uint64_t hash_groups(const GroupColumn& groups) {
    const auto& codes = groups.codes;
    std::uint64_t hash =
        hash_bytes({reinterpret_cast<const char*>(codes.data()), codes.size() * sizeof codes[0]});
    for (const std::string& key : groups.keys) hash = hash_pair(hash, hash_bytes(key));
    return hash;
}

}  // namespace grouplink
