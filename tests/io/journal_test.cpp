// Journals in files: written, gone on from, cut and spoilt at every byte.

#include "io/outputs.hpp"

#include "io/journal_file.hpp"
#include "io/journal_record.hpp"

#include <grouplink/journal.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <limits>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace grouplink;
using namespace grouplink::test;

namespace {

struct Input {
    std::vector<float> values;
    Table table{nullptr, {}, {}, {}};

    /// Five groups, of which the first is as large as is asked for.
    explicit Input(std::int64_t largest = 9) {
        constexpr std::int64_t dim = 3;
        std::mt19937 random(3);
        std::normal_distribution<float> normal;
        GroupEncoder groups;
        for (std::int64_t group = 0; group < 5; ++group) {
            const std::int64_t rows = group == 0 ? largest : 3 + group;
            for (std::int64_t row = 0; row < rows; ++row) {
                groups.push(group);
                for (int i = 0; i < dim; ++i) values.push_back(normal(random));
            }
        }
        table.vectors = matrix_view(values, dim);
        table.groups = groups.finish();
    }
};

JournalSpec spec_of(const Folder& folder, LinkOptions options = {.n_nearest = 3, .threads = 1}) {
    return {.output = folder / "links.npz", .options = options, .resume = true};
}

LinkResult link(const Input& input, Journal& journal, const LinkOptions& options) {
    return build_links(input.table.vectors, input.table.groups, options,
                       {.on_progress = {}, .stop = {}, .checkpoints = journal.open(input.table)});
}

/// The links, with a journal that is left behind as by a run that was killed.
LinkResult leave_journal(const Input& input, const JournalSpec& spec) {
    Journal journal(spec);
    return link(input, journal, spec.options);
}

/// What a job finds, a group a checkpoint.
std::vector<Checkpoint> checkpoints_of(const Input& input, const LinkOptions& options) {
    std::vector<Checkpoint> all;
    Checkpoints checkpoints;
    checkpoints.keep = [&](const Checkpoint& found) {
        std::ptrdiff_t at = 0;
        for (const FoundRange& range : found.ranges) {
            const std::ptrdiff_t end = at + range.range.count * range.neighbors;
            all.push_back({.ranges = {range},
                           .targets = {found.targets.begin() + at, found.targets.begin() + end},
                           .distances = {found.distances.begin() + at, found.distances.begin() + end}});
            at = end;
        }
    };
    build_links(input.table.vectors, input.table.groups, options,
                {.on_progress = {},
                 .stop = {},
                 .checkpoints = std::make_shared<const Checkpoints>(std::move(checkpoints))});
    return all;
}

void check_same(const LinkResult& one, const LinkResult& other) {
    REQUIRE(one.graph.targets == other.graph.targets);
    REQUIRE(one.graph.weights == other.graph.weights);
    REQUIRE(one.report.scored_pairs == other.report.scored_pairs);
}

std::string journal_of(const Folder& folder) { return folder / ".links.npz.resume"; }

}  // namespace

TEST_CASE("a job goes on from its journal") {
    const Folder folder;
    const Input input(3000);
    const JournalSpec spec = spec_of(folder);
    {
        Journal fresh(spec);
        CHECK(std::filesystem::exists(journal_of(folder)));
        CHECK_FALSE(fresh.kept());
    }
    CHECK(folder.files() == 0);  // it held nothing
    const LinkResult whole = leave_journal(input, spec);
    CHECK(folder.files() == 1);
    CHECK(whole.report.resumed->groups == 0);
    for (int threads : {1, 2, 3}) {
        JournalSpec more = spec;
        more.options.threads = threads;
        const std::string before = read(journal_of(folder));
        const LinkResult again = leave_journal(input, more);
        check_same(again, whole);
        CHECK(again.report.resumed->groups == 5);
        CHECK(again.report.resumed->rows == input.table.vectors.rows);
        CHECK(again.report.resumed->scored_pairs == whole.report.scored_pairs);
        CHECK(read(journal_of(folder)) == before);
    }
    Journal last(spec);
    CHECK(last.kept());
    check_same(link(input, last, spec.options), whole);
    CHECK(last.note().empty());
    last.remove();
    CHECK_FALSE(last.kept());
    CHECK(folder.files() == 0);
}

TEST_CASE("a journal that is opened and not used stays") {
    const Folder folder;
    const Input input;
    leave_journal(input, spec_of(folder));
    const std::string before = read(journal_of(folder));
    { const Journal journal(spec_of(folder)); }
    CHECK(read(journal_of(folder)) == before);
    {
        Journal journal(spec_of(folder));
        journal.open(input.table);
    }
    CHECK(read(journal_of(folder)) == before);
}

TEST_CASE("a journal that ends anywhere, or holds a wrong bit anywhere, gives the same links") {
    const Folder folder;
    const Input input;
    const JournalSpec spec = spec_of(folder);
    const LinkResult whole = build_links(input.table.vectors, input.table.groups, spec.options);
    {
        Journal journal(spec);
        const auto checkpoints = journal.open(input.table);
        for (const Checkpoint& found : checkpoints_of(input, spec.options)) checkpoints->keep(found);
    }
    const std::string good = read(journal_of(folder));
    REQUIRE(good.size() > 1000);
    std::int64_t most = 0;
    const auto try_with = [&](const std::string& bytes) {
        put(journal_of(folder), bytes);
        const LinkResult result = leave_journal(input, spec);
        check_same(result, whole);
        most = std::max(most, result.report.resumed->groups);
        // What it left is whole again.
        check_same(leave_journal(input, spec), whole);
        return result.report.resumed->groups;
    };
    CHECK(try_with(good) == 5);
    std::int64_t before = 0;
    for (std::size_t size = 0; size < good.size(); ++size) {
        const std::int64_t groups = try_with(good.substr(0, size));
        CHECK(groups >= before);
        before = groups;
    }
    CHECK(before == 4);
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
        CHECK(try_with(bad) < 5);
    }
    CHECK(try_with(good + good) == 5);
    CHECK(try_with(good + std::string(100, '\0')) == 5);
    CHECK(try_with(std::string(good.size(), '\0')) == 0);
}

TEST_CASE("records that check out and make no sense end the journal") {
    const Folder folder;
    const Input input;
    const JournalSpec spec = spec_of(folder);
    const LinkResult whole = build_links(input.table.vectors, input.table.groups, spec.options);
    const std::vector<Checkpoint> all = checkpoints_of(input, spec.options);
    const auto try_with = [&](const std::string& record) {
        {
            Journal journal(spec);
            const auto checkpoints = journal.open(input.table);
            checkpoints->keep(all[0]);
        }
        {
            auto file = io::JournalFile::open(journal_of(folder), false);
            while (file->next()) continue;
            file->append(record);
            file->append(io::journal_record(all[1], "elsewhere"));
        }
        const LinkResult result = leave_journal(input, spec);
        check_same(result, whole);
        CHECK(result.report.resumed->groups == 1);
        std::filesystem::remove(journal_of(folder));
    };
    try_with("x");
    try_with(std::string(8, '\xff'));
    try_with(std::string(1000, '\0'));
    try_with(std::string(1000, '\x7f'));
    Checkpoint bad = all[2];
    bad.targets[0] = 1'000'000;
    try_with(io::journal_record(bad, ""));
    bad = all[2];
    bad.ranges[0].range.group = 77;
    try_with(io::journal_record(bad, ""));
    bad = all[2];
    bad.distances[0] = std::numeric_limits<float>::quiet_NaN();
    try_with(io::journal_record(bad, ""));
    std::mt19937 random(9);
    for (int i = 0; i < 300; ++i) {
        std::string record = io::journal_record(all[2], "");
        record[random() % 80] = static_cast<char>(random());
        {
            Journal journal(spec);
            const auto checkpoints = journal.open(input.table);
            checkpoints->keep(all[0]);
        }
        {
            auto file = io::JournalFile::open(journal_of(folder), false);
            while (file->next()) continue;
            file->append(record);
        }
        const LinkResult result = leave_journal(input, spec);
        REQUIRE(result.graph.targets == whole.graph.targets);
        REQUIRE(result.graph.weights == whole.graph.weights);
        std::filesystem::remove(journal_of(folder));
    }
}

TEST_CASE("a journal of another job is refused, and stays") {
    const Folder folder;
    const Input input;
    leave_journal(input, spec_of(folder));
    const std::string before = read(journal_of(folder));
    const std::string advice = "; resume with what that job had, or delete it to begin anew";
    const auto refused = [&](const JournalSpec& spec, const Input& other) {
        const auto [code, text] = error_of([&] { leave_journal(other, spec); });
        CHECK(code == ErrorCode::bad_input);
        const std::string start = journal_of(folder) + ": is the journal of another job: its ";
        REQUIRE(text.starts_with(start));
        REQUIRE(text.ends_with(advice));
        CHECK(read(journal_of(folder)) == before);
        return text.substr(start.size(), text.size() - start.size() - advice.size());
    };
    CHECK(refused(spec_of(folder, {.n_nearest = 4}), input) == "n_nearest is 3, not 4");
    CHECK(refused(spec_of(folder, {.n_nearest = 3, .metric = Metric::dot}), input) ==
          "metric is angular, not dot");
    CHECK(refused(spec_of(folder, {.n_nearest = 3, .seed = 1}), input) == "seed is 0, not 1");
    JournalSpec share = spec_of(folder);
    share.shard = {.index = 2, .count = 4};
    CHECK(refused(share, input) == "number of shares is 1, not 4");
    CHECK(refused(spec_of(folder), Input(10)) == "number of rows is 31, not 32");
    Input other;
    other.values[4] += 1.0F;
    CHECK(refused(spec_of(folder), other) == "input had other vectors");
    other = Input();
    other.table.vectors = matrix_view(other.values, 3);
    other.table.groups.codes[0] = 1;
    CHECK(refused(spec_of(folder), other) == "input had other groups");

    // Another share of the same job, and another version.
    std::filesystem::remove(journal_of(folder));
    leave_journal(input, share);
    share.shard.index = 3;
    CHECK(error_of([&] { Journal{share}; }).second.find("its share is 2, not 3") != std::string::npos);
    {
        auto file = io::JournalFile::open(journal_of(folder), false);
        std::string manifest = file->manifest();
        const std::string now = version();
        manifest.replace(manifest.find(now), now.size(), "0.0.1");
        file->begin(manifest);
    }
    CHECK(error_of([&] { Journal{share}; }).second.find("its grouplink version is 0.0.1, not ") !=
          std::string::npos);
}

TEST_CASE("threads are no part of the job") {
    const Folder folder;
    const Input input;
    leave_journal(input, spec_of(folder, {.n_nearest = 3, .threads = 2}));
    CHECK(leave_journal(input, spec_of(folder, {.n_nearest = 3})).report.resumed->groups == 5);
}

TEST_CASE("what is no journal is left alone") {
    const Folder folder;
    const Input input;
    const std::string path = journal_of(folder);
    const std::string text = "a text of more bytes than a journal has in its header\n";
    put(path, text);
    CHECK(error_of([&] { Journal{spec_of(folder)}; }) ==
          std::pair(ErrorCode::bad_input, path + ": is not a journal of grouplink; move it away"));
    CHECK(read(path) == text);
    std::filesystem::remove(path);

    put(folder / "other", text);
    std::filesystem::create_symlink("other", path);
    CHECK(error_of([&] { Journal{spec_of(folder)}; }) ==
          std::pair(ErrorCode::io, path + ": is a symbolic link; remove it"));
    CHECK(read(folder / "other") == text);
    std::filesystem::remove(path);

    std::filesystem::create_directory(path);
    CHECK(error_of([&] { Journal{spec_of(folder)}; }).first == ErrorCode::io);
    std::filesystem::remove(path);
    CHECK(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(error_of([&] { Journal{spec_of(folder)}; }) ==
          std::pair(ErrorCode::io, path + ": is not a regular file; remove it"));

    // Without `resume` none of it matters.
    JournalSpec spec = spec_of(folder);
    spec.resume = false;
    spec.begin_after_seconds = 0.0;
    Journal journal(spec);
    journal.open(input.table);
    for (int i = 0; i < 2000 && journal.note().empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(journal.note() == "nothing is kept for --resume: " + path + ": is not a regular file; remove it");
}

TEST_CASE("one run at a time has the journal") {
    const Folder folder;
    const Input input;
    Journal first(spec_of(folder));
    CHECK(error_of([&] { Journal{spec_of(folder)}; }) ==
          std::pair(ErrorCode::io, journal_of(folder) +
                                       ": another run of grouplink keeps it; wait for its end, or stop it"));
    JournalSpec spec = spec_of(folder);
    spec.resume = false;
    const Journal second(spec);
    CHECK_FALSE(second.waiting());
    first.remove();
    CHECK_NOTHROW(Journal{spec_of(folder)});
}

TEST_CASE("without being asked for, a journal begins after a while") {
    const Folder folder;
    const Input input;
    JournalSpec spec = spec_of(folder);
    spec.resume = false;
    const auto leave_late = [&] {
        Journal journal(spec);
        const auto checkpoints = journal.open(input.table);
        for (int i = 0; i < 2000 && !checkpoints->wanted(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        REQUIRE(checkpoints->wanted());
        CHECK_FALSE(checkpoints->restore);
        const std::vector<Checkpoint> all = checkpoints_of(input, spec.options);
        checkpoints->keep(all[0]);
        checkpoints->keep(all[3]);
        return journal.waiting();
    };
    leave_journal(input, spec);
    CHECK(folder.files() == 0);  // a short run has none
    spec.begin_after_seconds = 0.0;
    CHECK_FALSE(leave_late());
    CHECK(folder.files() == 1);
    CHECK(leave_late());  // and what is there already is kept

    const LinkResult whole = build_links(input.table.vectors, input.table.groups, spec.options);
    const LinkResult resumed = leave_journal(input, spec_of(folder));
    check_same(resumed, whole);
    CHECK(resumed.report.resumed->groups == 2);

    // One of another job is replaced.
    spec.options.n_nearest = 2;
    CHECK_FALSE(leave_late());
    CHECK(leave_journal(input, spec_of(folder, spec.options)).report.resumed->groups == 2);

    // A run that ends before it would begin one removes what waited for this job.
    spec.begin_after_seconds = 1000.0;
    Journal journal(spec);
    CHECK(journal.waiting());
    link(input, journal, spec.options);
    journal.remove();
    CHECK(folder.files() == 0);
}

TEST_CASE("a journal that cannot grow is given up, and the job goes on") {
    const Folder folder;
    const Input input(3000);
    const JournalSpec spec = spec_of(folder);
    const LinkResult whole = build_links(input.table.vectors, input.table.groups, spec.options);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit old_limit{};
    ::getrlimit(RLIMIT_FSIZE, &old_limit);
    const auto limited = [&](rlim_t bytes, auto work) {
        rlimit limit = old_limit;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
        work();
        ::setrlimit(RLIMIT_FSIZE, &old_limit);
    };
    limited(100, [&] { CHECK(error_of([&] { leave_journal(input, spec); }).first == ErrorCode::io); });
    limited(8192, [&] {
        Journal journal(spec);
        check_same(link(input, journal, spec.options), whole);
        CHECK(journal.note() == "not all that was found could be kept for --resume: " + journal_of(folder) +
                                    ": cannot write the journal: File too large");
    });
    std::signal(SIGXFSZ, old_handler);
    check_same(leave_journal(input, spec), whole);
}

TEST_CASE("temporary files of killed runs go, those of others stay") {
    const Folder folder;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    const std::string dead = std::to_string(child);
    put(folder / (".links.npz.tmp-" + dead + "-abcdef"), "x");
    put(folder / (".links.npz.tmp-" + std::to_string(::getpid()) + "-abcdef"), "x");
    put(folder / (".other.npz.tmp-" + dead + "-abcdef"), "x");
    put(folder / (".links.npz.tmp-" + dead), "x");
    put(folder / ".links.npz.tmp-0-abcdef", "x");
    put(folder / ".links.npz.tmp--1-abcdef", "x");
    put(folder / ".links.npz.tmp-x", "x");
    CHECK(folder.files() == 7);
    { const Journal journal(spec_of(folder)); }
    CHECK(folder.files() == 6);
    CHECK_FALSE(std::filesystem::exists(folder / (".links.npz.tmp-" + dead + "-abcdef")));
}

TEST_CASE("names that are long, and outputs behind links") {
    const Folder folder;
    const Input input;
    JournalSpec spec = spec_of(folder);
    spec.output = folder / (std::string(240, 'n') + ".npz");
    leave_journal(input, spec);
    CHECK(folder.files() == 1);
    CHECK(leave_journal(input, spec).report.resumed->groups == 5);
    spec.output = folder / (std::string(240, 'n') + ".csv");
    CHECK(leave_journal(input, spec).report.resumed->groups == 0);

    std::filesystem::create_directory(folder / "real");
    put(folder / "real/links.npz", "x");
    std::filesystem::create_symlink("real/links.npz", folder / "link.npz");
    spec.output = folder / "link.npz";
    leave_journal(input, spec);
    CHECK(std::filesystem::exists(folder / "real/.links.npz.resume"));
}
