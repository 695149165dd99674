#pragma once

#include "dataset.hpp"

namespace bench {

/// Made-up float16 rows: each group has a centre, each of its clusters one near that, each row is
/// near its cluster's, with near-normal noise. Rows of a cluster have cosines of about 0.65, rows of a
/// group 0.16. The rows depend on the arguments alone.

/// Groups of 5 to 50 rows, a cluster each.
Dataset tiny_groups(std::int64_t groups, std::int64_t dim, std::uint64_t seed);

/// Groups whose sizes fall as 1 / rank, rows of different groups in turn; some 50 rows a cluster. No more
/// groups than rows.
Dataset skewed_groups(std::int64_t rows, std::int64_t groups, std::int64_t dim, std::uint64_t seed);

}  // namespace bench
