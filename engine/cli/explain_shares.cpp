#include "cli/explain_shares.hpp"

#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace grouplink::cli {
namespace {

constexpr std::size_t most_shown = 30;
constexpr std::size_t most_named = 5;
constexpr std::size_t widest_key = 40;

std::int64_t queries_of(const Plan& share) {
    std::int64_t queries = 0;
    for (const GroupPlan& group : share.groups) queries += group.queries;
    return queries;
}

std::int64_t memory_of(const Plan& share) {
    std::int64_t memory = 0;
    for (const GroupPlan& group : share.groups) memory = std::max(memory, group.memory_bytes);
    return memory;
}

double total_of(const CutPlan& plan) {
    double total = 0.0;
    for (const Plan& share : plan.shares) total += share.cost;
    return total;
}

std::string key_of(const CutPlan& plan, std::int32_t group) {
    const std::string& key = plan.groups.keys[static_cast<std::size_t>(group)];
    return key.empty() && plan.groups.keys.size() == 1 ? "(all rows)" : shorten(key, widest_key);
}

/// The groups that stand in several shares, in the order of the plan, and in how many pieces.
std::vector<std::pair<const GroupPlan*, std::int64_t>> cut_groups(const CutPlan& plan) {
    std::unordered_map<std::int32_t, std::int64_t> pieces;
    for (const Plan& share : plan.shares) {
        for (const GroupPlan& group : share.groups) {
            if (group.queries < group.rows) ++pieces[group.group];
        }
    }
    std::vector<std::pair<const GroupPlan*, std::int64_t>> cut;
    for (const GroupPlan& group : plan.whole.groups) {
        if (const auto found = pieces.find(group.group); found != pieces.end()) {
            cut.emplace_back(&group, found->second);
        }
    }
    return cut;
}

/// Those that cost more than a share and cannot be cut.
std::vector<const GroupPlan*> whole_groups(const CutPlan& plan) {
    std::vector<const GroupPlan*> whole;
    const double mean = total_of(plan) / static_cast<double>(plan.shares.size());
    for (const GroupPlan& group : plan.whole.groups) {
        if (group.cost > mean && !can_be_cut(group)) whole.push_back(&group);
    }
    return whole;
}

/// A line for each of the first groups, and one for the rest.
template <typename Groups, typename Line>
std::string lines_of(const Groups& groups, Line line) {
    std::string out;
    for (std::size_t i = 0; i < std::min(groups.size(), most_named); ++i) out += line(groups[i]);
    if (groups.size() > most_named) {
        out += fmt::format("... and {} more\n",
                           count_text(static_cast<std::int64_t>(groups.size() - most_named)));
    }
    return out;
}

std::string balance_text(const CutPlan& plan) {
    std::vector<std::vector<std::string>> rows;
    const double mean = total_of(plan) / static_cast<double>(plan.shares.size());
    for (std::size_t s = 0; s < std::min(plan.shares.size(), most_shown); ++s) {
        const Plan& share = plan.shares[s];
        rows.push_back({count_text(static_cast<std::int64_t>(s) + 1), count_text(std::ssize(share.groups)),
                        count_text(queries_of(share)), gflop_text(share.cost),
                        mean > 0.0 ? fmt::format("{:.2f}", share.cost / mean) : "",
                        bytes_text(memory_of(share)), bytes_text(share.result_bytes)});
    }
    if (plan.shares.size() > rows.size()) rows.push_back({"...", "", "", "", "", "", ""});
    return table_text({{"share", true},
                       {"groups", true},
                       {"rows", true},
                       {"GFLOP", true},
                       {"of mean", true},
                       {"memory", true},
                       {"links", true}},
                      rows);
}

std::string share_text(const CutPlan& plan, const Plan& share) {
    std::vector<std::vector<std::string>> rows;
    for (const GroupPlan& group : share.groups) {
        if (rows.size() == most_shown) break;
        const bool cut = group.queries < group.rows;
        rows.push_back(
            {key_of(plan, group.group), count_text(group.queries),
             cut ? fmt::format("{} to {} of {}", count_text(group.first_query),
                               count_text(group.first_query + group.queries - 1), count_text(group.rows))
                 : "all",
             std::string(name(group.index)), gflop_text(group.cost)});
    }
    if (share.groups.size() > rows.size()) {
        const auto more = std::ssize(share.groups) - std::ssize(rows);
        rows.push_back({fmt::format("... and {} more", count_text(more)), "", "", "", ""});
    }
    return table_text({{"group"}, {"rows", true}, {"which"}, {"index"}, {"GFLOP", true}}, rows);
}

}  // namespace

std::string shares_text(const CutPlan& plan) {
    double largest = 0.0;
    for (const Plan& share : plan.shares) largest = std::max(largest, share.cost);
    const double total = total_of(plan);
    std::string out = fmt::format("\n{}", balance_text(plan));
    if (largest > 0.0) {
        out += fmt::format(
            "\nRun at once, the shares are done {:.2f} times as fast as the whole job, by {:.2f} times its "
            "work.\n",
            plan.whole.cost / largest, total / plan.whole.cost);
    }
    out += lines_of(cut_groups(plan), [&](const auto& cut) {
        return fmt::format("{} is cut into {} pieces.\n", key_of(plan, cut.first->group),
                           count_text(cut.second));
    });
    out += lines_of(whole_groups(plan), [&](const GroupPlan* group) {
        const std::string why =
            group->index == IndexKind::flat
                ? std::string("is too small to be cut")
                : fmt::format("stays whole, as all {} groups do; --index ivf or flat can be cut",
                              name(group->index));
        return fmt::format("{} costs more than a share and {}.\n", key_of(plan, group->group), why);
    });
    if (plan.asked.index == 0) return out;
    return out + fmt::format("\nShare {} of {}:\n\n{}", count_text(plan.asked.index),
                             count_text(plan.asked.count),
                             share_text(plan, plan.shares[static_cast<std::size_t>(plan.asked.index - 1)]));
}

nlohmann::ordered_json shares_json(const CutPlan& plan) {
    using Json = nlohmann::ordered_json;
    Json shares = Json::array();
    for (std::size_t s = 0; s < plan.shares.size(); ++s) {
        const Plan& share = plan.shares[s];
        const auto index = static_cast<std::int64_t>(s) + 1;
        if (plan.asked.index != 0 && plan.asked.index != index) continue;
        Json groups = Json::array();
        for (const GroupPlan& group : share.groups) {
            groups.push_back(Json{{"key", plan.groups.keys[static_cast<std::size_t>(group.group)]},
                                  {"rows", group.rows},
                                  {"first", group.first_query},
                                  {"searched", group.queries},
                                  {"index", name(group.index)},
                                  {"cost", group.cost}});
        }
        shares.push_back(Json{{"share", index},
                              {"rows", queries_of(share)},
                              {"cost", share.cost},
                              {"memory_bytes", memory_of(share)},
                              {"result_bytes", share.result_bytes},
                              {"groups", groups}});
    }
    return shares;
}

}  // namespace grouplink::cli
