#include "parts/parts.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace grouplink {
namespace {

struct Owned {
    std::vector<RowStatus> row_status;
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> targets;
    std::vector<float> distances;
};

}  // namespace

RowSlice rows_of_part(const Shard& shard, std::int64_t rows) {
    const auto first_of = [&](std::int64_t before) {
        return rows / shard.count * before + std::min(before, rows % shard.count);
    };
    return {first_of(shard.index - 1), first_of(shard.index)};
}

LinkPart make_part(Found found) {
    LinkPart part;
    part.groups = std::ssize(found.report.groups);
    part.ranges = std::move(found.searched);
    std::sort(part.ranges.begin(), part.ranges.end(), [](const PartRange& a, const PartRange& b) {
        return std::pair(a.group, a.first) < std::pair(b.group, b.first);
    });

    auto owned = std::make_shared<Owned>();
    const RowSlice slice = rows_of_part(found.report.shard, found.report.rows);
    owned->row_status.assign(found.row_status.begin() + slice.first, found.row_status.begin() + slice.last);
    const Neighbors& neighbors = found.neighbors;
    owned->targets.reserve(neighbors.targets.size());
    owned->distances.reserve(neighbors.distances.size());
    std::vector<GroupReport> reports;
    for (const PartRange& range : part.ranges) {
        const std::size_t before = owned->targets.size();
        const auto rows =
            found.grouped.group(range.group)
                .subspan(static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.count));
        for (const std::int64_t row : rows) {
            const std::int64_t first = neighbors.offsets[static_cast<std::size_t>(row)];
            const std::int64_t last = neighbors.offsets[static_cast<std::size_t>(row) + 1];
            owned->rows.push_back(row);
            owned->targets.insert(owned->targets.end(), neighbors.targets.begin() + first,
                                  neighbors.targets.begin() + last);
            owned->distances.insert(owned->distances.end(), neighbors.distances.begin() + first,
                                    neighbors.distances.begin() + last);
        }
        reports.push_back(found.report.groups[static_cast<std::size_t>(range.group)]);
        reports.back().links = static_cast<std::int64_t>(owned->targets.size() - before);
    }
    part.report = std::move(found.report);
    part.report.groups = std::move(reports);
    part.report.links_found = std::ssize(owned->targets);
    part.row_status = owned->row_status;
    part.rows = owned->rows;
    part.targets = owned->targets;
    part.distances = owned->distances;
    part.storage = std::move(owned);
    return part;
}

}  // namespace grouplink
