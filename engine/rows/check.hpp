#pragma once

#include <grouplink/groups.hpp>
#include <grouplink/link.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>
#include <grouplink/report.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace grouplink {

struct RowCheck {
    std::vector<RowStatus> status;        ///< one a row
    std::vector<std::int64_t> group_dim;  ///< one a group: the dimension most of its embeddings have
    std::array<std::int64_t, row_status_count> counts{};  ///< rows of each RowStatus

    std::int64_t bad_rows() const {
        std::int64_t total = 0;
        for (const std::int64_t count : counts) total += count;
        return total - counts[static_cast<std::size_t>(RowStatus::ok)];
    }
};

/// Throws Error(bad_input) unless the sizes of the arguments fit together.
void check_shapes(const MatrixView& vectors, const GroupColumn& groups);

/// What is wrong with each row, the first reason in the order of RowStatus. A group's dimension is
/// the most common one of its embeddings, the smaller of two equally common. A float64 component
/// beyond +-1e150 counts as not finite: its square is not.
RowCheck check_rows(const MatrixView& vectors, const GroupColumn& groups, Metric metric, int threads,
                    const JobControl& control);

/// One line: how many rows of each bad status there are, and the first of them.
std::string describe_bad_rows(const RowCheck& check, const MatrixView& vectors, const GroupColumn& groups);

}  // namespace grouplink
