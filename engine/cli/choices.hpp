#pragma once

#include "nearest_name.hpp"

#include <grouplink/io.hpp>
#include <grouplink/options.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink::cli {

// The values of the flags that take one of a few names, once for what judges, lists and completes them.

inline constexpr auto metrics =
    std::to_array({Metric::angular, Metric::euclidean, Metric::manhattan, Metric::hamming, Metric::dot});
inline constexpr auto similarities =
    std::to_array({Similarity::angular, Similarity::half_cosine, Similarity::cosine});
inline constexpr auto quantile_scopes = std::to_array({QuantileScope::all, QuantileScope::group});
inline constexpr auto link_modes = std::to_array({LinkMode::directed, LinkMode::mutual, LinkMode::symmetric});
inline constexpr auto index_kinds = std::to_array(
    {IndexKind::automatic, IndexKind::flat, IndexKind::ivf, IndexKind::hnsw, IndexKind::partition});
inline constexpr auto bad_row_policies = std::to_array({BadRowPolicy::error, BadRowPolicy::drop});
inline constexpr auto layouts = std::to_array({Layout::edges, Layout::lists});
inline constexpr auto shells = std::to_array<std::string_view>({"bash", "zsh", "fish"});

inline std::string_view name(Layout layout) { return layout == Layout::lists ? "lists" : "edges"; }
inline std::string_view name(std::string_view text) { return text; }

template <typename Value, std::size_t count>
std::vector<std::string_view> names_of(const std::array<Value, count>& values) {
    std::vector<std::string_view> names;
    for (const Value value : values) names.push_back(name(value));
    return names;
}

/// What other programs call a value, compared by plain_name(): "cosine" of "metric" is "angular". Empty where
/// nothing is known. `option` goes without dashes.
inline std::string_view other_name(std::string_view option, std::string_view typed) {
    struct OtherName {
        std::string_view option;
        std::string_view typed;
        std::string_view meant;
    };
    constexpr auto other_names = std::to_array<OtherName>({
        {"metric", "cosine", "angular"},
        {"metric", "cos", "angular"},
        {"metric", "l2", "euclidean"},
        {"metric", "l1", "manhattan"},
        {"metric", "cityblock", "manhattan"},
        {"metric", "ip", "dot"},
        {"metric", "inner-product", "dot"},
        {"index", "exact", "flat"},
        {"index", "brute", "flat"},
        {"links", "undirected", "symmetric"},
    });
    const std::string plain = plain_name(typed);
    for (const OtherName& other : other_names) {
        if (other.option == option && other.typed == plain) return other.meant;
    }
    return {};
}

}  // namespace grouplink::cli
