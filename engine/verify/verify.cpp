#include <grouplink/verify.hpp>

#include <grouplink/error.hpp>

#include "kernels/kernels.hpp"
#include "parallel/workers.hpp"
#include "rows/check.hpp"
#include "rows/groups.hpp"
#include "verify/invariants.hpp"
#include "verify/recall.hpp"
#include "verify/subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace grouplink {
namespace {

void validate(const VerifyOptions& options) {
    grouplink::validate(options.links);
    if (options.sample < 0) {
        throw Error(ErrorCode::invalid_options,
                    fmt::format("sample: got {}, wants a number of rows >= 0", options.sample));
    }
    if (!(options.recall_min >= 0.0 && options.recall_min <= 1.0)) {
        throw Error(ErrorCode::invalid_options,
                    fmt::format("recall_min: got {}, wants a number from 0 to 1", options.recall_min));
    }
}

/// What the links of each group had to weigh. A quantile whose cut is not known is taken from the links:
/// none was kept below it, and with each other nothing tells how far below them it was.
std::vector<double> group_cuts(const verify::Subject& subject, const VerifyOptions& options) {
    const LinkOptions& links = options.links;
    const double known = std::max(links.similarity_min, options.cut.value_or(links.similarity_min));
    std::vector<double> cuts(subject.groups.keys.size(), known);
    const bool by_group = links.quantile_scope == QuantileScope::group;
    if (links.similarity_min_q == 0.0 || (options.cut && !by_group)) return cuts;
    std::vector<double> least(cuts.size(), std::numeric_limits<double>::infinity());
    for (std::int64_t row = 0; row < subject.vectors.rows; ++row) {
        if (subject.group_of(row) < 0) continue;
        double& of_group = least[static_cast<std::size_t>(subject.group_of(row))];
        for (std::size_t i = subject.first(row); i < subject.first(row + 1); ++i) {
            of_group = std::min(of_group, static_cast<double>(subject.links.weights[i]));
        }
    }
    if (!by_group && !least.empty()) {
        std::fill(least.begin(), least.end(), *std::min_element(least.begin(), least.end()));
    }
    for (std::size_t g = 0; g < cuts.size(); ++g) cuts[g] = std::max(cuts[g], least[g]);
    return cuts;
}

std::string plain_row_name(std::int64_t row) { return fmt::format("row {}", row); }

}  // namespace

std::string_view name(CheckState state) noexcept {
    switch (state) {
        case CheckState::ok: return "ok";
        case CheckState::broken: return "broken";
        case CheckState::skipped: return "skipped";
    }
    return "";
}

VerifyResult verify_links(const MatrixView& vectors, const GroupColumn& groups, const CsrGraph& links,
                          const VerifyOptions& options, const JobControl& job) {
    validate(options);
    check_shapes(vectors, groups);
    const JobControl control = parallel::count_rows(job, vectors.rows);
    const int threads = parallel::resolve_threads(options.links.threads);
    const RowCheck rows = check_rows(vectors, groups, options.links.metric, threads, control);
    const knn::RowScorer scorer(vectors, options.links.metric, kernels::best());
    const verify::Subject subject{vectors, groups, links, rows, options.links, scorer};
    const double least_weight =
        std::max(options.links.similarity_min, options.cut.value_or(options.links.similarity_min));

    VerifyResult result;
    result.checks = verify::check_links(
        subject, least_weight, options.row_name ? options.row_name : plain_row_name, threads, control);
    VerifyCheck recall{.name = "recall", .state = CheckState::skipped};
    if (result.checks.front().state == CheckState::ok) {
        result.recall = verify::measure_recall(subject, rows_by_group(groups, rows.status),
                                               group_cuts(subject, options), options, threads, control);
        if (result.recall.rows > 0) recall.state = CheckState::ok;
        if (result.recall.recall < options.recall_min) {
            recall.state = CheckState::broken;
            recall.broken = result.recall.expected - result.recall.found;
            recall.first = fmt::format("recall is {:.4f}, at least {} is wanted", result.recall.recall,
                                       options.recall_min);
        }
    }
    result.checks.push_back(std::move(recall));
    return result;
}

}  // namespace grouplink
