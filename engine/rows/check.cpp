#include "rows/check.hpp"

#include <grouplink/error.hpp>

#include "kernels/kernels.hpp"
#include "parallel/workers.hpp"
#include "rows/groups.hpp"
#include "rows/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace grouplink {
namespace {

constexpr std::int64_t rows_a_block = 2048;
constexpr double largest_component = 1e150;

/// The most common dimension of the embeddings of each group, 0 where there is none.
std::vector<std::int64_t> group_dims(const MatrixView& vectors, const GroupColumn& groups) {
    if (!vectors.offsets) return std::vector<std::int64_t>(groups.keys.size(), vectors.dim);
    std::vector<std::int64_t> dims(groups.keys.size(), 0);
    const RowsByGroup grouped = rows_by_group(groups);
    std::map<std::int64_t, std::int64_t> rows_of_dim;
    for (std::size_t g = 0; g < dims.size(); ++g) {
        rows_of_dim.clear();
        for (const std::int64_t row : grouped.group(static_cast<std::int32_t>(g))) {
            const std::int64_t dim = vectors.row_dim(row);
            if (vectors.has_row(row) && dim > 0) ++rows_of_dim[dim];
        }
        const auto most = std::max_element(rows_of_dim.begin(), rows_of_dim.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
        if (most != rows_of_dim.end()) dims[g] = most->first;
    }
    return dims;
}

RowStatus status_of_values(const MatrixView& vectors, std::int64_t row, Metric metric,
                           const kernels::Table& kernel) {
    const auto dim = static_cast<std::size_t>(vectors.row_dim(row));
    const kernels::Extent extent = kernel.extent(vectors.row(row), vectors.type, dim);
    if (!extent.finite || extent.max_abs > largest_component) return RowStatus::non_finite;
    if (metric == Metric::angular && extent.max_abs == 0.0) return RowStatus::zero_norm;
    return RowStatus::ok;
}

/// The first rows of a status, as many as a message names.
std::vector<std::int64_t> first_rows(const std::vector<RowStatus>& status, RowStatus wanted) {
    constexpr std::size_t most = 3;
    std::vector<std::int64_t> rows;
    for (std::size_t row = 0; row < status.size() && rows.size() < most; ++row) {
        if (status[row] == wanted) rows.push_back(static_cast<std::int64_t>(row));
    }
    return rows;
}

}  // namespace

void check_shapes(const MatrixView& vectors, const GroupColumn& groups) {
    const auto fail = [](const std::string& message) { throw Error(ErrorCode::bad_input, message); };
    if (vectors.rows < 0) fail(fmt::format("vectors: rows is {}, but cannot be negative", vectors.rows));
    if (!vectors.offsets && vectors.rows > 0 && vectors.dim <= 0) {
        fail(fmt::format("vectors: dim is {}, but a row needs at least one component", vectors.dim));
    }
    if (!vectors.values && vectors.rows > 0) {
        if (!vectors.offsets || vectors.offsets[vectors.rows] > 0) fail("vectors: values is null");
    }
    if (static_cast<std::int64_t>(groups.codes.size()) != vectors.rows) {
        fail(fmt::format("groups: {} codes for {} rows of vectors; there must be one a row",
                         groups.codes.size(), vectors.rows));
    }
    const auto keys = static_cast<std::int64_t>(groups.keys.size());
    for (std::size_t row = 0; row < groups.codes.size(); ++row) {
        if (groups.codes[row] < -1 || groups.codes[row] >= keys) {
            fail(fmt::format("groups: the code of row {} is {}, but must be -1 or below the {} keys", row,
                             groups.codes[row], keys));
        }
    }
    if (!vectors.offsets) return;
    if (vectors.offsets[0] < 0) fail("vectors: the first offset is negative");
    for (std::int64_t row = 0; row < vectors.rows; ++row) {
        if (vectors.offsets[row + 1] < vectors.offsets[row]) {
            fail(fmt::format("vectors: the offsets decrease at row {}", row));
        }
    }
}

RowCheck check_rows(const MatrixView& vectors, const GroupColumn& groups, Metric metric, int threads,
                    const JobControl& control) {
    RowCheck check;
    check.group_dim = group_dims(vectors, groups);
    check.status.assign(static_cast<std::size_t>(vectors.rows), RowStatus::ok);
    const kernels::Table& kernel = kernels::best();

    const auto status_of = [&](std::int64_t row) {
        const std::int32_t group = groups.codes[static_cast<std::size_t>(row)];
        if (group < 0) return RowStatus::null_group;
        const std::int64_t dim = vectors.row_dim(row);
        if (!vectors.has_row(row) || dim == 0) return RowStatus::null_embedding;
        if (dim != check.group_dim[static_cast<std::size_t>(group)]) return RowStatus::wrong_dim;
        return status_of_values(vectors, row, metric, kernel);
    };
    parallel::for_blocks(vectors.rows, rows_a_block, threads, control, "check",
                         [&](std::int64_t first, std::int64_t last, int) {
                             for (std::int64_t row = first; row < last; ++row) {
                                 check.status[static_cast<std::size_t>(row)] = status_of(row);
                             }
                             give_back(vectors, first, last);
                         });
    for (const RowStatus status : check.status) ++check.counts[static_cast<std::size_t>(status)];
    return check;
}

std::string describe_bad_rows(const RowCheck& check, const MatrixView& vectors, const GroupColumn& groups) {
    std::string text = fmt::format("{} of {} rows cannot be linked", check.bad_rows(), check.status.size());
    const char* separator = ": ";
    for (int s = static_cast<int>(RowStatus::ok) + 1; s < row_status_count; ++s) {
        const auto status = static_cast<RowStatus>(s);
        const std::int64_t count = check.counts[static_cast<std::size_t>(s)];
        if (count == 0) continue;
        const std::vector<std::int64_t> rows = first_rows(check.status, status);
        std::string where = fmt::format("{} {}", rows.size() > 1 ? "rows" : "row", fmt::join(rows, ", "));
        if (status == RowStatus::wrong_dim) {
            const auto group = static_cast<std::size_t>(groups.codes[static_cast<std::size_t>(rows.front())]);
            where = fmt::format("row {} has dim {}, its group \"{}\" has {}", rows.front(),
                                vectors.row_dim(rows.front()), groups.keys[group], check.group_dim[group]);
        } else if (count > static_cast<std::int64_t>(rows.size())) {
            where += ", ...";
        }
        text += fmt::format("{}{} {} ({})", separator, count, name(status), where);
        separator = ", ";
    }
    return text;
}

}  // namespace grouplink
