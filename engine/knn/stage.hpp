#pragma once

#include "knn/group.hpp"
#include "parallel/workers.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace grouplink::knn {

/// A stage of the scheduler made of two methods of a search, which must outlive it.
template <typename Search>
parallel::Stage make_stage(Search& search, std::span<Scratch> scratch,
                           std::int64_t (Search::*begin)(Scratch&),
                           void (Search::*run)(std::int64_t, Scratch&), double share) {
    return {.begin = [&search, scratch, begin](
                         int worker) { return (search.*begin)(scratch[static_cast<std::size_t>(worker)]); },
            .run = [&search, scratch, run](
                       std::int64_t unit,
                       int worker) { (search.*run)(unit, scratch[static_cast<std::size_t>(worker)]); },
            .share = share};
}

}  // namespace grouplink::knn
