#include "differential.hpp"

#include "kernels/kernels.hpp"
#include "support/oracle.hpp"

#include <grouplink/link.hpp>
#include <grouplink/part.hpp>
#include <grouplink/verify.hpp>

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace grouplink;

namespace differential {
namespace {

constexpr double no_threshold = -1e300;

struct Job {
    oracle::Rows rows;
    ElementType type = ElementType::float32;
    GroupColumn groups;
    LinkOptions options;
    std::string story;  ///< of how the rows were made
};

/// Of a hundred sizes, most small, some of more than one tile.
std::int64_t some_rows(Random& random) {
    switch (between(random, 0, 9)) {
        case 0: return between(random, 0, 3);
        case 1:
        case 2:
        case 3: return between(random, 2, 40);
        case 9: return between(random, 500, 1300);
        default: return between(random, 20, 400);
    }
}

std::int64_t some_dim(Random& random, std::int64_t rows) {
    switch (between(random, 0, 5)) {
        case 0: return between(random, 1, 5);
        case 1: return 16 * between(random, 1, 8) + between(random, -1, 1);
        case 2: return rows > 500 ? between(random, 30, 100) : between(random, 100, 700);
        default: return between(random, 2, 70);
    }
}

LinkOptions some_options(Random& random) {
    LinkOptions options;
    options.metric = static_cast<Metric>(between(random, 0, 4));
    options.n_nearest = one_in(random, 8) ? between(random, 100, 2000) : between(random, 1, 24);
    options.similarity_min =
        one_in(random, 2) ? no_threshold : 0.02 * static_cast<double>(between(random, 0, 50));
    if (one_in(random, 3)) options.similarity_min_q = 0.1 * static_cast<double>(between(random, 0, 10));
    options.quantile_scope = one_in(random, 2) ? QuantileScope::all : QuantileScope::group;
    options.links = static_cast<LinkMode>(between(random, 0, 2));
    if (options.metric == Metric::angular)
        options.similarity = static_cast<Similarity>(between(random, 0, 2));
    options.on_bad_row = BadRowPolicy::drop;
    options.seed = random() % 1000;
    options.threads = 1;
    switch (between(random, 0, 5)) {
        case 0: options.index = IndexKind::automatic; break;
        case 1: options.index = IndexKind::ivf; break;
        case 2: options.index = IndexKind::hnsw; break;
        case 3: options.index = IndexKind::partition; break;
        default: options.index = IndexKind::flat;
    }
    const bool any_metric = options.index == IndexKind::automatic || options.index == IndexKind::flat;
    if (!any_metric && (options.metric == Metric::manhattan || options.metric == Metric::hamming)) {
        options.metric = Metric::euclidean;
    }
    if (one_in(random, 4)) options.ivf.nprobe = between(random, 1, 9);
    if (one_in(random, 4)) options.partition.passes = between(random, 1, 3);
    if (one_in(random, 4))
        options.hnsw = {.M = between(random, 2, 40), .ef_construction = between(random, 1, 60)};
    return options;
}

/// Multiplies all by a power of ten that the metric's scores can hold.
void scale_rows(Job& job, Random& random) {
    int most = job.type == ElementType::float64 ? 120 : 30;
    if (job.options.metric == Metric::dot) most = 12;
    if (job.options.metric == Metric::euclidean || job.options.metric == Metric::manhattan) most = 28;
    if (job.type == ElementType::float16) most = 3;
    const int exponent = static_cast<int>(between(random, -most, most));
    const double factor = std::pow(10.0, exponent);
    for (auto& row : job.rows.values) {
        for (double& component : row) component *= factor;
    }
    job.story += fmt::format(" times 1e{}", exponent);
}

void spoil_rows(Job& job, Random& random) {
    auto& rows = job.rows.values;
    const auto any = [&]() -> std::vector<double>& { return rows[random() % rows.size()]; };
    const auto some =
        static_cast<std::size_t>(between(random, 1, std::max<std::int64_t>(1, std::ssize(rows) / 3)));
    switch (between(random, 0, 8)) {
        case 0:
            job.story += ", duplicates";
            for (std::size_t i = 0; i < some; ++i) any() = any();
            break;
        case 1:
            job.story += ", near duplicates";
            for (std::size_t i = 0; i < some; ++i) {
                std::vector<double>& row = any();
                row = any();
                const double eps = std::pow(10.0, -static_cast<double>(between(random, 3, 17)));
                row[random() % row.size()] *= 1.0 + eps;
            }
            break;
        case 2:
            job.story += ", zero rows";
            for (std::size_t i = 0; i < some; ++i) {
                std::vector<double>& row = any();
                std::fill(row.begin(), row.end(), 0.0);
            }
            break;
        case 3: {
            job.story += ", a row far off";
            const double far = std::pow(10.0, static_cast<double>(between(random, 2, 9)));
            for (double& component : any()) component *= far;
            break;
        }
        case 4:
            job.story += ", a long way from the origin";
            for (auto& row : rows) {
                for (double& component : row) component += 1e4;
            }
            break;
        case 5:
            job.story += ", few values";
            for (auto& row : rows) {
                for (double& component : row) component = std::round(component);
            }
            break;
        case 6:
            job.story += ", not finite";
            any()[0] = std::numeric_limits<double>::quiet_NaN();
            any()[0] = std::numeric_limits<double>::infinity();
            break;
        case 7:
            job.story += ", opposite rows";
            for (std::size_t i = 0; i < some; ++i) {
                std::vector<double>& row = any();
                row = any();
                for (double& component : row) component = -component;
            }
            break;
        default: break;
    }
}

Job some_job(Random& random) {
    Job job;
    const std::int64_t rows = some_rows(random);
    const std::int64_t dim = some_dim(random, rows);
    job.options = some_options(random);
    constexpr ElementType types[]{ElementType::float32, ElementType::float32, ElementType::float16,
                                  ElementType::float64, ElementType::int8};
    job.type = types[between(random, 0, 4)];
    if (one_in(random, 2)) {
        job.story = "gaussian";
        job.rows = oracle::gaussian_rows(rows, dim, random);
    } else {
        const double spread = std::pow(10.0, -static_cast<double>(between(random, 0, 9)));
        job.story = fmt::format("clusters of spread {}", spread);
        job.rows = oracle::clustered_rows(rows, dim, between(random, 1, 9), spread, random);
    }
    const bool scaled = one_in(random, 3) && job.type != ElementType::int8;
    if (rows > 0) {
        spoil_rows(job, random);
        if (one_in(random, 3)) spoil_rows(job, random);
        if (scaled) scale_rows(job, random);
    }
    if (one_in(random, 5)) {
        for (std::int64_t row = 0; row < rows; ++row) job.rows.valid.push_back(!one_in(random, 20));
    }
    const std::int64_t groups = one_in(random, 2) ? 1 : between(random, 1, 12);
    for (std::int64_t g = 0; g < groups; ++g) job.groups.keys.push_back(fmt::format("g{}", g));
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t g = std::min(between(random, 0, groups - 1), between(random, 0, groups - 1));
        job.groups.codes.push_back(groups > 1 && one_in(random, 30) ? -1 : static_cast<std::int32_t>(g));
    }
    return job;
}

std::vector<bool> ok_rows(const Job& job) {
    std::vector<bool> ok;
    for (std::size_t row = 0; row < job.rows.values.size(); ++row) {
        const auto& values = job.rows.values[row];
        const bool finite =
            std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
        const bool zero = std::all_of(values.begin(), values.end(), [](double v) { return v == 0.0; });
        ok.push_back(finite && !(zero && job.options.metric == Metric::angular) &&
                     job.groups.codes[row] >= 0 && (job.rows.valid.empty() || job.rows.valid[row] != 0));
    }
    return ok;
}

std::string difference(const CsrGraph& a, const CsrGraph& b) {
    if (a.offsets != b.offsets) return "other counts of links";
    for (std::size_t i = 0; i < a.targets.size(); ++i) {
        if (a.targets[i] == b.targets[i] && a.weights[i] == b.weights[i]) continue;
        const auto row = std::upper_bound(a.offsets.begin(), a.offsets.end(), static_cast<std::int64_t>(i)) -
                         a.offsets.begin() - 1;
        return fmt::format("row {}: {} ({}) and {} ({})", row, a.targets[i], a.weights[i], b.targets[i],
                           b.weights[i]);
    }
    return "";
}

CsrGraph in_shares(const Job& job, const MatrixView& view, std::int64_t shares, Random& random) {
    std::vector<LinkPart> parts;
    for (std::int64_t index = 1; index <= shares; ++index) {
        LinkOptions options = job.options;
        options.threads = static_cast<int>(between(random, 1, 3));
        parts.push_back(link_part(view, job.groups, {.index = index, .count = shares}, options));
    }
    std::shuffle(parts.begin(), parts.end(), random);
    return merge_parts(parts, 2).graph;
}

std::string check_against_itself(const Job& job, const MatrixView& view, const CsrGraph& graph, bool exact,
                                 Random& random) {
    LinkOptions options = job.options;
    options.threads = static_cast<int>(between(random, 2, 5));
    std::string wrong = difference(graph, build_links(view, job.groups, options).graph);
    if (!wrong.empty()) return fmt::format("{} threads: {}", options.threads, wrong);
    const std::int64_t shares = between(random, 1, 4);
    wrong = difference(graph, in_shares(job, view, shares, random));
    if (!wrong.empty()) return fmt::format("{} shares: {}", shares, wrong);
    if (!exact) return "";
    for (const auto isa : kernels::all_isas) {
        if (!kernels::find(isa)) continue;
        const std::string set(kernels::name(isa));
        ::setenv("GROUPLINK_ISA", set.c_str(), 1);
        wrong = difference(graph, build_links(view, job.groups, job.options).graph);
        ::unsetenv("GROUPLINK_ISA");
        if (!wrong.empty()) return fmt::format("{}: {}", set, wrong);
    }
    return "";
}

}  // namespace

std::string check_job(Random& random) {
    Job job = some_job(random);
    const oracle::Packed packed(job.rows, job.type);
    const MatrixView& view = packed.view();
    const LinkOptions& options = job.options;
    const auto report = [&](const std::string& wrong) {
        return fmt::format("{} rows of {}, {} groups, {}, {}, {}, k {}, min {}, q {} ({}), type {}, {}: {}",
                           view.rows, view.dim, job.groups.keys.size(), name(options.metric),
                           name(options.index), name(options.links), options.n_nearest,
                           options.similarity_min, options.similarity_min_q, name(options.quantile_scope),
                           static_cast<int>(job.type), job.story, wrong);
    };
    const LinkResult result = build_links(view, job.groups, options);
    const bool exact = std::all_of(result.report.groups.begin(), result.report.groups.end(),
                                   [](const GroupReport& group) { return group.index == IndexKind::flat; });
    const std::vector<bool> ok = ok_rows(job);
    for (std::size_t row = 0; row < ok.size(); ++row) {
        if (ok[row] != (result.row_status[row] == RowStatus::ok)) {
            return report(fmt::format("row {} has the status {}", row, name(result.row_status[row])));
        }
    }
    if (exact) {
        const std::string wrong = oracle::check(job.rows, job.groups, ok, options, result.graph);
        if (!wrong.empty()) return report(wrong);
    }
    VerifyOptions verify{.links = options, .sample = 30};
    verify.cut =
        options.quantile_scope == QuantileScope::all ? std::optional(result.report.cut) : std::nullopt;
    for (const VerifyCheck& check : verify_links(view, job.groups, result.graph, verify).checks) {
        if (check.state == CheckState::broken) return report("verify: " + check.name + ": " + check.first);
    }
    const std::string wrong = check_against_itself(job, view, result.graph, exact, random);
    return wrong.empty() ? "" : report(wrong);
}

}  // namespace differential
