#pragma once

#include <grouplink/groups.hpp>
#include <grouplink/job.hpp>
#include <grouplink/matrix.hpp>

#include <cstdint>

namespace grouplink {

/// Hashes of what rows are, the same at any number of threads: each embedding with its length and type, and
/// each row's group.
std::uint64_t hash_vectors(const MatrixView& vectors, int threads, const JobControl& control);
std::uint64_t hash_groups(const GroupColumn& groups);

}  // namespace grouplink
