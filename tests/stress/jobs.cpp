#include "jobs.hpp"

#include "support/oracle.hpp"

#include <grouplink/io.hpp>
#include <grouplink/link.hpp>
#include <grouplink/part.hpp>
#include <grouplink/report_page.hpp>
#include <grouplink/verify.hpp>

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

using namespace grouplink;

namespace stress {
namespace {

using Random = std::mt19937_64;

constexpr std::size_t distinct_jobs = 240;
constexpr std::size_t most_faults = 20;

std::int64_t between(Random& random, std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(last - first + 1));
}

/// FNV-1a: whether bytes are the same as before is all that is asked.
void add_hash(std::uint64_t& hash, std::string_view bytes) {
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
}

template <typename Value>
void add_hash(std::uint64_t& hash, const std::vector<Value>& values) {
    add_hash(hash,
             std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)));
}

std::uint64_t hash_of(const CsrGraph& graph) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    add_hash(hash, graph.offsets);
    add_hash(hash, graph.targets);
    add_hash(hash, graph.weights);
    return hash;
}

std::string read_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void check(bool holds, const char* what) {
    if (!holds) throw std::logic_error(what);
}

/// Rows on their way into a job.
struct Input {
    oracle::Rows rows;
    ElementType type = ElementType::float32;
    GroupColumn groups;
    IdColumn ids;
    std::vector<std::string> names;
    LinkOptions options;
    oracle::Packed packed;

    explicit Input(Random& random)
        : rows(some_rows(random)), type(static_cast<ElementType>(between(random, 0, 3))), packed(rows, type) {
        const std::int64_t count = rows.size();
        const std::int64_t group_count = between(random, 1, 12);
        std::vector<std::string> keys;
        for (std::int64_t row = 0; row < count; ++row) {
            keys.push_back(fmt::format("group {}", std::min(between(random, 0, group_count - 1),
                                                            between(random, 0, group_count - 1))));
            names.push_back(fmt::format("row \"{}\"", row));
        }
        const std::vector<std::string_view> views(keys.begin(), keys.end());
        groups = encode_groups(views);
        if (random() % 2 == 0) {
            StringColumn texts;
            for (const std::string& one : names) texts.push_back(one);
            ids = std::move(texts);
        }
        options = some_options(random);
    }

    static oracle::Rows some_rows(Random& random) {
        // Some larger ones among many small ones.
        const std::int64_t kind = between(random, 0, 39);
        const std::int64_t count = kind == 0  ? 4000
                                   : kind < 5 ? between(random, 300, 1200)
                                              : between(random, 2, 120);
        oracle::Rows rows = oracle::clustered_rows(count, between(random, 1, 48), 8, 0.3, random);
        for (std::size_t row = 5; row < rows.values.size(); row += 11)
            rows.values[row] = rows.values[row / 2];
        return rows;
    }

    static LinkOptions some_options(Random& random) {
        LinkOptions options{.n_nearest = between(random, 1, 15)};
        options.metric = static_cast<Metric>(between(random, 0, 4));
        options.index = static_cast<IndexKind>(between(random, 0, 4));
        options.links = static_cast<LinkMode>(between(random, 0, 2));
        options.similarity_min = random() % 2 == 0 ? -1e300 : 0.4;
        options.similarity_min_q = random() % 3 == 0 ? 0.25 : 0.0;
        options.quantile_scope = static_cast<QuantileScope>(between(random, 0, 1));
        if (options.metric == Metric::angular)
            options.similarity = static_cast<Similarity>(between(random, 0, 2));
        options.on_bad_row = BadRowPolicy::drop;
        options.seed = random() % 5;
        options.threads = static_cast<int>(between(random, 1, 3));
        const bool any_metric = options.index == IndexKind::automatic || options.index == IndexKind::flat;
        if (!any_metric && (options.metric == Metric::manhattan || options.metric == Metric::hamming)) {
            options.metric = Metric::dot;
        }
        return options;
    }

    Table table() const { return {nullptr, packed.view(), groups, ids}; }
};

/// What a kind of job works with.
struct Context {
    const std::string& folder;
    Random& random;
    const Input& input;
    bool first;  ///< this job was not run before

    std::string path(const std::string& name) const { return folder + '/' + name; }
};

LinkResult link(const Context& job) {
    return build_links(job.input.packed.view(), job.input.groups, job.input.options);
}

std::uint64_t run_link(const Context& job) {
    const LinkResult result = link(job);
    const bool exact = std::all_of(result.report.groups.begin(), result.report.groups.end(),
                                   [](const GroupReport& group) { return group.index == IndexKind::flat; });
    if (job.first && exact && job.input.rows.size() < 400) {
        std::vector<bool> ok;
        for (const RowStatus status : result.row_status) ok.push_back(status == RowStatus::ok);
        const std::string wrong =
            oracle::check(job.input.rows, job.input.groups, ok, job.input.options, result.graph);
        if (!wrong.empty()) throw std::logic_error(wrong);
    }
    return hash_of(result.graph);
}

/// Shares in files, merged; the same links as of the whole.
std::uint64_t run_shares(const Context& job) {
    const std::int64_t count = between(job.random, 1, 4);
    const Table table = job.input.table();
    std::vector<LinkPart> parts;
    for (std::int64_t index = 1; index <= count; ++index) {
        const std::string path = job.path(fmt::format("{}.part", index));
        write_part(
            {.path = path, .force = true}, {.path = "rows.npy"}, table,
            link_part(table.vectors, table.groups, {.index = index, .count = count}, job.input.options));
        parts.push_back(read_part(path).part);
        check_part_table(parts.back(), table, "rows.npy");
    }
    const std::uint64_t hash = hash_of(merge_parts(parts, job.input.options.threads).graph);
    check(hash == hash_of(link(job).graph), "shares do not merge to the whole");
    for (std::int64_t index = 1; index <= count; ++index)
        std::filesystem::remove(job.path(fmt::format("{}.part", index)));
    return hash;
}

std::uint64_t run_verify(const Context& job) {
    const LinkResult result = link(job);
    VerifyOptions options{.links = job.input.options, .sample = 50};
    if (options.links.quantile_scope == QuantileScope::all) options.cut = result.report.cut;
    const VerifyResult verified =
        verify_links(job.input.packed.view(), job.input.groups, result.graph, options);
    const bool told = options.cut || options.links.similarity_min_q == 0.0;
    check(verified.ok() || !told, "links do not verify");
    return hash_of(result.graph);
}

/// Links in a file of each format, there and back.
std::uint64_t run_formats(const Context& job) {
    constexpr std::array<const char*, 8> names{"links.npz", "links.csv", "links.tsv",     "links.jsonl",
                                               "links.db",  "links.npz", "links.parquet", "links.arrow"};
    const std::string path = job.path(names[job.random() % names.size()]);
    const std::string other = job.path(std::string("other-") + names[job.random() % names.size()]);
    const Table table = job.input.table();
    const LinkResult result = link(job);
    write_links({.path = path, .force = true}, {}, table, result);
    std::uint64_t hash = hash_of(result.graph);
    add_hash(hash, read_file(path));
    check(hash_of(read_links(path, table).graph) == hash_of(result.graph),
          "links are read otherwise than written");
    (void)inspect_file(path);
    try {
        convert_file({.input = {.path = path}, .output = {.path = other, .force = true}});
        std::filesystem::remove(other);
    } catch (const Error&) {
        // Ids have no place in some, and some do not tell what others ask.
    }
    std::filesystem::remove(path);
    return hash;
}

/// Rows in a file of each format, read and linked.
std::uint64_t run_rows(const Context& job) {
    constexpr std::array<const char*, 5> names{"rows.npy", "rows.fbin", "rows.jsonl", "rows.parquet",
                                               "rows.arrow"};
    const std::string fbin = job.path("source.fbin");
    const std::string groups = job.path("groups.txt");
    {
        std::ofstream file(fbin, std::ios::binary);
        const auto& rows = job.input.rows.values;
        const std::int32_t header[2]{static_cast<std::int32_t>(rows.size()),
                                     static_cast<std::int32_t>(rows[0].size())};
        file.write(reinterpret_cast<const char*>(header), sizeof header);
        std::ofstream text(groups);
        for (std::size_t row = 0; row < rows.size(); ++row) {
            for (const double component : rows[row]) {
                const auto value = static_cast<float>(component);
                file.write(reinterpret_cast<const char*>(&value), sizeof value);
            }
            text << job.input.groups.codes[row] << '\n';
        }
    }
    const std::string path = job.path(names[job.random() % names.size()]);
    convert_file({.input = {.path = fbin}, .output = {.path = path, .force = true}});
    const Table table = read_table({.path = path, .groups_file = groups});
    (void)inspect_file(path);
    const std::uint64_t hash = hash_of(build_links(table.vectors, table.groups, job.input.options).graph);
    for (const std::string& one : {fbin, groups, path}) std::filesystem::remove(one);
    return hash;
}

std::uint64_t run_report(const Context& job) {
    const LinkResult result = link(job);
    const LinkSample sample = sample_links(result.graph, job.input.groups);
    check(!to_json(result.report).empty(), "no report");
    check(!to_html(result.report, sample, job.input.groups, job.input.ids).empty(), "no page");
    return hash_of(result.graph);
}

/// A stop at any time, or at once.
std::uint64_t run_cancelled(const Context& job) {
    std::stop_source source;
    const auto wait = std::chrono::microseconds(between(job.random, 0, 2000));
    const std::jthread stopper([&source, wait] {
        std::this_thread::sleep_for(wait);
        source.request_stop();
    });
    try {
        const JobControl control{.on_progress = {}, .stop = source.get_token()};
        (void)build_links(job.input.packed.view(), job.input.groups, job.input.options, control);
        write_links({.path = job.path("stopped.tsv"), .force = true}, {}, job.input.table(), link(job),
                    control);
        std::filesystem::remove(job.path("stopped.tsv"));
    } catch (const Error& error) {
        check(error.code() == ErrorCode::cancelled, "a stop ends in another error");
    }
    return 1;
}

/// Jobs that cannot be done: an Error, and nothing left.
std::uint64_t run_failing(const Context& job) {
    const std::string path =
        job.path("bad" + std::array<std::string, 8>{".npy", ".jsonl", ".db", ".part", ".npz", ".parquet",
                                                    ".arrow", ".csv"}[job.random() % 8]);
    std::ofstream(path, std::ios::binary) << "this is no file of any kind\n";
    const auto fails = [](auto work) {
        try {
            work();
        } catch (const Error&) {
            return true;
        } catch (const std::runtime_error&) {
            return true;  // of the callback
        }
        return false;
    };
    const Table table = job.input.table();
    check(fails([&] { (void)read_table({.path = path}); }) || path.ends_with(".csv"), "a bad file is read");
    check(fails([&] { (void)read_links(path, table); }), "a bad file of links is read");
    check(fails([&] { (void)read_part(path); }), "a bad part is read");
    check(fails([&] { convert_file({.input = {.path = path}, .output = {.path = job.path("x.npz")}}); }),
          "a bad file is converted");
    const LinkResult result = link(job);
    check(fails([&] { write_links({.path = path}, {}, table, result); }), "an output is replaced unasked");
    check(fails([&] { write_links({.path = job.path("none/x.npz")}, {}, table, result); }),
          "a folder is made up");
    LinkOptions options = job.input.options;
    options.n_nearest = 0;
    check(fails([&] { (void)build_links(table.vectors, table.groups, options); }), "no neighbors are found");
    std::filesystem::remove(path);
    return 1;
}

/// Three jobs at once.
std::uint64_t run_together(const Context& job) {
    std::array<std::uint64_t, 3> hashes{};
    {
        std::vector<std::jthread> threads;
        for (std::uint64_t& hash : hashes)
            threads.emplace_back([&hash, &job] { hash = hash_of(link(job).graph); });
    }
    check(hashes[0] == hashes[1] && hashes[1] == hashes[2],
          "the same job, at the same time, gives something else");
    return hashes[0];
}

struct Kind {
    const char* name;
    std::uint64_t (*run)(const Context&);
};
constexpr auto kinds = std::to_array<Kind>({{"linked", run_link},
                                            {"sharded and merged", run_shares},
                                            {"verified", run_verify},
                                            {"written, read and converted", run_formats},
                                            {"read from files", run_rows},
                                            {"reported", run_report},
                                            {"cancelled", run_cancelled},
                                            {"failed", run_failing},
                                            {"run at once", run_together}});

}  // namespace

Jobs::Jobs() : order_(distinct_jobs), results_(distinct_jobs, 0), kinds_(kinds.size(), 0) {
    std::iota(order_.begin(), order_.end(), 0U);
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    folder_ = (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) +
              "/grouplink-soak-XXXXXX";
    if (!::mkdtemp(folder_.data())) throw std::runtime_error("no scratch folder: " + folder_);
}

Jobs::~Jobs() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::int64_t Jobs::distinct() const { return std::ssize(order_); }

void Jobs::run_next() {
    const auto place = static_cast<std::size_t>(count_ % distinct());
    if (place == 0) {
        Random random(static_cast<std::uint64_t>(count_));
        std::shuffle(order_.begin(), order_.end(), random);
    }
    const std::uint64_t number = order_[place];
    const std::size_t kind = number % kinds.size();
    ++count_;
    ++kinds_[kind];
    std::string wrong;
    try {
        Random random(number + 1);
        const Input input(random);
        const std::uint64_t hash = kinds[kind].run({folder_, random, input, results_[number] == 0});
        if (results_[number] != 0 && results_[number] != hash) wrong = "gave something else before";
        results_[number] = hash;
    } catch (const std::exception& exception) {
        wrong = exception.what();
    }
    if (!wrong.empty() && faults_.size() < most_faults) {
        faults_.push_back(fmt::format("job {} ({}): {}", number, kinds[kind].name, wrong));
    }
}

std::string Jobs::summary() const {
    std::string text;
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        text += fmt::format("{}{} {}", kind > 0 ? ", " : "", kinds_[kind], kinds[kind].name);
    }
    return text;
}

}  // namespace stress
