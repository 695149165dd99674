#include "cli/arguments.hpp"

#include "cli/completions.hpp"
#include "cli/flags.hpp"
#include "cli/help.hpp"
#include "cli/numbers.hpp"
#include "cli/raw.hpp"
#include "cli/suggest.hpp"
#include "nearest_name.hpp"

#include <grouplink/error.hpp>

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace grouplink;
using namespace grouplink::cli;

namespace {

Arguments parse(const std::vector<std::string>& arguments) {
    return validate_arguments(parse_raw(arguments));
}

LinkArguments parse_link(std::vector<std::string> more) {
    more.insert(more.begin(), {"link", "in.npy", "-o", "out.npz"});
    return std::get<LinkArguments>(parse(more));
}

/// What is wrong with the arguments, in words; all of it has to be a usage error of one line.
std::string complaint(const std::vector<std::string>& arguments) {
    try {
        parse(arguments);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::invalid_options);
        const std::string text = error.what();
        CHECK(text.find('\n') == std::string::npos);
        return text;
    }
    return "none";
}

}  // namespace

TEST_CASE("numbers are whole texts in decimal") {
    CHECK(parse_integer("0") == 0);
    CHECK(parse_integer("-17") == -17);
    CHECK(parse_integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    for (const char* text : {"", " 1", "1 ", "+1", "1x", "0x1", "1.0", "1e3", "--1", "9223372036854775808"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_integer(text).has_value());
    }
    CHECK(parse_unsigned("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    for (const char* text : {"-1", "", "18446744073709551616", "1 "}) {
        CAPTURE(text);
        CHECK_FALSE(parse_unsigned(text).has_value());
    }
    CHECK(parse_real("0.5") == 0.5);
    CHECK(parse_real("-1e-3") == -1e-3);
    CHECK(parse_real(".5") == 0.5);
    for (const char* text : {"", "nan", "inf", "-inf", "1e999", "0.5x", " 0.5", "+0.5", "0,5", "0x1p3"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_real(text).has_value());
    }
    CHECK_FALSE(parse_real(std::string_view("1\0", 2)).has_value());
}

TEST_CASE("sizes have units, of a thousand or of 1024") {
    CHECK(parse_bytes("2000000000") == 2'000'000'000);
    CHECK(parse_bytes("8GiB") == std::int64_t{8} << 30);
    CHECK(parse_bytes("8g") == std::int64_t{8} << 30);
    CHECK(parse_bytes("500MB") == 500'000'000);
    CHECK(parse_bytes("1.5 kib") == 1536);
    CHECK(parse_bytes("64 B") == 64);
    CHECK(parse_bytes("2T") == std::int64_t{2} << 40);
    for (const char* text :
         {"", "GiB", "8X", "8GiBs", "8GBB", "-1", "1e3", "1..2", "8 G B", "9000000T", "B8", "+1", "0x10"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_bytes(text).has_value());
    }
}

TEST_CASE("the edit distance counts swaps as one") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("abc", "abc") == 0);
    CHECK(edit_distance("abc", "acb") == 1);
    CHECK(edit_distance("abc", "axc") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the nearest name is found when it is near") {
    constexpr std::array<std::string_view, 4> names{"--similarity", "--similarity-min", "--seed", "--id"};
    CHECK(nearest_name("--simlarity", names) == "--similarity");
    CHECK(nearest_name("--similarity_min", names) == "--similarity-min");
    CHECK(nearest_name("--sede", names) == "--seed");
    CHECK(nearest_name("--simil", names) == "--similarity");
    CHECK(nearest_name("--frobnicate", names).empty());
    CHECK(nearest_name("", names).empty());
    CHECK(nearest_name(std::string(10'000, '-'), names).empty());
    CHECK(nearest_name("--seed", {}).empty());
    CHECK(did_you_mean("--sede", names) == "; did you mean --seed?");
    CHECK(did_you_mean("--frobnicate", names).empty());
}

TEST_CASE("names that are merely as short, or as long, are not suggested") {
    const auto meant = [](std::string_view typed, std::vector<std::string_view> names) {
        return std::string(nearest_name(typed, names));
    };
    CHECK(meant("w", {"v", "id"}).empty());
    CHECK(meant("x", {"id"}).empty());
    CHECK(meant("ab", {"ac"}).empty());
    CHECK(meant("di", {"id"}) == "id");
    CHECK(meant("ID", {"id"}) == "id");
    CHECK(meant("idx", {"id", "word"}) == "id");
    CHECK(meant("cat", {"dog", "bird"}).empty());
    CHECK(meant("colour", {"category", "color"}) == "color");
    CHECK(meant("Topic", {"word", "topic"}) == "topic");
    CHECK(meant("site id", {"site", "site_id"}) == "site_id");
    CHECK(meant("emb", {"word", "embedding"}) == "embedding");
    CHECK(meant("em", {"word", "embedding"}).empty());
    CHECK(meant(".txt", {".tsv", ".npz"}).empty());
    CHECK(meant(".parquett", {".arrow", ".parquet"}) == ".parquet");
    CHECK(meant(".json", {".npz", ".jsonl"}) == ".jsonl");
    CHECK(meant("topics", {"topics2", "topic"}) == "topics2");  // equally near: the first
    CHECK(meant("---", {"--id"}).empty());
    CHECK(meant("vector", {"", std::string_view("\0", 1)}).empty());
}

TEST_CASE("what is not given has the library's default") {
    const LinkArguments link = parse_link({});
    const LinkOptions defaults;
    CHECK(link.input.path == "in.npy");
    CHECK(link.output.path == "out.npz");
    CHECK(link.output.layout == Layout::edges);
    CHECK_FALSE(link.output.force);
    CHECK(link.options.n_nearest == defaults.n_nearest);
    CHECK(link.options.similarity_min == defaults.similarity_min);
    CHECK(link.options.similarity_min_q == defaults.similarity_min_q);
    CHECK(link.options.quantile_scope == defaults.quantile_scope);
    CHECK(link.options.metric == defaults.metric);
    CHECK(link.options.similarity == defaults.similarity);
    CHECK(link.options.links == defaults.links);
    CHECK(link.options.index == defaults.index);
    CHECK(link.options.on_bad_row == defaults.on_bad_row);
    CHECK(link.options.seed == defaults.seed);
    CHECK(link.options.threads == defaults.threads);
    CHECK(link.reports.empty());
    CHECK_FALSE(link.json);
    CHECK_FALSE(link.quiet);
}

TEST_CASE("every flag of link arrives") {
    const LinkArguments link = parse_link({"--embedding",
                                           "e",
                                           "--group",
                                           "g",
                                           "--id",
                                           "i",
                                           "--groups",
                                           "g.tsv:x",
                                           "--ids",
                                           "i.npy",
                                           "-k3",
                                           "-q",
                                           "--similarity-min=-0.5",
                                           "--similarity-min-q",
                                           "0.25",
                                           "--quantile-scope",
                                           "group",
                                           "--similarity",
                                           "half-cosine",
                                           "--metric",
                                           "angular",
                                           "--links",
                                           "mutual",
                                           "--index",
                                           "flat",
                                           "--on-bad-row",
                                           "drop",
                                           "--seed",
                                           "7",
                                           "--threads",
                                           "2",
                                           "--memory",
                                           "3MiB",
                                           "--force",
                                           "--layout",
                                           "lists",
                                           "--report",
                                           "r.json",
                                           "--report=r.html",
                                           "--text",
                                           "t",
                                           "--json"});
    CHECK(link.input.text == "t");
    CHECK(link.input.embedding == "e");
    CHECK(link.input.group == "g");
    CHECK(link.input.id == "i");
    CHECK(link.input.groups_file == "g.tsv:x");
    CHECK(link.input.ids_file == "i.npy");
    CHECK(link.options.n_nearest == 3);
    CHECK(link.options.similarity_min == -0.5);
    CHECK(link.options.similarity_min_q == 0.25);
    CHECK(link.options.quantile_scope == QuantileScope::group);
    CHECK(link.options.similarity == Similarity::half_cosine);
    CHECK(link.options.links == LinkMode::mutual);
    CHECK(link.options.index == IndexKind::flat);
    CHECK(link.options.on_bad_row == BadRowPolicy::drop);
    CHECK(link.options.seed == 7);
    CHECK(link.options.threads == 2);
    CHECK(link.options.memory_bytes == 3 << 20);
    CHECK(link.output.force);
    CHECK(link.output.layout == Layout::lists);
    CHECK(link.reports == std::vector<std::string>{"r.json", "r.html"});
    CHECK(link.json);
    CHECK(link.quiet);
}

TEST_CASE("explain takes the options of link that bear on the plan") {
    const auto explain = std::get<ExplainArguments>(parse(
        {"explain", "in.npy", "-k", "3", "--metric", "dot", "--group", "g", "--memory", "1g", "--json"}));
    CHECK(explain.options.n_nearest == 3);
    CHECK(explain.options.metric == Metric::dot);
    CHECK(explain.input.group == "g");
    CHECK(explain.options.memory_bytes == 1 << 30);
    CHECK(explain.json);
}

TEST_CASE("inspect takes a file and a grouping") {
    const auto inspect =
        std::get<InspectArguments>(parse({"inspect", "--group", "g", "--groups", "f.tsv", "in.npy"}));
    CHECK(inspect.path == "in.npy");
    CHECK(inspect.group == "g");
    CHECK(inspect.groups_file == "f.tsv");
}

TEST_CASE("a value may look like a flag, and a file after -- too") {
    CHECK(parse_link({"--group", "--id"}).input.group == "--id");
    CHECK(parse_link({"--similarity-min", "-1"}).options.similarity_min == -1.0);
    CHECK(std::get<InspectArguments>(parse({"inspect", "--", "--json"})).path == "--json");
    CHECK(std::get<InspectArguments>(parse({"inspect", "link"})).path == "link");
    CHECK(std::get<InspectArguments>(parse({"inspect", "-"})).path == "-");
    CHECK(std::get<InspectArguments>(parse({"inspect", "[a,b]"})).path == "[a,b]");
    CHECK(parse_link({"--group", "[a,b]"}).input.group == "[a,b]");
    CHECK(parse_link({"--group", "a b,c"}).input.group == "a b,c");
    CHECK(parse_link({"--group=a=b"}).input.group == "a=b");
}

TEST_CASE("convert") {
    const auto convert = [](std::vector<std::string> more) {
        more.insert(more.begin(), "convert");
        return std::get<ConvertArguments>(parse(more));
    };
    const ConvertArguments plain = convert({"a.parquet", "b.db"});
    CHECK(plain.spec.input.path == "a.parquet");
    CHECK(plain.spec.output.path == "b.db");
    CHECK(plain.spec.keep_layout);
    CHECK_FALSE(plain.spec.output.force);
    CHECK_FALSE(plain.quiet);
    const ConvertArguments full = convert({"a.db", "b.arrow", "--layout", "lists", "--id", "i", "--group",
                                           "g", "--embedding", "v", "--force", "-q"});
    CHECK_FALSE(full.spec.keep_layout);
    CHECK(full.spec.output.layout == Layout::lists);
    CHECK(full.spec.output.force);
    CHECK(full.spec.input.id == "i");
    CHECK(full.spec.input.group == "g");
    CHECK(full.spec.input.embedding == "v");
    CHECK(full.quiet);
    CHECK(convert({"a.db", "b.db", "--update"}).spec.output.update);
    CHECK(complaint({"convert"}) == "convert: got no files, wants IN and OUT; see grouplink convert --help");
    CHECK(complaint({"convert", "a", "b", "c"}).starts_with("convert: got more than two files"));
    CHECK(complaint({"convert", "a", ""}) == "OUT: got \"\", wants the path of a file");
    CHECK(complaint({"convert", "a", "b", "--update", "--force"}).starts_with("--update adds"));
}

TEST_CASE("an output that is added to, and parameters from a file") {
    CHECK_FALSE(parse_link({}).output.update);
    CHECK(parse_link({"--update"}).output.update);
    CHECK(parse_raw(std::vector<std::string>{"link", "--params", "a.json"}).params == "a.json");
    RawArguments raw = parse_raw(std::vector<std::string>{"explain", "a.npy"});
    CHECK(std::get<ExplainArguments>(validate_arguments(raw)).notes.empty());
    raw.params = "a.json";
    raw.ignored_params = {"n_trees"};
    CHECK(std::get<ExplainArguments>(validate_arguments(raw)).notes ==
          std::vector<std::string>{"n_trees of a.json has no effect: it is Annoy's, which is not used"});
}

TEST_CASE("what is wrong is said in one line: the flag, what it got, what it wants") {
    CHECK(complaint({}) ==
          "no command; one of link, explain, inspect, verify, convert, merge, completions, man, or --help");
    CHECK(complaint({"lnik"}) == "no command \"lnik\"; did you mean link?");
    CHECK(complaint({"link"}) == "link: no INPUT; see grouplink link --help");
    CHECK(complaint({"link", "a.npy"}) == "link: no -o OUTPUT; see grouplink link --help");
    CHECK(complaint({"link", "a", "-o"}) == "link: --output needs a value");
    CHECK(complaint({"link", "a", "-o", "b", "-k", "3x"}) ==
          "--n-nearest: got \"3x\", wants a whole number >= 1");
    CHECK(complaint({"link", "a", "-o", "b", "--memory", "lots"}) ==
          "--memory: got \"lots\", wants a size such as 8GiB, 500MB or 2000000000");
    CHECK(complaint({"link", "a", "-o", "b", "--index", "tree"}) ==
          "--index: got \"tree\", wants auto, flat, ivf, hnsw or partition");
    CHECK(complaint({"link", "a", "-o", "b", "--simlarity"}) ==
          "link: no flag --simlarity; did you mean --similarity?");
    CHECK(complaint({"link", "a", "-o", "b", "--k", "3"}) == "link: no flag --k; did you mean -k?");
    CHECK(complaint({"link", "a", "-o", "b", "-k", "1", "-k", "2"}) ==
          "link: --n-nearest given 2 times, wants once");
    CHECK(complaint({"link", "a", "-o", "b", "--metric", "dot", "--similarity", "cosine"}) ==
          "--similarity cosine goes with --metric angular only, got --metric dot");
    CHECK(complaint({"link", "a", "-o", "b", "--metric", "a\nb\x1b"}) ==
          "--metric: got \"a\\nb\\x1b\", wants angular, euclidean, manhattan, hamming or dot");
}

TEST_CASE("what stands for a value tells what completes it") {
    using Texts = std::vector<std::string_view>;
    const auto endings = [](std::string_view placeholder) { return values_of(placeholder).extensions; };
    CHECK(endings("FILE.json") == Texts{".json"});
    CHECK(endings("FILE.html|FILE.json") == Texts{".html", ".json"});
    CHECK(endings("INPUT") == file_extensions(FileRole::rows));
    CHECK(endings("OUTPUT") == file_extensions(FileRole::links));
    CHECK(endings("FILE") == file_extensions(FileRole::any));
    for (const char* any : {"FILE[:COL]", "PART..."}) {
        CHECK(endings(any).empty());
        CHECK(values_of(any).any_file);
    }
    for (const char* none : {"N", "COL", "W", ""}) {
        CHECK(endings(none).empty());
        CHECK_FALSE(values_of(none).any_file);
        CHECK(values_of(none).names.empty());
    }
    CHECK(values_of("SHELL").names.size() == 3);
    CHECK(operands(command(CommandKind::link)) == Texts{"INPUT"});
    CHECK(operands(command(CommandKind::verify)) == Texts{"INPUT", "OUTPUT"});
    CHECK(operands(command(CommandKind::man)).empty());
    CHECK(operands({.kind = CommandKind::none,
                    .name = "merge",
                    .usage = "grouplink merge PART... -o OUTPUT",
                    .summary = "",
                    .about = "",
                    .examples = {},
                    .flags = {}}) == Texts{"PART..."});
}

TEST_CASE("what a flag does is said in short") {
    const auto short_help = [](const char* help) {
        Flag flag;
        flag.help = help;
        return std::string(brief(flag));
    };
    CHECK(short_help("Links per row [default: 15]") == "Links per row");
    CHECK(short_help("With --index ivf: lists; more") == "With --index ivf: lists");
    CHECK(short_help("One. Two") == "One");
    CHECK(short_help("a .json file") == "a .json file");
    CHECK(short_help("").empty());
}

TEST_CASE("no arguments at all make the parser do anything but answer or complain") {
    const std::vector<std::string> pieces{
        "link",     "-",   "--",      "-k",       "--k", "=",  "-o=", "--=", "-=",  "---",
        "-kq",      "-qk", "--json=", "--json=1", "[",   "]",  "[]",  "",    " ",   "-k=3",
        "--help=x", "-hq", "-V",      "++",       "/?",  "{}", "a,b", "-1",  "--1", "\xff"};
    for (const std::string& a : pieces) {
        for (const std::string& b : pieces) {
            for (const std::string& c : {std::string("x"), std::string("-q"), a}) {
                for (const char* command : {"link", "explain", "inspect"}) {
                    try {
                        parse({command, a, b, c});
                    } catch (const Error& error) {
                        REQUIRE(error.code() == ErrorCode::invalid_options);
                    }
                }
            }
        }
    }
}

TEST_CASE("the help names every flag, and fits 80 columns") {
    std::string all = help();
    for (const Command& command : commands()) {
        const std::string text = help(command);
        all += text;
        for (const Flag& flag : command.flags) {
            CAPTURE(flag.names);
            CHECK(text.find(long_name(flag)) != std::string::npos);
            CHECK((flag.on == nullptr) == !flag.value.empty());
            CHECK((flag.text != nullptr) + (flag.texts != nullptr) + (flag.on != nullptr) == 1);
        }
    }
    std::istringstream lines(all);
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(line.size() <= 80);
        CHECK_FALSE(line.ends_with(' '));
    }
}

TEST_CASE("verify tells what was typed from what was not") {
    const auto verify = [](std::vector<std::string> more) {
        more.insert(more.begin(), {"verify", "in.npy", "out.npz"});
        return std::get<VerifyArguments>(parse(more));
    };
    const VerifyArguments plain = verify({});
    CHECK(plain.input.path == "in.npy");
    CHECK(plain.links == "out.npz");
    CHECK(plain.sample == 1000);
    CHECK(plain.recall_min == 0.0);
    CHECK_FALSE(plain.given.metric.has_value());
    CHECK_FALSE(plain.given.n_nearest.has_value());
    const VerifyArguments given = verify(
        {"-k", "15", "--metric", "dot", "--links", "mutual", "--similarity-min", "0", "--similarity-min-q",
         "0.5", "--quantile-scope", "group", "--sample", "7", "--recall-min", "0.9", "--seed", "3"});
    CHECK(given.given.n_nearest == 15);
    CHECK(given.given.metric == Metric::dot);
    CHECK(given.given.links == LinkMode::mutual);
    CHECK(given.given.similarity_min == 0.0);
    CHECK(given.given.similarity_min_q == 0.5);
    CHECK(given.given.quantile_scope == QuantileScope::group);
    CHECK_FALSE(given.given.similarity.has_value());
    CHECK(given.sample == 7);
    CHECK(given.recall_min == 0.9);
    CHECK(given.seed == 3);
    CHECK(complaint({"verify", "in.npy"}) ==
          "verify: got one file, wants INPUT and OUTPUT; see grouplink verify --help");
    CHECK(complaint({"verify", "in.npy", "a.npz", "--recall-min", "0.5", "--sample", "0"}) ==
          "--recall-min needs a sample of rows, got --sample 0");
}

TEST_CASE("a share of link") {
    CHECK_FALSE(parse_link({}).shard);
    CHECK_FALSE(parse_link({}).resume);
    CHECK(parse_link({"--resume"}).resume);
    const LinkArguments link =
        std::get<LinkArguments>(parse({"link", "in.npy", "-o", "2.part", "--shard", "2/8"}));
    CHECK(link.shard == Shard{.index = 2, .count = 8});
    CHECK(link.output.path == "2.part");
    for (const std::string shard : {"", "2", "0/2", "3/2", "-1/2", "1/0", "a/b", "1/", "/1", "1/2/3", "1 /2",
                                    "1.5/2", "1/99999999999999999999"}) {
        CHECK(complaint({"link", "in.npy", "-o", "2.part", "--shard", shard}).starts_with("--shard: got"));
    }
    CHECK(complaint({"link", "in.npy", "-o", "2.part", "--shard", "1/2", "--update"})
              .starts_with("--update goes with merge"));
    CHECK(complaint({"link", "in.npy", "-o", "2.part", "--shard", "1/2", "--layout", "edges"})
              .starts_with("--layout goes with merge"));
}

TEST_CASE("shares that explain shows") {
    const auto shares = [](const std::string& text) {
        return std::get<ExplainArguments>(parse({"explain", "in.npy", "--shard", text})).shares;
    };
    CHECK_FALSE(std::get<ExplainArguments>(parse({"explain", "in.npy"})).shares);
    CHECK(shares("8")->count == 8);
    CHECK(shares("8")->index == 0);
    CHECK(shares("3/8")->count == 8);
    CHECK(shares("3/8")->index == 3);
    for (const std::string shard : {"", "0", "9/8", "0/8", "x", "1000001"}) {
        CHECK(complaint({"explain", "in.npy", "--shard", shard}).starts_with("--shard: got"));
    }
}

TEST_CASE("merge takes parts, and where the input has gone") {
    const auto merge = std::get<MergeArguments>(
        parse({"merge", "1.part", "2.part", "-o", "links.db", "--input", "in.npy", "--groups", "g.txt",
               "--ids", "i.txt", "--threads", "3", "--update", "--report", "r.json", "--json", "-q"}));
    CHECK(merge.parts == std::vector<std::string>{"1.part", "2.part"});
    CHECK(merge.job.output.path == "links.db");
    CHECK(merge.job.output.update);
    CHECK(merge.job.input.path == "in.npy");
    CHECK(merge.job.input.groups_file == "g.txt");
    CHECK(merge.job.input.ids_file == "i.txt");
    CHECK(merge.job.options.threads == 3);
    CHECK(merge.job.reports == std::vector<std::string>{"r.json"});
    CHECK(merge.job.json);
    CHECK(merge.job.quiet);
    const auto lists =
        std::get<MergeArguments>(parse({"merge", "1.part", "-o", "l.arrow", "--layout", "lists", "--force"}));
    CHECK(lists.job.output.layout == Layout::lists);
    CHECK(lists.job.output.force);
    CHECK(lists.job.input.path.empty());
    CHECK(complaint({"merge"}) == "merge: no PART; see grouplink merge --help");
    CHECK(complaint({"merge", "1.part"}) == "merge: no -o OUTPUT; see grouplink merge --help");
    CHECK(complaint({"merge", "1.part", "", "-o", "l.npz"}).starts_with("PART: got \"\""));
    CHECK(complaint({"merge", "l.npz", "-o", "l.npz"}) == "--output: got \"l.npz\", wants a file of its own");
    CHECK(complaint({"merge", "1.part", "-o", "l.npz", "--input", ""}).starts_with("--input: got"));
    CHECK(complaint({"merge", "1.part", "-o", "l.npz", "-k", "3"}).find("no flag -k") != std::string::npos);
}
