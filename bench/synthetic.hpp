#pragma once

#include "dataset.hpp"

namespace bench {

/// Made-up float16 rows, which depend on the arguments alone.

/// In tiny_groups, even_groups, skewed_groups and lopsided_groups each group has a centre, each of its
/// clusters one near that, each row is near its cluster's, with near-normal noise. Rows of a cluster have
/// cosines of about 0.65, rows of a group 0.16.

/// Groups of 5 to 50 rows, a cluster each.
Dataset tiny_groups(std::int64_t groups, std::int64_t dim, std::uint64_t seed);

/// Groups of one size, rows of different groups in turn; some 50 rows a cluster. No more groups than rows.
Dataset even_groups(std::int64_t rows, std::int64_t groups, std::int64_t dim, std::uint64_t seed);

/// Groups whose sizes fall as 1 / rank, rows of different groups in turn; some 50 rows a cluster. No more
/// groups than rows.
Dataset skewed_groups(std::int64_t rows, std::int64_t groups, std::int64_t dim, std::uint64_t seed);

/// One group of `rows` rows and 40 of 20 to 400, rows of the large one first: what is hard to share out.
Dataset lopsided_groups(std::int64_t rows, std::int64_t dim, std::uint64_t seed);

/// One group, whose first rows are the same at any number of rows: a series of sizes is one of growing
/// samples. 256 topics have a centre and a subspace of 48 dimensions each; in it lie the centres of their
/// clusters, 8,192 in all with sizes that fall as the root of the rank, and round these the rows, with some
/// noise across it. Near rows have cosines of 0.5 to 0.7, and the intrinsic dimension round them is about 20,
/// as in sentence embeddings.
Dataset clustered_rows(std::int64_t rows, std::int64_t dim, std::uint64_t seed);

/// One group, whose first rows are the same at any number of rows: independent near-normal components,
/// the variance of the i-th falling as 1 / sqrt(i). There are no clusters, the nearest rows have cosines of
/// 0.2 to 0.3, and the intrinsic dimension is about 100.
Dataset hard_rows(std::int64_t rows, std::int64_t dim, std::uint64_t seed);

}  // namespace bench
