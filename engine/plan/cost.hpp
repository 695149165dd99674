#pragma once

#include <grouplink/options.hpp>

#include <cstdint>

namespace grouplink {

/// What a group costs under each index, in floating-point operations of a flat tile, the unit that all else
/// is converted to. `links` is the number of neighbors a row. Pure functions: the same on every machine.
struct GroupSize {
    std::int64_t rows = 0;
    std::int64_t dim = 0;
    std::int64_t links = 0;
};

/// `screened`: see wants_screening.
double direct_cost(const GroupSize& group, bool screened);
double flat_cost(const GroupSize& group);
/// All knobs given.
double ivf_cost(const GroupSize& group, const IvfOptions& options);
/// The same where the neighbors of only so many rows are searched.
double flat_cost(const GroupSize& group, std::int64_t queries);
double ivf_cost(const GroupSize& group, const IvfOptions& options, std::int64_t queries);
double hnsw_cost(const GroupSize& group, const HnswOptions& options);
double partition_cost(const GroupSize& group, const PartitionOptions& options);

/// The knobs that real embeddings are likely to need for a recall: what a plan reckons with where the
/// search itself will find out. Those that are given stay.
IvfOptions expected(const IvfOptions& options, std::int64_t rows, double recall);
HnswOptions expected(const HnswOptions& options, std::int64_t links, double recall);
PartitionOptions expected(const PartitionOptions& options, double recall);

/// Lists of an ivf group, cells that a row of a partition group goes to: what stands for 0 in the options.
std::int64_t lists_of(const IvfOptions& options, std::int64_t rows);
std::int64_t fanout_of(const PartitionOptions& options, double recall);

/// Passes of a partition, each with its refinement, that cost as much as the flat search.
double rounds_a_flat_search(const GroupSize& group, std::int64_t fanout);

}  // namespace grouplink
