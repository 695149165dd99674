// Checks that grouplink means what Annoy means: the weight of every link against the distance that
// Annoy gives for the same two rows, and every row's links against what Annoy finds when its search
// leaves nothing out. Exits with 1 on any disagreement. See bench/README.md.

#include "annoy.hpp"
#include "dataset.hpp"
#include "harness.hpp"

#include <grouplink/link.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

namespace {

using bench::Dataset;
using grouplink::Metric;
using grouplink::Similarity;

struct Check {
    Metric metric;
    Similarity similarity;
    double (*weight)(double distance, double dim);  ///< as the specification maps Annoy's distance
    double tolerance;                               ///< of a weight: Annoy's own error in float32
};

const Check checks[] = {
    // Near d = 0 the square root magnifies the rounding of a cosine to 3e-4.
    {Metric::angular, Similarity::angular, [](double d, double) { return 1.0 - d / 2.0; }, 5e-4},
    {Metric::angular, Similarity::half_cosine, [](double d, double) { return 1.0 - d * d / 4.0; }, 1e-5},
    {Metric::angular, Similarity::cosine, [](double d, double) { return std::max(0.0, 1.0 - d * d / 2.0); },
     1e-5},
    {Metric::euclidean, Similarity::angular, [](double d, double) { return 1.0 / (1.0 + d); }, 1e-5},
    {Metric::manhattan, Similarity::angular, [](double d, double) { return 1.0 / (1.0 + d); }, 1e-5},
    {Metric::hamming, Similarity::angular, [](double d, double dim) { return 1.0 - d / dim; }, 1e-6},
    {Metric::dot, Similarity::angular, [](double d, double) { return d; }, 1e-5},
};

/// Annoy over the given rows of a float32 matrix, by their places in the list.
class Index {
public:
    virtual ~Index() = default;
    virtual void build() = 0;  ///< needed before nearest
    virtual double distance(std::int32_t a, std::int32_t b) const = 0;
    virtual std::vector<std::pair<std::int32_t, double>> nearest(std::int32_t row,
                                                                 std::size_t count) const = 0;
};

template <class Distance, class Component>
class IndexOf : public Index {
public:
    IndexOf(const std::vector<float>& values, std::size_t dim, std::span<const std::int64_t> rows)
        : index_(static_cast<int>(std::is_same_v<Component, float> ? dim : (dim + 63) / 64)) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const float* row = values.data() + static_cast<std::size_t>(rows[i]) * dim;
            if constexpr (std::is_same_v<Component, float>) {
                index_.add_item(static_cast<std::int32_t>(i), row);
            } else {  // as Annoy's own wrapper packs
                std::vector<std::uint64_t> bits((dim + 63) / 64, 0);
                for (std::size_t j = 0; j < dim; ++j)
                    if (row[j] > 0.5F) bits[j / 64] |= std::uint64_t{1} << (j % 64);
                index_.add_item(static_cast<std::int32_t>(i), bits.data());
            }
        }
    }
    void build() override { index_.build(1, 1); }
    double distance(std::int32_t a, std::int32_t b) const override {
        return static_cast<double>(index_.get_distance(a, b));
    }
    std::vector<std::pair<std::int32_t, double>> nearest(std::int32_t row, std::size_t count) const override {
        std::vector<std::int32_t> found;
        std::vector<Component> distances;
        index_.get_nns_by_item(row, count, std::numeric_limits<int>::max(), &found, &distances);
        std::vector<std::pair<std::int32_t, double>> out;
        for (std::size_t i = 0; i < found.size(); ++i)
            out.emplace_back(found[i], static_cast<double>(distances[i]));
        return out;
    }

private:
    bench::AnnoyOf<Distance, Component> index_;
};

std::unique_ptr<Index> make_index(Metric metric, const std::vector<float>& values, std::size_t dim,
                                  std::span<const std::int64_t> rows) {
    switch (metric) {
        case Metric::angular: return std::make_unique<IndexOf<Annoy::Angular, float>>(values, dim, rows);
        case Metric::euclidean: return std::make_unique<IndexOf<Annoy::Euclidean, float>>(values, dim, rows);
        case Metric::manhattan: return std::make_unique<IndexOf<Annoy::Manhattan, float>>(values, dim, rows);
        case Metric::hamming:
            return std::make_unique<IndexOf<Annoy::Hamming, std::uint64_t>>(values, dim, rows);
        case Metric::dot: return std::make_unique<IndexOf<Annoy::DotProduct, float>>(values, dim, rows);
    }
    return nullptr;
}

struct Outcome {
    std::int64_t links = 0;       ///< whose weights were compared
    double weight_error = 0.0;    ///< largest
    double search_error = 0.0;    ///< largest difference of weights at the same place of a row's links
    std::int64_t miscounted = 0;  ///< rows with more or fewer links than Annoy finds

    void add(const Outcome& other) {
        links += other.links;
        weight_error = std::max(weight_error, other.weight_error);
        search_error = std::max(search_error, other.search_error);
        miscounted += other.miscounted;
    }
};

Outcome compare_group(const Check& check, const std::vector<float>& values, const Dataset& data,
                      std::int64_t group, const grouplink::CsrGraph& graph, std::size_t k) {
    Outcome outcome;
    const auto rows = data.group_rows(group);
    const auto dim = static_cast<std::size_t>(data.vectors.dim);
    const auto index = make_index(check.metric, values, dim, rows);
    index->build();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto place = static_cast<std::int32_t>(i);
        std::vector<double> expected;
        for (const auto& [neighbor, distance] : index->nearest(place, k + 1)) {
            const double weight = check.weight(distance, static_cast<double>(dim));
            // The default threshold drops what is below 0; at 0 itself rounding decides.
            if (neighbor != place && expected.size() < k && weight >= 0.0) expected.push_back(weight);
        }
        const auto row = static_cast<std::size_t>(rows[i]);
        const auto first = static_cast<std::size_t>(graph.offsets[row]);
        const auto count = static_cast<std::size_t>(graph.offsets[row + 1]) - first;
        if (count != expected.size()) ++outcome.miscounted;
        for (std::size_t j = 0; j < count; ++j) {
            const double weight = static_cast<double>(graph.weights[first + j]);
            const auto target = std::lower_bound(rows.begin(), rows.end(), graph.targets[first + j]);
            const double distance = index->distance(place, static_cast<std::int32_t>(target - rows.begin()));
            const double wanted = check.weight(distance, static_cast<double>(dim));
            outcome.weight_error = std::max(outcome.weight_error, std::abs(weight - wanted));
            ++outcome.links;
            if (j < expected.size())
                outcome.search_error = std::max(outcome.search_error, std::abs(weight - expected[j]));
        }
    }
    return outcome;
}

/// Every fiftieth row of a group becomes the one before it, at another length: distances near 0.
void repeat_rows(std::vector<float>& values, const Dataset& data) {
    const auto dim = static_cast<std::size_t>(data.vectors.dim);
    for (std::int64_t group = 0; group < data.group_count(); ++group) {
        const auto rows = data.group_rows(group);
        for (std::size_t i = 1; i < rows.size(); i += 50) {
            const float* from = values.data() + static_cast<std::size_t>(rows[i - 1]) * dim;
            float* to = values.data() + static_cast<std::size_t>(rows[i]) * dim;
            std::transform(from, from + dim, to, [](float value) { return value * 1.001F; });
        }
    }
}

bool run_check(const Check& check, const Dataset& data, std::size_t k, int threads) {
    const auto dim = static_cast<std::size_t>(data.vectors.dim);
    std::vector<float> values(static_cast<std::size_t>(data.vectors.rows) * dim);
    for (std::int64_t row = 0; row < data.vectors.rows; ++row)
        bench::widen_row(data.vectors, row, values.data() + static_cast<std::size_t>(row) * dim);
    repeat_rows(values, data);
    // Few components of an embedding pass 0.5: take signs as bits.
    if (check.metric == Metric::hamming)
        for (auto& value : values) value = value > 0.0F ? 1.0F : 0.0F;

    grouplink::LinkOptions options;
    options.n_nearest = static_cast<std::int64_t>(k);
    options.metric = check.metric;
    options.similarity = check.similarity;
    options.threads = threads;
    const auto result =
        grouplink::build_links(grouplink::matrix_view(values, data.vectors.dim), data.groups, options);

    Outcome outcome;
    std::mutex mutex;
    bench::for_each(data.group_count(), threads, [&](std::int64_t place) {
        const auto group = data.by_size[static_cast<std::size_t>(place)];
        const auto part = compare_group(check, values, data, group, result.graph, k);
        const std::lock_guard lock(mutex);
        outcome.add(part);
    });
    const bool agrees = outcome.links > 0 && outcome.miscounted == 0 &&
                        outcome.weight_error <= check.tolerance && outcome.search_error <= check.tolerance;
    fmt::print("{:<10} {:<12} {:>9} links  weights {:.1e}  searches {:.1e}  within {:.0e}  {}\n",
               grouplink::name(check.metric), result.report.mapping, outcome.links, outcome.weight_error,
               outcome.search_error, check.tolerance, agrees ? "ok" : "DISAGREES");
    if (outcome.miscounted > 0) fmt::print("    {} rows have another number of links\n", outcome.miscounted);
    return agrees;
}

/// The first rows and what groups they are in.
void truncate(Dataset& data, std::int64_t rows) {
    if (rows <= 0 || rows >= data.vectors.rows) return;
    data.vectors.rows = rows;
    data.groups.codes.resize(static_cast<std::size_t>(rows));
    bench::sort_rows(data);
}

int run_command(int argc, char** argv) {
    bench::DatasetSpec spec;
    spec.data = "wordnet";
    if (const char* folder = std::getenv("GROUPLINK_BENCH_DATA"))
        spec.data_dir = folder;
    else
        spec.data = BENCH_SAMPLE;
    std::int64_t rows = 20'000;
    std::size_t k = 15;
    int threads = 0;
    CLI::App app{"Compares grouplink's weights and links with Annoy's distances and searches."};
    app.option_defaults()->always_capture_default();
    app.add_option("--data", spec.data, "wordnet, tiny, skewed, clustered, or a .parquet or .npy file");
    app.add_option("--data-dir", spec.data_dir, "folder of wordnet-384.f16.npy and wordnet.tsv");
    app.add_option("--group", spec.group, "group column of a .parquet file");
    app.add_option("--groups-file", spec.groups_file, "groups beside a .npy file");
    app.add_option("--groups", spec.groups, "of tiny; skewed has a hundredth of them")
        ->check(CLI::PositiveNumber);
    app.add_option("--rows", rows, "rows to take, from the first; 0: all")->check(CLI::NonNegativeNumber);
    app.add_option("-k", k, "links a row")->check(CLI::Range(1, 10'000));
    app.add_option("--threads", threads, "0: all")->check(CLI::Range(0, 4096));
    CLI11_PARSE(app, argc, argv);
    if (threads == 0) threads = static_cast<int>(std::thread::hardware_concurrency());

    Dataset data = bench::load_dataset(spec);
    truncate(data, rows);
    fmt::print("{}: {} rows, {} groups, k {}; largest differences of weights\n", data.name, data.vectors.rows,
               data.group_count(), k);
    int disagreements = 0;
    for (const auto& check : checks) disagreements += run_check(check, data, k, threads) ? 0 : 1;
    return disagreements > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_command(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "annoy_parity: %s\n", error.what());
        return 1;
    }
}
