#pragma once

#include "parallel/workers.hpp"

#include <grouplink/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace grouplink {

/// A copy of some rows, as they are stored.
class GatheredRows {
public:
    /// Row i is row rows[i] of `vectors`, which gives the pages it read back as it goes. Throws
    /// Error(cancelled).
    GatheredRows(const MatrixView& vectors, std::span<const std::int64_t> rows, int threads,
                 const JobControl& control);

    const MatrixView& view() const { return view_; }

private:
    std::unique_ptr<std::byte[]> values_;
    std::vector<std::int64_t> offsets_;  ///< where rows differ in length
    MatrixView view_;
};

}  // namespace grouplink
