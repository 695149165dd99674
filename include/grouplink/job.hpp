#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

namespace grouplink {

struct Checkpoints;

struct Progress {
    std::string_view stage;  ///< as in Report::stages
    double done = 0.0;       ///< share of the stage, in [0, 1]
    /// What the whole stage handles, and of what: "rows", "links", "values" or "bytes". 0: not known.
    std::int64_t total = 0;
    std::string_view unit{};
    double before = 0.0;  ///< of `done`, what an earlier run of the job had done
};

/// How a caller follows a job and stops it; each job has its own.
struct JobControl {
    /// Called at most some ten times a second, one call at a time, from any thread of the job. What
    /// it throws stops the job and comes out of the call that runs it.
    std::function<void(const Progress&)> on_progress;
    /// When a stop is requested the job ends with Error(cancelled) within some milliseconds.
    std::stop_token stop;
    /// Where a job keeps what it found, and finds what an earlier run kept; null: nowhere. See
    /// checkpoint.hpp.
    std::shared_ptr<const Checkpoints> checkpoints{};
};

}  // namespace grouplink
