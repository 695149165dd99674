#pragma once

// Annoy's header uses offsetof without including what declares it.
#include <cstddef>
#include <cstdint>

// g++ 12 takes its own AVX-512 intrinsics, where Annoy uses them, for reads of what was not set.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define ANNOYLIB_MULTITHREADED_BUILD
#include <annoylib.h>
#include <kissrandom.h>

namespace bench {

/// Built by one thread, as it is inside each of ours, unless told otherwise: then the trees depend on the
/// seed alone.
template <class Distance, class Component = float, class Policy = Annoy::AnnoyIndexSingleThreadedBuildPolicy>
using AnnoyOf = Annoy::AnnoyIndex<std::int32_t, Component, Distance, Annoy::Kiss64Random, Policy>;

}  // namespace bench
