#include "annoy.hpp"
#include "harness.hpp"
#include "peers.hpp"

#include <algorithm>

namespace bench {

Neighbors annoy(const Dataset& data, std::int64_t k, int threads, int trees, int search_k) {
    Neighbors out{.k = k, .targets = {}};
    out.targets.assign(static_cast<std::size_t>(data.vectors.rows * k), -1);
    for_each(data.group_count(), threads, [&](std::int64_t place) {
        const std::int64_t group = data.by_size[static_cast<std::size_t>(place)];
        const auto rows = data.group_rows(group);
        if (rows.size() < 2) return;
        const auto dim = static_cast<std::size_t>(data.vectors.dim);
        std::vector<float> row(dim);
        AnnoyOf<Annoy::Angular> index(static_cast<int>(dim));
        for (std::size_t i = 0; i < rows.size(); ++i) {
            widen_row(data.vectors, rows[i], row.data());
            index.add_item(static_cast<std::int32_t>(i), row.data());
        }
        index.build(trees, 1);
        std::vector<std::int32_t> found;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            found.clear();
            index.get_nns_by_item(static_cast<std::int32_t>(i), static_cast<std::size_t>(k) + 1, search_k,
                                  &found, nullptr);
            std::int64_t* to = out.targets.data() + rows[i] * k;
            std::int64_t kept = 0;
            for (const auto neighbor : found) {
                if (static_cast<std::size_t>(neighbor) == i || kept == k) continue;
                to[kept++] = rows[static_cast<std::size_t>(neighbor)];
            }
        }
    });
    return out;
}

}  // namespace bench
