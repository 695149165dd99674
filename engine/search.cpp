#include <grouplink/search.hpp>

#include "kernels/kernels.hpp"
#include "knn/aligned.hpp"
#include "knn/key.hpp"
#include "knn/score.hpp"
#include "parallel/workers.hpp"
#include "rows/check.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace grouplink {
namespace {

using knn::Key;

/// Queries that are searched together: each row of the base is loaded once for all of them.
constexpr std::int64_t queries_a_search = 32;
constexpr std::int64_t rows_a_look = 256;  // before a stop is looked for

void check_all(const char* what, const MatrixView& rows, Metric metric, int threads,
               const JobControl& control) {
    const GroupColumn group = single_group(rows.rows);
    check_shapes(rows, group);
    const RowCheck check = check_rows(rows, group, metric, threads, control);
    if (check.bad_rows() == 0) return;
    throw Error(ErrorCode::bad_input,
                fmt::format("{}: {}; leave them out", what, describe_bad_rows(check, rows, group)));
}

void check_own(std::span<const std::int64_t> own, const MatrixView& queries, const MatrixView& base) {
    if (!own.empty() && std::ssize(own) != queries.rows) {
        throw Error(
            ErrorCode::bad_input,
            fmt::format("own: {} rows for {} queries; there must be one a query", own.size(), queries.rows));
    }
    const auto wrong =
        std::find_if(own.begin(), own.end(), [&](std::int64_t row) { return row < -1 || row >= base.rows; });
    if (wrong == own.end()) return;
    throw Error(ErrorCode::bad_input,
                fmt::format("own: query {} has row {}, but must have -1 or a row below {}",
                            wrong - own.begin(), *wrong, base.rows));
}

class Search {
public:
    Search(const MatrixView& queries, const MatrixView& base, Metric metric,
           std::span<const std::int64_t> own, NearestRows& found)
        : queries_(queries, metric, kernels::best()),
          base_(base, metric, kernels::best()),
          own_(own),
          found_(found),
          dim_(static_cast<std::size_t>(base.row_dim(0))) {}

    void run(std::int64_t first, std::int64_t last, const JobControl& control) const {
        const std::size_t stride = knn::RowScorer::loaded_size(dim_);
        const auto count = static_cast<std::size_t>(last - first);
        knn::AlignedVector<double> loaded(count * stride);
        knn::AlignedVector<double> row(stride);
        std::vector<float> distances(count);
        std::vector<std::vector<Key>> nearest(count);  // the farthest on top
        for (std::size_t i = 0; i < count; ++i) {
            queries_.load(first + static_cast<std::int64_t>(i), loaded.data() + i * stride);
        }
        for (std::int64_t b = 0; b < base_.vectors().rows; ++b) {
            if (b % rows_a_look == 0) parallel::check_stop(control);
            base_.load(b, row.data());
            base_.distances(row.data(), loaded.data(), count, dim_, distances.data());
            for (std::size_t i = 0; i < count; ++i) {
                if (own_.empty() || own_[static_cast<std::size_t>(first) + i] != b) {
                    offer(nearest[i], knn::make_key(distances[i], static_cast<std::uint32_t>(b)));
                }
            }
        }
        for (std::size_t i = 0; i < count; ++i) write(static_cast<std::size_t>(first) + i, nearest[i]);
    }

private:
    void offer(std::vector<Key>& heap, Key key) const {
        if (heap.size() == static_cast<std::size_t>(found_.k)) {
            if (heap.empty() || key >= heap.front()) return;
            std::pop_heap(heap.begin(), heap.end());
            heap.back() = key;
        } else {
            heap.push_back(key);
        }
        std::push_heap(heap.begin(), heap.end());
    }

    void write(std::size_t query, std::vector<Key>& heap) const {
        std::sort_heap(heap.begin(), heap.end());
        // A query of no row of its own has one more than `k` to choose from, never fewer.
        for (std::size_t j = 0; j < heap.size(); ++j) {
            const std::size_t place = query * static_cast<std::size_t>(found_.k) + j;
            found_.targets[place] = knn::key_row(heap[j]);
            found_.distances[place] = knn::key_value(heap[j]);
        }
    }

    knn::RowScorer queries_;
    knn::RowScorer base_;
    std::span<const std::int64_t> own_;
    NearestRows& found_;
    std::size_t dim_;
};

}  // namespace

NearestRows find_nearest(const MatrixView& queries, const MatrixView& base, const LinkOptions& options,
                         std::span<const std::int64_t> own, const JobControl& job) {
    validate(options);
    const int threads = parallel::resolve_threads(options.threads);
    const JobControl control = parallel::count_rows(job, queries.rows);
    check_all("queries", queries, options.metric, threads, control);
    check_all("base", base, options.metric, threads, control);
    check_own(own, queries, base);
    if (queries.rows > 0 && base.rows > 0 && queries.row_dim(0) != base.row_dim(0)) {
        throw Error(ErrorCode::bad_input, fmt::format("queries: dim is {}, but the rows of the base have {}",
                                                      queries.row_dim(0), base.row_dim(0)));
    }
    if (queries.type != base.type) {
        throw Error(ErrorCode::bad_input, "queries: are of another element type than the rows of the base");
    }
    if (base.rows > std::numeric_limits<std::uint32_t>::max()) {
        throw Error(ErrorCode::bad_input,
                    fmt::format("base: {} rows, more than 2^32 - 1; search parts of it", base.rows));
    }

    const bool one_less = std::any_of(own.begin(), own.end(), [](std::int64_t row) { return row >= 0; });
    NearestRows found;
    found.k = std::clamp<std::int64_t>(options.n_nearest, 0,
                                       std::max<std::int64_t>(0, base.rows - (one_less ? 1 : 0)));
    found.targets.resize(static_cast<std::size_t>(queries.rows * found.k));
    found.distances.resize(found.targets.size());
    if (found.targets.empty()) return found;
    const Search search(queries, base, options.metric, own, found);
    parallel::for_blocks(
        queries.rows, queries_a_search, threads, control, "search",
        [&](std::int64_t first, std::int64_t last, int) { search.run(first, last, control); });
    return found;
}

}  // namespace grouplink
