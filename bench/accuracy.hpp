#pragma once

#include "peers.hpp"

#include <cstdint>

namespace bench {

/// How one method's neighbors stand against the truth, cosines taken in double precision. A
/// neighbor counts as found when its cosine comes within 1e-6 of the truth's last: ties aside, that
/// is the usual recall.
struct Accuracy {
    double recall = 1.0;
    std::int64_t compared = 0;    ///< neighbors in the truth
    std::int64_t missed = 0;      ///< of these, those without a find in their stead
    std::int64_t misplaced = 0;   ///< places whose cosine is more than 1e-6 from the truth's there
    std::int64_t first_row = -1;  ///< with a misplaced one
    std::int64_t broken = 0;      ///< to the row itself, across groups, twice, or out of range

    bool exact() const { return missed == 0 && misplaced == 0 && broken == 0; }
};

/// Over the rows whose number is a multiple of `step`.
Accuracy compare(const Dataset& data, const Neighbors& truth, const Neighbors& found, std::int64_t step = 1);

/// Brute force in double precision over rows 0, step, 2 step, ...; the other rows are left at -1.
Neighbors brute_force(const Dataset& data, std::int64_t k, std::int64_t step, int threads);

}  // namespace bench
