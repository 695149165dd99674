#include "parts/parts.hpp"

#include "parallel/workers.hpp"
#include "parts/same_job.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace grouplink {
namespace {

/// A range of a part, and where its rows and their neighbors stand there.
struct Piece {
    const LinkPart* part;
    PartRange range;
    const GroupReport* report;
    std::int64_t neighbors;  ///< of each row
    std::size_t first_row;
    std::size_t first_neighbor;

    std::span<const std::int64_t> rows() const {
        return part->rows.subspan(first_row, static_cast<std::size_t>(range.count));
    }
};

[[noreturn]] void fail(const LinkPart& part, const std::string& what) {
    throw Error(ErrorCode::bad_input, fmt::format("{}: {}; link its share anew", part.name, what));
}

void add_pieces(const LinkPart& part, std::vector<Piece>& pieces) {
    const auto count = static_cast<std::int64_t>(part.rows.size());
    if (part.ranges.size() != part.report.groups.size())
        fail(part, "its groups and their ranges differ in number");
    if (part.targets.size() != part.distances.size())
        fail(part, "its targets and distances differ in number");
    std::size_t row = 0;
    std::size_t neighbor = 0;
    for (std::size_t i = 0; i < part.ranges.size(); ++i) {
        const PartRange& range = part.ranges[i];
        const GroupReport& report = part.report.groups[i];
        if (range.group < 0 || range.group >= part.groups) fail(part, "it has a group that the job has not");
        if (report.valid_rows < 0 || range.count < 0 ||
            range.count > count - static_cast<std::int64_t>(row)) {
            fail(part, "its groups have more rows than it");
        }
        const std::int64_t neighbors =
            std::max<std::int64_t>(0, std::min(part.report.options.n_nearest, report.valid_rows - 1));
        const std::size_t left = part.targets.size() - neighbor;
        if (range.count > 0 && neighbors > static_cast<std::int64_t>(left) / range.count) {
            fail(part, "its rows have more neighbors than it");
        }
        pieces.push_back({&part, range, &report, neighbors, row, neighbor});
        row += static_cast<std::size_t>(range.count);
        neighbor += static_cast<std::size_t>(range.count * neighbors);
    }
    if (row != part.rows.size() || neighbor != part.targets.size()) {
        fail(part, "it has rows or neighbors of no group");
    }
}

/// All pieces, by group and row; those of a group are all of its rows.
std::vector<Piece> pieces_of(std::span<const LinkPart> parts) {
    std::vector<Piece> pieces;
    for (const LinkPart& part : parts) add_pieces(part, pieces);
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
        return std::tuple(a.range.group, a.range.first, a.range.count) <
               std::tuple(b.range.group, b.range.first, b.range.count);
    });
    std::int64_t groups = 0;
    std::int64_t covered = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const Piece& piece = pieces[i];
        const bool begins = i == 0 || piece.range.group != pieces[i - 1].range.group;
        if (begins) {
            if (piece.range.group != groups++)
                fail(*piece.part, "a group before one of its groups is missing");
            covered = 0;
        } else {
            const GroupReport& other = *pieces[i - 1].report;
            const GroupReport& report = *piece.report;
            if (report.key != other.key || report.rows != other.rows || report.dim != other.dim ||
                report.valid_rows != other.valid_rows || report.index != other.index) {
                fail(*piece.part, fmt::format("it has another group {} than {}", piece.range.group,
                                              pieces[i - 1].part->name));
            }
        }
        if (piece.range.first != covered)
            fail(*piece.part, "its rows and those of the other parts overlap or leave gaps");
        covered += piece.range.count;
        const bool ends = i + 1 == pieces.size() || piece.range.group != pieces[i + 1].range.group;
        if (ends && covered != piece.report->valid_rows)
            fail(*piece.part, "rows of its last group are missing");
    }
    if (groups != parts.front().groups) fail(parts.front(), "the last groups of the job are missing");
    return pieces;
}

std::vector<RowStatus> join_status(std::span<const LinkPart> parts) {
    std::vector<RowStatus> status;
    for (const LinkPart& part : parts) {
        const RowSlice slice = rows_of_part(part.report.shard, part.report.rows);
        if (std::ssize(part.row_status) != slice.last - slice.first)
            fail(part, "it has not the status of its rows");
    }
    status.resize(static_cast<std::size_t>(parts.front().report.rows));
    for (const LinkPart& part : parts) {
        const RowSlice slice = rows_of_part(part.report.shard, part.report.rows);
        for (const RowStatus one : part.row_status) {
            if (static_cast<int>(one) >= row_status_count) fail(part, "it has a status that is unknown");
        }
        std::copy(part.row_status.begin(), part.row_status.end(), status.begin() + slice.first);
    }
    return status;
}

/// Each row that takes part must be there once.
RowsByGroup join_rows(std::span<const Piece> pieces, std::vector<RowStatus> status, std::int64_t groups) {
    RowsByGroup grouped;
    grouped.offsets.assign(static_cast<std::size_t>(groups) + 1, 0);
    const auto rows = static_cast<std::int64_t>(status.size());
    grouped.rows.reserve(status.size());
    for (const Piece& piece : pieces) {
        std::int64_t before = piece.range.first > 0 ? grouped.rows.back() : -1;
        for (const std::int64_t row : piece.rows()) {
            if (row <= before || row >= rows) fail(*piece.part, "its rows are out of order");
            if (std::exchange(status[static_cast<std::size_t>(row)], RowStatus::null_group) !=
                RowStatus::ok) {
                fail(*piece.part, fmt::format("its row {} takes no part in the job, or is there twice", row));
            }
            grouped.rows.push_back(row);
            before = row;
        }
        grouped.offsets[static_cast<std::size_t>(piece.range.group) + 1] = std::ssize(grouped.rows);
    }
    return grouped;
}

Neighbors join_neighbors(std::span<const Piece> pieces, std::int64_t rows, int threads,
                         const JobControl& control) {
    Neighbors all;
    all.offsets.assign(static_cast<std::size_t>(rows) + 1, 0);
    for (const Piece& piece : pieces) {
        for (const std::int64_t row : piece.rows())
            all.offsets[static_cast<std::size_t>(row) + 1] = piece.neighbors;
    }
    for (std::size_t row = 1; row < all.offsets.size(); ++row) all.offsets[row] += all.offsets[row - 1];
    all.targets.resize(static_cast<std::size_t>(all.offsets.back()));
    all.distances.resize(all.targets.size());

    const auto copy = [&](const Piece& piece) {
        const LinkPart& part = *piece.part;
        std::size_t from = piece.first_neighbor;
        for (const std::int64_t row : piece.rows()) {
            auto to = static_cast<std::size_t>(all.offsets[static_cast<std::size_t>(row)]);
            for (std::int64_t n = 0; n < piece.neighbors; ++n, ++from, ++to) {
                const std::int64_t target = part.targets[from];
                const float distance = part.distances[from];
                const bool ordered = n == 0 || std::pair(part.distances[from - 1], part.targets[from - 1]) <
                                                   std::pair(distance, target);
                if (target < 0 || target >= rows || target == row || !std::isfinite(distance) || !ordered) {
                    fail(part, fmt::format("its neighbors of row {} make no sense", row));
                }
                all.targets[to] = target;
                all.distances[to] = distance;
            }
        }
    };
    constexpr std::int64_t pieces_a_block = 64;
    parallel::for_blocks(std::ssize(pieces), pieces_a_block, threads, control, "join",
                         [&](std::int64_t first, std::int64_t last, int) {
                             for (std::int64_t i = first; i < last; ++i)
                                 copy(pieces[static_cast<std::size_t>(i)]);
                         });
    return all;
}

void join_reports(std::span<const LinkPart> parts, std::span<const Piece> pieces, Report& report) {
    const Report& first = parts.front().report;
    report.version = first.version;
    report.options = first.options;
    report.mapping = first.mapping;
    report.rows = first.rows;
    std::set<std::string> isas;
    for (const LinkPart& part : parts) {
        isas.insert(part.report.isa);
        report.duplicate_rows += part.report.duplicate_rows;
        report.scored_pairs += part.report.scored_pairs;
        report.researched_rows += part.report.researched_rows;
    }
    report.isa = fmt::format("{}", fmt::join(isas, ", "));
    bool approximate = false;
    for (const Piece& piece : pieces) {
        approximate = approximate || piece.report->search;
        if (piece.range.group < std::ssize(report.groups)) {
            GroupReport& group = report.groups.back();
            group.planned_cost += piece.report->planned_cost;
            group.planned_memory_bytes =
                std::max(group.planned_memory_bytes, piece.report->planned_memory_bytes);
            continue;
        }
        report.groups.push_back(*piece.report);
    }
    if (approximate && isas.size() > 1) {
        report.notes.push_back(
            fmt::format("the shares ran on different instruction sets ({}): links of approximate groups may "
                        "differ from those of a single run",
                        report.isa));
    }
}

}  // namespace

Found join_parts(std::span<const LinkPart> parts, int threads, const JobControl& control) {
    check_same_job(parts);
    const std::vector<Piece> pieces = pieces_of(parts);
    Found found;
    join_reports(parts, pieces, found.report);
    found.row_status = join_status(parts);
    for (const RowStatus status : found.row_status)
        ++found.report.row_status[static_cast<std::size_t>(status)];
    for (const GroupReport& group : found.report.groups) found.group_dim.push_back(group.dim);
    found.grouped = join_rows(pieces, found.row_status, parts.front().groups);
    if (std::ssize(found.grouped.rows) != found.report.row_status[0]) {
        fail(parts.front(), "rows that take part in the job are in none of the parts");
    }
    found.neighbors = join_neighbors(pieces, found.report.rows, threads, control);
    return found;
}

}  // namespace grouplink
