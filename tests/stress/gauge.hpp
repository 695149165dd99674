#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What a process holds, and whether it grows.
namespace stress {

struct Held {
    std::int64_t heap = 0;      ///< bytes in use, as malloc counts them
    std::int64_t resident = 0;  ///< bytes of memory that is no file's
    std::int64_t descriptors = 0;
    std::int64_t threads = 0;
    std::int64_t files = 0;  ///< in a folder
};

/// Of this process, at rest; the files of `folder`.
Held held_now(const std::string& folder);

struct Trend {
    double slope = 0.0;  ///< of values a step: the median of the slopes between any two (Theil and Sen)
    double z = 0.0;      ///< how far the values rise, in standard deviations of a series without trend
                         ///< (Mann and Kendall)
};

/// The least value of each of `blocks` runs of neighbours, and its step: the floor under values that come and
/// go for a while.
void keep_least(std::vector<double>& steps, std::vector<double>& values, std::size_t blocks);

/// Of values that were measured at `steps`, ascending.
Trend trend_of(const std::vector<double>& steps, const std::vector<double>& values);

}  // namespace stress
