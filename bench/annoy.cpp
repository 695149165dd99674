#include "annoy.hpp"
#include "harness.hpp"
#include "peers.hpp"

#include <algorithm>

namespace bench {
namespace {

/// One group's neighbors, on `threads` threads.
template <class Policy>
void link_group(const Dataset& data, std::int64_t group, int threads, int trees, int search_k,
                Neighbors& out) {
    const auto rows = data.group_rows(group);
    if (rows.size() < 2) return;
    const auto dim = static_cast<std::size_t>(data.vectors.dim);
    std::vector<float> row(dim);
    AnnoyOf<Annoy::Angular, float, Policy> index(static_cast<int>(dim));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        widen_row(data.vectors, rows[i], row.data());
        index.add_item(static_cast<std::int32_t>(i), row.data());
    }
    index.build(trees, threads);
    const auto search = [&](std::size_t i) {
        std::vector<std::int32_t> found;
        index.get_nns_by_item(static_cast<std::int32_t>(i), static_cast<std::size_t>(out.k) + 1, search_k,
                              &found, nullptr);
        std::int64_t* to = out.targets.data() + rows[i] * out.k;
        std::int64_t kept = 0;
        for (const auto neighbor : found) {
            if (static_cast<std::size_t>(neighbor) == i || kept == out.k) continue;
            to[kept++] = rows[static_cast<std::size_t>(neighbor)];
        }
    };
    if (threads == 1) {
        for (std::size_t i = 0; i < rows.size(); ++i) search(i);
    } else {
        for_each(static_cast<std::int64_t>(rows.size()), threads,
                 [&](std::int64_t i) { search(static_cast<std::size_t>(i)); });
    }
}

}  // namespace

Neighbors annoy(const Dataset& data, std::int64_t k, int threads, int trees, int search_k) {
    Neighbors out{.k = k, .targets = {}};
    out.targets.assign(static_cast<std::size_t>(data.vectors.rows * k), -1);
    if (data.group_count() == 1) {
        link_group<Annoy::AnnoyIndexMultiThreadedBuildPolicy>(data, 0, threads, trees, search_k, out);
        return out;
    }
    for_each(data.group_count(), threads, [&](std::int64_t place) {
        link_group<Annoy::AnnoyIndexSingleThreadedBuildPolicy>(
            data, data.by_size[static_cast<std::size_t>(place)], 1, trees, search_k, out);
    });
    return out;
}

}  // namespace bench
