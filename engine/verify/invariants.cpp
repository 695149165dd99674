#include "verify/invariants.hpp"

#include "links/similarity.hpp"
#include "parallel/workers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

namespace grouplink::verify {
namespace {

constexpr std::int64_t rows_a_block = 1024;

/// In the order of the report.
enum class Kind : std::uint8_t {
    targets,
    self_links,
    groups,
    bad_rows,
    duplicates,
    order,
    degree,
    both_ways,
    threshold,
    weights,
};
constexpr auto kind_names =
    std::to_array<std::string_view>({"targets", "self-links", "groups", "bad-rows", "duplicates", "order",
                                     "degree", "both-ways", "similarity-min", "weights"});

/// Where a check fails first, and how often. What the numbers are differs from check to check.
struct Finding {
    std::int64_t broken = 0;
    std::size_t place = std::numeric_limits<std::size_t>::max();  ///< of the link
    std::int64_t row = 0;
    std::int64_t target = 0;
    double got = 0.0;
    double wanted = 0.0;

    Finding& operator+=(const Finding& other) {
        const std::int64_t both = broken + other.broken;
        if (other.place < place) *this = other;
        broken = both;
        return *this;
    }
};

using Findings = std::array<Finding, kind_names.size()>;

Finding& at(Findings& findings, Kind kind) { return findings[static_cast<std::size_t>(kind)]; }

/// Empty, or what is wrong with the offsets.
std::string offsets_fault(const CsrGraph& links, std::int64_t rows) {
    if (links.rows() != rows) {
        return fmt::format("links of {} rows, the input has {}", links.rows(), rows);
    }
    const auto targets = static_cast<std::int64_t>(links.targets.size());
    const auto weights = static_cast<std::int64_t>(links.weights.size());
    const std::int64_t begin = links.offsets.empty() ? 0 : links.offsets.front();
    if (begin != 0) return fmt::format("they begin at {}, not at 0", begin);
    for (std::size_t row = 0; row + 1 < links.offsets.size(); ++row) {
        if (links.offsets[row + 1] >= links.offsets[row]) continue;
        return fmt::format("they decrease at row {}, from {} to {}", row, links.offsets[row],
                           links.offsets[row + 1]);
    }
    const std::int64_t end = links.offsets.empty() ? 0 : links.offsets.back();
    if (end == targets && end == weights) return {};
    return fmt::format("they end at {}, but there are {} targets and {} weights", end, targets, weights);
}

/// The links of each row by target: (target, weight).
std::vector<std::pair<std::int64_t, float>> links_by_target(const Subject& subject, int threads,
                                                            const JobControl& control) {
    const CsrGraph& links = subject.links;
    std::vector<std::pair<std::int64_t, float>> sorted(links.targets.size());
    parallel::for_blocks(links.rows(), rows_a_block, threads, control, "sort",
                         [&](std::int64_t first_row, std::int64_t last_row, int) {
                             for (std::int64_t row = first_row; row < last_row; ++row) {
                                 const std::size_t first = subject.first(row);
                                 const std::size_t last = first + subject.count(row);
                                 for (std::size_t i = first; i < last; ++i)
                                     sorted[i] = {links.targets[i], links.weights[i]};
                                 const auto begin = sorted.begin() + static_cast<std::ptrdiff_t>(first);
                                 std::sort(begin, begin + static_cast<std::ptrdiff_t>(last - first),
                                           [](const auto& a, const auto& b) { return a.first < b.first; });
                             }
                         });
    return sorted;
}

/// Takes rows through all checks; one for each worker.
class RowChecker {
public:
    RowChecker(const Subject& subject, double least_weight,
               const std::vector<std::pair<std::int64_t, float>>& by_target)
        : subject_(subject), least_weight_(least_weight), by_target_(by_target) {}

    void check(std::int64_t row) {
        const std::size_t count = subject_.count(row);
        if (count == 0) return;
        const bool linkable = subject_.status_of(row) == RowStatus::ok;
        if (!linkable) note(Kind::bad_rows, row, 0, -1);
        if (subject_.options.links != LinkMode::symmetric &&
            static_cast<std::int64_t>(count) > subject_.options.n_nearest) {
            note(Kind::degree, row, 0, 0, static_cast<double>(count));
        }
        check_duplicates(row);
        load_row(row, linkable);
        double previous = std::numeric_limits<double>::quiet_NaN();
        for (std::size_t i = 0; i < count; ++i) previous = check_link(row, i, previous);
    }

    Findings& findings() { return findings_; }

private:
    void note(Kind kind, std::int64_t row, std::size_t i, std::int64_t target, double got = 0.0,
              double wanted = 0.0) {
        at(findings_, kind) += {1, subject_.first(row) + i, row, target, got, wanted};
    }

    void check_duplicates(std::int64_t row) {
        const auto targets = subject_.targets(row);
        sorted_.assign(targets.begin(), targets.end());
        std::sort(sorted_.begin(), sorted_.end());
        for (std::size_t i = 1; i < sorted_.size(); ++i) {
            if (sorted_[i] == sorted_[i - 1]) note(Kind::duplicates, row, 0, sorted_[i]);
        }
    }

    void load_row(std::int64_t row, bool linkable) {
        if (!linkable) return;
        dim_ = static_cast<std::size_t>(subject_.vectors.row_dim(row));
        x_.resize(knn::RowScorer::loaded_size(dim_));
        y_.resize(knn::RowScorer::loaded_size(dim_));
        subject_.scorer.load(row, x_.data());
    }

    /// Returns the link's canonical distance, or NaN when it has none; `previous` is that of the link before.
    double check_link(std::int64_t row, std::size_t i, double previous) {
        const std::size_t place = subject_.first(row) + i;
        const std::int64_t target = subject_.links.targets[place];
        const auto weight = static_cast<double>(subject_.links.weights[place]);
        if (!(weight >= least_weight_)) note(Kind::threshold, row, i, target, weight);
        if (i > 0) {
            const auto before = static_cast<double>(subject_.links.weights[place - 1]);
            if (weight > before) note(Kind::order, row, i, target, weight, before);
        }
        if (!subject_.in_range(target)) {
            note(Kind::targets, row, i, target);
        } else if (row == target) {
            note(Kind::self_links, row, i, target);
        } else {
            const std::int32_t group = subject_.group_of(row);
            const std::int32_t other = subject_.group_of(target);
            if (group >= 0 && other >= 0 && group != other) note(Kind::groups, row, i, target);
            if (subject_.status_of(target) != RowStatus::ok) note(Kind::bad_rows, row, i, target);
            check_way_back(row, i, target);
        }
        if (!subject_.has_score(row, target)) return std::numeric_limits<double>::quiet_NaN();
        return check_score(row, i, target, previous);
    }

    double check_score(std::int64_t row, std::size_t i, std::int64_t target, double previous) {
        const std::size_t place = subject_.first(row) + i;
        subject_.scorer.load(target, y_.data());
        const float distance = subject_.scorer.distance(x_.data(), y_.data(), dim_);
        const std::int32_t group = subject_.group_of(row);
        const WeightOf weight_of(subject_.options, static_cast<double>(subject_.dim_of(group)));
        const auto wanted = static_cast<double>(weight_of(distance));
        const auto weight = static_cast<double>(subject_.links.weights[place]);
        // Not above it: a NaN fails.
        if (!(std::abs(weight - wanted) <= slack(wanted))) {
            note(Kind::weights, row, i, target, weight, wanted);
        }
        if (i > 0 && static_cast<double>(distance) == previous &&
            subject_.links.targets[place - 1] > target &&
            subject_.links.weights[place - 1] >= subject_.links.weights[place]) {
            note(Kind::order, row, i, target, weight, weight);
        }
        return static_cast<double>(distance);
    }

    void check_way_back(std::int64_t row, std::size_t i, std::int64_t target) {
        if (subject_.options.links == LinkMode::directed) return;
        const auto begin = by_target_.begin() + static_cast<std::ptrdiff_t>(subject_.first(target));
        const auto end = begin + static_cast<std::ptrdiff_t>(subject_.count(target));
        const auto back = std::lower_bound(
            begin, end, row, [](const auto& link, std::int64_t wanted) { return link.first < wanted; });
        const auto weight = static_cast<double>(subject_.links.weights[subject_.first(row) + i]);
        if (back == end || back->first != row) {
            note(Kind::both_ways, row, i, target, weight, std::numeric_limits<double>::quiet_NaN());
        } else if (back->second != subject_.links.weights[subject_.first(row) + i]) {
            note(Kind::both_ways, row, i, target, weight, static_cast<double>(back->second));
        }
    }

    const Subject& subject_;
    double least_weight_;
    const std::vector<std::pair<std::int64_t, float>>& by_target_;
    std::vector<std::int64_t> sorted_;
    std::size_t dim_ = 0;
    std::vector<double> x_;
    std::vector<double> y_;
    Findings findings_{};
};

/// Weights as they are written: the digits that tell one float32 from the next.
std::string weight_text(double weight) { return fmt::format("{}", static_cast<float>(weight)); }

std::string describe(Kind kind, const Finding& found, const Subject& subject, double least_weight,
                     const std::function<std::string(std::int64_t)>& row_name) {
    const std::string row = row_name(found.row);
    const auto target = [&] { return row_name(found.target); };
    const auto key = [&](std::int64_t of) {
        return subject.groups.keys[static_cast<std::size_t>(subject.group_of(of))];
    };
    switch (kind) {
        case Kind::targets:
            return fmt::format("{} links to row {}, the last row is {}", row, found.target,
                               subject.vectors.rows - 1);
        case Kind::self_links: return fmt::format("{} links to itself", row);
        case Kind::groups:
            return fmt::format("{} of group \"{}\" links to {} of group \"{}\"", row, key(found.row),
                               target(), key(found.target));
        case Kind::bad_rows:
            if (found.target < 0) {
                return fmt::format("{} is {}, and has links", row, name(subject.status_of(found.row)));
            }
            return fmt::format("{} links to {}, which is {}", row, target(),
                               name(subject.status_of(found.target)));
        case Kind::duplicates:
            return subject.in_range(found.target)
                       ? fmt::format("{} links to {} more than once", row, target())
                       : fmt::format("{} links to row {} more than once", row, found.target);
        case Kind::order:
            if (found.got == found.wanted) {
                return fmt::format("{} links to {} after a row of a higher number and the same score", row,
                                   target());
            }
            return fmt::format("{} has a link of weight {} after one of {}", row, weight_text(found.got),
                               weight_text(found.wanted));
        case Kind::degree:
            return fmt::format("{} has {} links, n-nearest is {}", row, found.got, subject.options.n_nearest);
        case Kind::both_ways:
            if (std::isnan(found.wanted)) {
                return fmt::format("{} links to {}, which does not link back", row, target());
            }
            return fmt::format("{} links to {} with weight {}, and back it is {}", row, target(),
                               weight_text(found.got), weight_text(found.wanted));
        case Kind::threshold:
            return fmt::format("{} has a link of weight {}, the least allowed is {}", row,
                               weight_text(found.got), least_weight);
        case Kind::weights:
            return fmt::format("{} links to {} with weight {}, it should be {}", row, target(),
                               weight_text(found.got), weight_text(found.wanted));
    }
    return {};
}

}  // namespace

std::vector<VerifyCheck> check_links(const Subject& subject, double least_weight,
                                     const std::function<std::string(std::int64_t)>& row_name, int threads,
                                     const JobControl& control) {
    std::vector<VerifyCheck> checks;
    const std::string fault = offsets_fault(subject.links, subject.vectors.rows);
    const bool sound = fault.empty();
    checks.push_back({"offsets", sound ? CheckState::ok : CheckState::broken, sound ? 0 : 1, fault});

    Findings findings{};
    const bool two_ways = subject.options.links != LinkMode::directed;
    if (sound) {
        std::vector<std::pair<std::int64_t, float>> by_target;
        if (two_ways) by_target = links_by_target(subject, threads, control);
        std::vector<RowChecker> checkers(static_cast<std::size_t>(threads),
                                         RowChecker(subject, least_weight, by_target));
        parallel::for_blocks(subject.links.rows(), rows_a_block, threads, control, "verify",
                             [&](std::int64_t first, std::int64_t last, int worker) {
                                 for (std::int64_t row = first; row < last; ++row) {
                                     checkers[static_cast<std::size_t>(worker)].check(row);
                                 }
                             });
        for (RowChecker& checker : checkers) {
            for (std::size_t kind = 0; kind < findings.size(); ++kind) {
                findings[kind] += checker.findings()[kind];
            }
        }
    }
    for (std::size_t i = 0; i < findings.size(); ++i) {
        const auto kind = static_cast<Kind>(i);
        const Finding& found = findings[i];
        VerifyCheck& check = checks.emplace_back();
        check.name = kind_names[i];
        if (!sound || (kind == Kind::both_ways && !two_ways) ||
            (kind == Kind::degree && subject.options.links == LinkMode::symmetric)) {
            check.state = CheckState::skipped;
        } else if (found.broken > 0) {
            check.state = CheckState::broken;
            check.broken = found.broken;
            check.first = describe(kind, found, subject, least_weight, row_name);
        }
    }
    return checks;
}

}  // namespace grouplink::verify
