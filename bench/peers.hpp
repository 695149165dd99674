#pragma once

#include "dataset.hpp"

#include <cstdint>
#include <vector>

namespace bench {

/// The k nearest rows of each row by angular distance, nearest first; -1 where there are fewer.
struct Neighbors {
    std::int64_t k = 0;
    std::vector<std::int64_t> targets;  ///< rows x k
};

/// What others do with the same job: groups largest first, one at a time on each thread; Annoy puts all
/// threads to a group that is the only one. The time that counts is that of the call: widen to float32,
/// normalise where the method wants it, index, search, drop the row itself.

/// A loop over FAISS flat indexes of inner products, with the FAISS that this was linked with.
Neighbors faiss_flat(const Dataset& data, std::int64_t k, int threads);

/// Annoy, angular, at the effort of `trees` and `search_k`. Throws Error where it was left out of
/// the build.
Neighbors annoy(const Dataset& data, std::int64_t k, int threads, int trees, int search_k);

/// "major.minor.patch" of the FAISS that this was linked with.
const char* faiss_version();

}  // namespace bench
