// Times the linking alone, rows already in memory: grouplink's build_links and, for comparison in
// the same process, loops over FAISS flat indexes and over Annoy. See bench/README.md.

#include "accuracy.hpp"
#include "dataset.hpp"
#include "harness.hpp"
#include "peers.hpp"

#include <grouplink/link.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <thread>

namespace {

using bench::Dataset;
using bench::Neighbors;

constexpr int disagrees = 2;  ///< exit code: exact neighbors differ from the truth

struct Arguments {
    bench::DatasetSpec dataset;
    std::vector<std::string> methods{"grouplink"};
    grouplink::LinkOptions options;  ///< grouplink's index and its knobs
    std::int64_t k = 15;
    int threads = 0;
    int runs = 3;
    int trees = 30;
    std::int64_t oracle = 0;
    std::string json;
    std::string save;
    std::string save_data;
    std::string compare;
    std::int64_t every = 1;
};

struct Result {
    std::string method;
    bool exact = true;  ///< claims to be
    std::vector<double> seconds;
    std::vector<double> cpu_seconds;
    std::map<std::string, std::vector<double>> stages;
    std::vector<std::string> stage_order;
    std::vector<double> busy_shares;              ///< of each thread in the knn stage, last run
    std::vector<std::vector<double>> busy_trace;  ///< the same in each slice of its search
    Neighbors neighbors;
    std::int64_t peak_memory = 0;
    std::string isa;
    nlohmann::json search;  ///< of the only group: its index, the knobs in force, the recall it reports
};

Neighbors to_neighbors(const grouplink::CsrGraph& graph, std::int64_t k) {
    Neighbors out{.k = k, .targets = {}};
    out.targets.assign(static_cast<std::size_t>(graph.rows() * k), -1);
    for (std::int64_t row = 0; row < graph.rows(); ++row) {
        const auto first = graph.offsets[static_cast<std::size_t>(row)];
        const auto last = graph.offsets[static_cast<std::size_t>(row) + 1];
        std::copy(graph.targets.begin() + first, graph.targets.begin() + last, out.targets.begin() + row * k);
    }
    return out;
}

void run_grouplink(const Dataset& data, const Arguments& arguments, Result& result) {
    grouplink::LinkOptions options = arguments.options;
    options.n_nearest = arguments.k;
    options.threads = arguments.threads;
    const double cpu = bench::cpu_seconds();
    const bench::Stopwatch watch;
    const grouplink::LinkResult links = grouplink::build_links(data.vectors, data.groups, options);
    result.seconds.push_back(watch.seconds());
    result.cpu_seconds.push_back(bench::cpu_seconds() - cpu);
    result.exact = std::all_of(links.report.groups.begin(), links.report.groups.end(),
                               [](const auto& group) { return group.index == grouplink::IndexKind::flat; });

    double knn = 0.0;
    for (const auto& stage : links.report.stages) {
        auto& times = result.stages[stage.name];
        if (times.empty()) result.stage_order.push_back(stage.name);
        times.push_back(stage.seconds);
        if (stage.name == "knn") knn = stage.seconds;
    }
    result.busy_shares.clear();
    result.busy_trace.clear();
    for (const auto& worker : links.report.workers) {
        result.busy_shares.push_back(knn > 0.0 ? worker.busy_seconds / knn : 0.0);
        result.busy_trace.push_back(worker.trace);
    }
    result.isa = links.report.isa;
    if (links.report.groups.size() == 1)
        result.search = nlohmann::json::parse(grouplink::to_json(links.report)).at("groups").at(0);
    result.neighbors = to_neighbors(links.graph, arguments.k);
}

Neighbors read_neighbors(const std::string& path, const Dataset& data, std::int64_t k) {
    Neighbors out{.k = k, .targets = {}};
    out.targets.resize(static_cast<std::size_t>(data.vectors.rows * k));
    std::ifstream file(path, std::ios::binary);
    const auto bytes = static_cast<std::streamsize>(out.targets.size() * sizeof(std::int64_t));
    file.read(reinterpret_cast<char*>(out.targets.data()), bytes);
    if (file.gcount() != bytes || file.peek() != std::ifstream::traits_type::eof())
        throw grouplink::Error(grouplink::ErrorCode::bad_input,
                               fmt::format("{}: expected {} bytes, {} int64 for each row", path, bytes, k));
    return out;
}

/// One run of a method: grouplink, faiss, annoy:SEARCH_K, saved:FILE, which reads what another found, or
/// brute:STEP, brute force in double precision on every STEP-th row.
std::function<void()> runner(const Dataset& data, const Arguments& arguments, Result& result) {
    if (result.method == "grouplink") return [&] { run_grouplink(data, arguments, result); };
    const auto timed = [&](auto search) {
        const double cpu = bench::cpu_seconds();
        const bench::Stopwatch watch;
        result.neighbors = search();
        result.seconds.push_back(watch.seconds());
        result.cpu_seconds.push_back(bench::cpu_seconds() - cpu);
    };
    if (result.method == "faiss")
        return [&, timed] { timed([&] { return bench::faiss_flat(data, arguments.k, arguments.threads); }); };
    result.exact = false;
    if (result.method.starts_with("saved:"))
        return [&, timed, path = result.method.substr(6)] {
            timed([&] { return read_neighbors(path, data, arguments.k); });
        };
    int search_k = 0;
    int step = 0;
    char rest = 0;
    if (std::sscanf(result.method.c_str(), "brute:%d%c", &step, &rest) == 1 && step > 0)
        return [&, timed, step] {
            timed([&] { return bench::brute_force(data, arguments.k, step, arguments.threads); });
        };
    if (std::sscanf(result.method.c_str(), "annoy:%d%c", &search_k, &rest) == 1 && search_k > 0)
        return [&, timed, search_k] {
            timed([&] {
                return bench::annoy(data, arguments.k, arguments.threads, arguments.trees, search_k);
            });
        };
    throw grouplink::Error(grouplink::ErrorCode::invalid_options,
                           "--method: got '" + result.method +
                               "', expected grouplink, faiss, annoy:SEARCH_K, "
                               "brute:STEP or saved:FILE");
}

void write_neighbors(const std::string& path, const Neighbors& neighbors) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(neighbors.targets.data()),
               static_cast<std::streamsize>(neighbors.targets.size() * sizeof(std::int64_t)));
    if (!file.flush()) throw grouplink::Error(grouplink::ErrorCode::io, path + ": cannot be written");
}

nlohmann::json to_json(const bench::Accuracy& accuracy) {
    return {{"recall", accuracy.recall},       {"compared", accuracy.compared}, {"missed", accuracy.missed},
            {"misplaced", accuracy.misplaced}, {"broken", accuracy.broken},     {"exact", accuracy.exact()}};
}

/// Compares every method with the truth; gives the number of exact ones that are not.
int judge(const Dataset& data, const Arguments& arguments, const std::vector<Result>& results,
          nlohmann::json& report) {
    Neighbors truth;
    std::string name;
    std::int64_t step = 1;
    if (!arguments.compare.empty()) {
        truth = read_neighbors(arguments.compare, data, arguments.k);
        step = arguments.every;
        name = arguments.compare;
    } else if (arguments.oracle > 0) {
        step = std::max<std::int64_t>(1, data.vectors.rows / arguments.oracle);
        truth = bench::brute_force(data, arguments.k, step, arguments.threads);
        name = fmt::format("brute force in double precision on every {}th row", step);
    } else {
        return 0;
    }
    int wrong = 0;
    fmt::print("\nagainst {}:\n", name);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto accuracy = bench::compare(data, truth, results[i].neighbors, step);
        report["methods"][i]["accuracy"] = to_json(accuracy);
        fmt::print("  {:<12} recall {:.4f}  missed {}  misplaced {}  broken {}\n", results[i].method,
                   accuracy.recall, accuracy.missed, accuracy.misplaced, accuracy.broken);
        if (accuracy.broken == 0 && (accuracy.exact() || !results[i].exact)) continue;
        ++wrong;
        fmt::print("  WARNING: {} disagrees, first at row {}\n", results[i].method, accuracy.first_row);
    }
    return wrong;
}

void print_result(const Result& result) {
    const auto [least, most] = std::minmax_element(result.seconds.begin(), result.seconds.end());
    fmt::print("{:<12} median {:8.3f} s  ({:.3f} to {:.3f})  peak {:.0f} MB so far\n", result.method,
               bench::median(result.seconds), *least, *most, static_cast<double>(result.peak_memory) / 1e6);
    if (result.stage_order.empty()) return;
    fmt::print("    stages  ");
    for (const auto& stage : result.stage_order)
        fmt::print(" {} {:.3f}", stage, bench::median(result.stages.at(stage)));
    fmt::print("\n    threads busy in knn ");
    for (const double share : result.busy_shares) fmt::print(" {:.1f} %", share * 100.0);
    fmt::print("  ({})\n    busy, tenth by tenth", result.isa);
    for (const auto& trace : result.busy_trace) {
        fmt::print("\n       ");
        constexpr std::size_t part = grouplink::trace_slices / 10;
        for (auto at = trace.begin(); at != trace.end(); at += part)
            fmt::print(" {:5.1f}", 100.0 * std::accumulate(at, at + part, 0.0) / part);
    }
    fmt::print("\n");
}

nlohmann::json to_json(const Result& result) {
    nlohmann::json stages = nlohmann::json::object();
    for (const auto& [stage, times] : result.stages) stages[stage] = bench::median(times);
    return {{"method", result.method},
            {"exact", result.exact},
            {"seconds", result.seconds},
            {"cpu_seconds", result.cpu_seconds},
            {"median", bench::median(result.seconds)},
            {"stages", stages},
            {"busy_shares", result.busy_shares},
            {"busy_trace", result.busy_trace},
            {"isa", result.isa},
            {"search", result.search},
            {"peak_memory_bytes", result.peak_memory}};
}

int run(const Arguments& arguments) {
    const bench::Stopwatch loading;
    const Dataset data = bench::load_dataset(arguments.dataset);
    const auto machine = bench::this_machine();
    // The file's pages count as what was there before, not as what a method takes.
    const auto bytes =
        static_cast<std::int64_t>(element_size(data.vectors.type)) * data.vectors.rows * data.vectors.dim;
    fmt::print("{}: {} rows x {}, {} groups, {:.0f} MB; ready in {:.1f} s\n", data.name, data.vectors.rows,
               data.vectors.dim, data.group_count(), static_cast<double>(bytes) / 1e6, loading.seconds());
    fmt::print("{}, {} of {} threads, k {}, grouplink {}, FAISS {}\n\n", machine.cpu, arguments.threads,
               machine.threads, arguments.k, grouplink::version(), bench::faiss_version());

    if (!arguments.save_data.empty()) {
        bench::export_dataset(data, arguments.save_data);
        return 0;
    }
    const auto* input = static_cast<const volatile unsigned char*>(data.vectors.values);
    for (std::int64_t i = 0; i < bytes; i += 4096) static_cast<void>(input[i]);
    bench::forget_peak();
    const std::int64_t memory_before = bench::resident_memory();
    std::vector<Result> results(arguments.methods.size());
    std::vector<std::function<void()>> methods;
    for (std::size_t i = 0; i < results.size(); ++i) {
        results[i].method = arguments.methods[i];
        methods.push_back([&, once = runner(data, arguments, results[i]), i] {
            once();
            results[i].peak_memory = bench::peak_memory();
        });
    }
    bench::alternate(arguments.runs, methods);

    nlohmann::json report = {{"data", data.name},
                             {"rows", data.vectors.rows},
                             {"dim", data.vectors.dim},
                             {"groups", data.group_count()},
                             {"input_bytes", bytes},
                             {"memory_before_bytes", memory_before},
                             {"k", arguments.k},
                             {"threads", arguments.threads},
                             {"runs", arguments.runs},
                             {"cpu", machine.cpu},
                             {"grouplink", grouplink::version()},
                             {"faiss", bench::faiss_version()},
                             {"methods", nlohmann::json::array()}};
    for (const auto& result : results) {
        print_result(result);
        report["methods"].push_back(to_json(result));
    }
    for (std::size_t i = 1; i < results.size(); ++i)
        fmt::print("{} takes {:.2f} times as long as {}\n", results[i].method,
                   bench::median(results[i].seconds) / bench::median(results[0].seconds), results[0].method);
    const int wrong = judge(data, arguments, results, report);

    if (!arguments.save.empty())
        for (const auto& result : results)
            write_neighbors(arguments.save + (results.size() > 1 ? "." + result.method : ""),
                            result.neighbors);
    if (!arguments.json.empty()) {
        std::ofstream file(arguments.json);
        file << report.dump(2) << '\n';
        if (!file.flush())
            throw grouplink::Error(grouplink::ErrorCode::io, arguments.json + ": cannot be written");
    }
    return wrong > 0 ? disagrees : 0;
}

void add_knobs(CLI::App& app, grouplink::LinkOptions& options) {
    using grouplink::IndexKind;
    const auto natural = CLI::Range(std::int64_t{0}, std::int64_t{1} << 31);
    const std::map<std::string, IndexKind> kinds{{"auto", IndexKind::automatic},
                                                 {"flat", IndexKind::flat},
                                                 {"ivf", IndexKind::ivf},
                                                 {"hnsw", IndexKind::hnsw},
                                                 {"partition", IndexKind::partition}};
    app.add_option("--index", options.index, "of grouplink, with the knobs of the command")
        ->transform(CLI::CheckedTransformer(kinds));
    app.add_option("--recall-target", options.recall_target, "of indexes that are not exact")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--nlist", options.ivf.nlist, "of ivf; 0: by size")->check(natural);
    app.add_option("--nprobe", options.ivf.nprobe, "of ivf; 0: by size")->check(natural);
    app.add_option("--hnsw-m", options.hnsw.M, "of hnsw")->check(natural);
    app.add_option("--ef-construction", options.hnsw.ef_construction, "of hnsw")->check(natural);
    app.add_option("--ef-search", options.hnsw.ef_search, "of hnsw")->check(natural);
    app.add_option("--passes", options.partition.passes, "of partition")->check(natural);
    app.add_option("--fanout", options.partition.fanout, "of partition")->check(natural);
    app.add_option("--refinements", options.partition.refinements, "of partition")->check(natural);
}

int run_command(int argc, char** argv) {
    Arguments arguments;
    if (const char* folder = std::getenv("GROUPLINK_BENCH_DATA")) arguments.dataset.data_dir = folder;
    arguments.dataset.data = "tiny";

    CLI::App app{"Times linking with the rows in memory."};
    app.option_defaults()->always_capture_default();
    app.add_option("--data", arguments.dataset.data,
                   "wordnet, tiny, even, skewed, lopsided, clustered, hard, or a .parquet or .npy file");
    app.add_option("--data-dir", arguments.dataset.data_dir, "folder of wordnet-384.f16.npy and wordnet.tsv");
    app.add_option("--group", arguments.dataset.group, "group column of a .parquet file");
    app.add_option("--groups-file", arguments.dataset.groups_file,
                   "groups beside a .npy file: .npy, FILE.tsv:COLUMN or a line a row");
    app.add_flag("--one-group", arguments.dataset.one_group, "take all rows as one group");
    app.add_option("--rows", arguments.dataset.rows,
                   "of even, skewed, lopsided (its large group), clustered and hard")
        ->check(CLI::PositiveNumber);
    app.add_option("--groups", arguments.dataset.groups, "of tiny and even; skewed has a hundredth of them")
        ->check(CLI::PositiveNumber);
    app.add_option("--dim", arguments.dataset.dim, "of made-up rows")->check(CLI::PositiveNumber);
    app.add_option("--seed", arguments.dataset.seed, "of made-up rows");
    app.add_option("--method", arguments.methods,
                   "grouplink, faiss, annoy:SEARCH_K, brute:STEP, saved:FILE; several alternate")
        ->delimiter(',');
    add_knobs(app, arguments.options);
    app.add_option("-k", arguments.k, "neighbors a row")->check(CLI::Range(1, 10'000));
    app.add_option("--threads", arguments.threads, "0: all")->check(CLI::Range(0, 4096));
    app.add_option("--runs", arguments.runs, "of each method")->check(CLI::Range(1, 1000));
    app.add_option("--trees", arguments.trees, "of Annoy")->check(CLI::Range(1, 10'000));
    auto* oracle = app.add_option("--oracle", arguments.oracle, "rows to compare with brute force; 0: none")
                       ->check(CLI::NonNegativeNumber);
    app.add_option("--compare", arguments.compare, "neighbors that --save wrote, to compare with")
        ->excludes(oracle);
    app.add_option("--every", arguments.every, "with --compare: look at every so-manieth row alone")
        ->check(CLI::PositiveNumber);
    app.add_option("--save", arguments.save, "file for the neighbors: k int64 a row, -1 for none");
    app.add_option("--save-data", arguments.save_data,
                   "write the rows as PREFIX.npy and PREFIX.groups.npy, time nothing");
    app.add_option("--json", arguments.json, "file for the results");
    CLI11_PARSE(app, argc, argv);
    if (arguments.threads == 0) arguments.threads = static_cast<int>(std::thread::hardware_concurrency());
    return run(arguments);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_command(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "core: %s\n", error.what());
        return 1;
    }
}
