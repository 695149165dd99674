#include "links/mode.hpp"

#include "parallel/workers.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

namespace grouplink {
namespace {

constexpr std::int64_t rows_a_block = 8192;

struct Link {
    float distance;
    std::int64_t target;
    friend auto operator<=>(const Link&, const Link&) = default;
};

/// Read access to what each row keeps.
class Kept {
public:
    Kept(const Neighbors& neighbors, const std::vector<std::int64_t>& kept)
        : neighbors_(neighbors), kept_(kept) {}

    std::int64_t rows() const { return static_cast<std::int64_t>(kept_.size()); }
    std::int64_t count(std::int64_t row) const { return kept_[static_cast<std::size_t>(row)]; }
    Link at(std::int64_t row, std::int64_t i) const {
        const auto place = static_cast<std::size_t>(neighbors_.offsets[static_cast<std::size_t>(row)] + i);
        return {neighbors_.distances[place], neighbors_.targets[place]};
    }

    /// Whether `row` links to `target`, which is `distance` away; both directions have one distance.
    bool has(std::int64_t row, float distance, std::int64_t target) const {
        const Link wanted{distance, target};
        std::int64_t first = 0;
        std::int64_t last = count(row);
        while (first < last) {
            const std::int64_t middle = (first + last) / 2;
            if (at(row, middle) < wanted) {
                first = middle + 1;
            } else {
                last = middle;
            }
        }
        return first < count(row) && at(row, first) == wanted;
    }

private:
    const Neighbors& neighbors_;
    const std::vector<std::int64_t>& kept_;
};

/// counts[row] becomes the offset of row, and one more entry the total.
void counts_to_offsets(std::vector<std::int64_t>& counts) {
    counts.push_back(0);
    std::exclusive_scan(counts.begin(), counts.end(), counts.begin(), std::int64_t{0});
}

/// Moves what each row keeps to the front of the arrays, which `keeps` decides link by link.
template <typename Keeps>
Neighbors compact(Neighbors neighbors, const std::vector<std::int64_t>& kept, Keeps keeps) {
    std::size_t written = 0;
    std::int64_t place = 0;
    for (std::size_t row = 0; row < kept.size(); ++row) {
        const std::int64_t next = neighbors.offsets[row + 1];
        neighbors.offsets[row] = static_cast<std::int64_t>(written);
        for (std::int64_t i = 0; i < kept[row]; ++i) {
            const auto from = static_cast<std::size_t>(place + i);
            if (!keeps(from)) continue;
            neighbors.targets[written] = neighbors.targets[from];
            neighbors.distances[written++] = neighbors.distances[from];
        }
        place = next;
    }
    neighbors.offsets.back() = static_cast<std::int64_t>(written);
    neighbors.targets.resize(written);
    neighbors.distances.resize(written);
    return neighbors;
}

Neighbors mutual_links(Neighbors neighbors, const std::vector<std::int64_t>& kept, int threads,
                       const JobControl& control) {
    const Kept links(neighbors, kept);
    std::vector<std::uint8_t> both_ways(neighbors.targets.size(), 0);
    parallel::for_blocks(links.rows(), rows_a_block, threads, control, "links",
                         [&](std::int64_t first, std::int64_t last, int) {
                             for (std::int64_t row = first; row < last; ++row) {
                                 for (std::int64_t i = 0; i < links.count(row); ++i) {
                                     const Link link = links.at(row, i);
                                     const auto place = neighbors.offsets[static_cast<std::size_t>(row)] + i;
                                     both_ways[static_cast<std::size_t>(place)] =
                                         links.has(link.target, link.distance, row);
                                 }
                             }
                         });
    return compact(std::move(neighbors), kept, [&](std::size_t place) { return both_ways[place] != 0; });
}

Neighbors symmetric_links(const Neighbors& neighbors, const std::vector<std::int64_t>& kept, int threads,
                          const JobControl& control) {
    const Kept links(neighbors, kept);
    // A stage that calls visit(row, link) for the links whose other direction was not found.
    const auto each_one_way = [&](double share, auto visit) {
        return parallel::block_stage(
            links.rows(), rows_a_block,
            [&links, visit](std::int64_t first, std::int64_t last, int) {
                for (std::int64_t row = first; row < last; ++row) {
                    for (std::int64_t i = 0; i < links.count(row); ++i) {
                        const Link link = links.at(row, i);
                        if (!links.has(link.target, link.distance, row)) visit(row, link);
                    }
                }
            },
            share);
    };
    const auto relaxed_add = [](std::int64_t& counter) {
        return std::atomic_ref(counter).fetch_add(1, std::memory_order_relaxed);
    };
    Neighbors result;
    result.offsets = kept;
    std::vector<std::int64_t> next;
    const auto put = [&result](std::int64_t place, const Link& link) {
        result.distances[static_cast<std::size_t>(place)] = link.distance;
        result.targets[static_cast<std::size_t>(place)] = link.target;
    };
    // One piece of work of three stages, so that its progress only ever grows.
    std::vector<parallel::Work> works(1);
    std::vector<parallel::Stage>& stages = works.front().stages;
    const auto add_stage = [&](auto prepare, parallel::Stage stage) {
        stage.begin = [prepare, units = std::move(stage.begin)](int worker) {
            prepare();
            return units(worker);
        };
        stages.push_back(std::move(stage));
    };

    stages.push_back(each_one_way(0.4, [&](std::int64_t, const Link& link) {
        relaxed_add(result.offsets[static_cast<std::size_t>(link.target)]);
    }));
    const auto make_room = [&] {
        counts_to_offsets(result.offsets);
        result.targets.resize(static_cast<std::size_t>(result.offsets.back()));
        result.distances.resize(result.targets.size());
        next.assign(result.offsets.begin(), result.offsets.end() - 1);
        for (std::int64_t row = 0; row < links.rows(); ++row) {
            std::int64_t& place = next[static_cast<std::size_t>(row)];
            for (std::int64_t i = 0; i < links.count(row); ++i) put(place++, links.at(row, i));
        }
    };
    // Which place a returned link takes is a matter of chance until the row is sorted.
    add_stage(make_room, each_one_way(0.4, [&](std::int64_t row, const Link& link) {
                  put(relaxed_add(next[static_cast<std::size_t>(link.target)]), {link.distance, row});
              }));
    const auto sort_rows = [&](std::int64_t first, std::int64_t last, int) {
        std::vector<Link> sorted;
        for (std::int64_t row = first; row < last; ++row) {
            const auto begin = result.offsets[static_cast<std::size_t>(row)];
            const auto end = result.offsets[static_cast<std::size_t>(row) + 1];
            sorted.clear();
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                sorted.push_back({result.distances[i], result.targets[i]});
            std::sort(sorted.begin(), sorted.end());
            for (std::int64_t i = begin; i < end; ++i) put(i, sorted[static_cast<std::size_t>(i - begin)]);
        }
    };
    const auto drop_places = [&] { next = {}; };
    add_stage(drop_places, parallel::block_stage(links.rows(), rows_a_block, sort_rows, 0.2));
    parallel::run_all(std::move(works), threads, control, "links");
    return result;
}

}  // namespace

Neighbors apply_mode(Neighbors neighbors, const std::vector<std::int64_t>& kept, LinkMode mode, int threads,
                     const JobControl& control) {
    switch (mode) {
        case LinkMode::directed:
            if (std::accumulate(kept.begin(), kept.end(), std::int64_t{0}) == std::ssize(neighbors.targets))
                return neighbors;
            break;
        case LinkMode::mutual: return mutual_links(std::move(neighbors), kept, threads, control);
        case LinkMode::symmetric: return symmetric_links(neighbors, kept, threads, control);
    }
    return compact(std::move(neighbors), kept, [](std::size_t) { return true; });
}

}  // namespace grouplink
