#pragma once

#include "cli/raw.hpp"

namespace grouplink::cli {

/// The arguments with what the file of --params holds, where a flag does not say it: a JSON object of the
/// parameters of a Graphext step (n_nearest, similarity_min, similarity_min_q, metric, seed; n_trees and
/// search_k_mult, which are Annoy's and have no effect here). Without --params nothing changes.
/// Throws Error(bad_input), beginning with the path, for what the file holds; Error(io) where it cannot be
/// read.
RawArguments with_params(RawArguments raw);

}  // namespace grouplink::cli
