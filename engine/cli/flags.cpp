#include "cli/flags.hpp"

#include "cli/choices.hpp"
#include "cli/text.hpp"

#include <grouplink/options.hpp>
#include <grouplink/verify.hpp>

#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <iterator>

namespace grouplink::cli {
namespace {

constexpr std::string_view section_input = "Input";
constexpr std::string_view section_links = "Linking";
constexpr std::string_view section_made = "How the links were made, where OUTPUT does not record it";
constexpr std::string_view section_checks = "Checks";
constexpr std::string_view section_output = "Output";
constexpr std::string_view section_run = "Run";

void append(std::vector<Flag>& to, std::vector<Flag> from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// The flag, which takes one of `values`.
template <typename Value, std::size_t count>
Flag chosen(Flag flag, const std::array<Value, count>& values,
            std::initializer_list<std::string_view> meanings = {}) {
    const auto* meaning = meanings.begin();
    for (const std::string_view value : names_of(values)) {
        flag.choices.push_back({value, meaning == meanings.end() ? std::string_view() : *meaning++});
    }
    return flag;
}

std::vector<Flag> input_flags() {
    return {
        {"--embedding", "COL", section_input,
         "Column of the vectors [default: the only column of float lists]", &RawArguments::embedding},
        {"--group", "COL", section_input,
         "Column of the groups: a table's, or that of the --groups file [default: all rows are one group]",
         &RawArguments::group},
        {"--id", "COL", section_input,
         "Column of the ids: a table's, or that of the --ids or --groups file [default: row numbers]",
         &RawArguments::id},
        {"--groups", "FILE[:COL]", section_input,
         "Groups from a file, a value a row: .npy, .tsv or .csv with a header line, or text with a value a "
         "line; an empty value is no group",
         &RawArguments::groups},
        {"--ids", "FILE[:COL]", section_input, "Ids from a file, in the same forms", &RawArguments::ids},
    };
}

std::vector<Flag> index_flags() {
    const LinkOptions defaults;
    return {
        chosen(
            {"--index", "KIND", section_links,
             fmt::format("How neighbours are searched. The last three miss some links; they are for large "
                         "groups, and angular, dot and euclidean, and small groups stay flat [default: {}]",
                         name(defaults.index)),
             &RawArguments::index},
            index_kinds,
            {"chosen for each group", "every pair, exact", "k-means lists, some of them", "a navigable graph",
             "overlapping cells, then refined"}),
        {"--recall-target", "R", section_links,
         fmt::format("Share of the exact links that an approximate group is to find, above 0 and up to 1. "
                     "Rows of a sample are searched exactly, and effort is raised until the lower end of "
                     "their recall's 95 % confidence interval is there [default: {}]",
                     defaults.recall_target),
         &RawArguments::recall_target},
        {"--nlist", "N", section_links,
         "With --index ivf: lists of a group [default: 0, the square root of its rows]",
         &RawArguments::nlist},
        {"--nprobe", "N", section_links,
         "With --index ivf: lists that a row searches [default: 0, as the recall target takes]",
         &RawArguments::nprobe},
        {"--hnsw-m", "N", section_links,
         fmt::format("With --index hnsw: links of a node, 2 to 512 [default: {}]", defaults.hnsw.M),
         &RawArguments::hnsw_m},
        {"--ef-construction", "N", section_links,
         fmt::format("With --index hnsw: candidates kept while the graph grows [default: {}]",
                     defaults.hnsw.ef_construction),
         &RawArguments::ef_construction},
        {"--ef-search", "N", section_links,
         "With --index hnsw: candidates kept while a row is searched [default: 0, as the recall target "
         "takes]",
         &RawArguments::ef_search},
        {"--passes", "N", section_links,
         "With --index partition: times that cells are drawn and searched [default: 0, as the recall target "
         "takes]",
         &RawArguments::passes},
        {"--fanout", "N", section_links,
         "With --index partition: cells that a row goes to, each time [default: 0, by the recall target]",
         &RawArguments::fanout},
        {"--refinements", "N", section_links,
         fmt::format("With --index partition and --passes, which is 1 if not given: rounds over the "
                     "neighbours of neighbours [default: {}]",
                     defaults.partition.refinements),
         &RawArguments::refinements},
    };
}

std::vector<Flag> link_flags() {
    const LinkOptions defaults;
    return {
        {"--params", "FILE.json", section_links,
         "Parameters of a Graphext step as they are: n_nearest, similarity_min, similarity_min_q, metric, "
         "seed; "
         "n_trees and search_k_mult have no effect. Flags win over the file",
         &RawArguments::params},
        {"-k,--n-nearest", "N", section_links,
         fmt::format("Links per row at most [default: {}]", defaults.n_nearest), &RawArguments::n_nearest},
        chosen({"--metric", "NAME", section_links,
                fmt::format("Distance of two rows: {} [default: {}]", one_of(names_of(metrics)),
                            name(defaults.metric)),
                &RawArguments::metric},
               metrics),
        chosen({"--similarity", "NAME", section_links,
                fmt::format("How an angular distance d becomes a weight [default: {}]",
                            name(defaults.similarity)),
                &RawArguments::similarity},
               similarities, {"1 - d/2", "(1 + cos)/2", "max(0, cos)"}),
        {"--similarity-min", "W", section_links,
         fmt::format("Keep links whose weight is W or more [default: {}]", defaults.similarity_min),
         &RawArguments::similarity_min},
        {"--similarity-min-q", "Q", section_links,
         fmt::format("Keep links whose weight is the Q-quantile of all weights or more, Q from 0 to 1: "
                     "0.9 keeps the best tenth [default: {}]",
                     defaults.similarity_min_q),
         &RawArguments::similarity_min_q},
        chosen({"--quantile-scope", "SCOPE", section_links,
                fmt::format("Take that quantile over all links or by group: {} [default: {}]",
                            one_of(names_of(quantile_scopes)), name(defaults.quantile_scope)),
                &RawArguments::quantile_scope},
               quantile_scopes),
        chosen({"--links", "MODE", section_links,
                fmt::format("Which of the links found to keep [default: {}]", name(defaults.links)),
                &RawArguments::links},
               link_modes,
               {"each row's own", "those found in both directions", "those found in either, at both rows"}),
        chosen(
            {"--on-bad-row", "POLICY", section_links,
             fmt::format("What to do about rows that cannot be linked: no group, no vector, NaN, all zeros, "
                         "another dimension than their group's [default: {}]",
                         name(defaults.on_bad_row)),
             &RawArguments::on_bad_row},
            bad_row_policies, {"stop before any search", "leave them without links"}),
        {"--seed", "N", section_links,
         fmt::format("What everything random derives from [default: {}]", defaults.seed),
         &RawArguments::seed},
    };
}

/// Those of link that say how links were made, for what a file does not record of itself.
std::vector<Flag> made_flags() {
    std::vector<Flag> flags;
    for (Flag& flag : link_flags()) {
        if (flag.text == &RawArguments::on_bad_row || flag.text == &RawArguments::seed) continue;
        flag.section = section_made;
        flags.push_back(std::move(flag));
    }
    return flags;
}

std::vector<Flag> verify_flags() {
    const VerifyOptions defaults;
    return {
        {"--sample", "N", section_checks,
         fmt::format("Rows, drawn at random, that are searched exactly for the recall; 0 for none. With "
                     "mutual links their neighbours are among them [default: {}]",
                     defaults.sample),
         &RawArguments::sample},
        {"--recall-min", "R", section_checks,
         fmt::format("Take a recall below R, from 0 to 1, for a fault [default: {}]", defaults.recall_min),
         &RawArguments::recall_min},
        {"--seed", "N", section_checks,
         fmt::format("What decides which rows are sampled [default: {}]", defaults.seed),
         &RawArguments::seed},
    };
}

Flag force_flag() {
    return {"--force", "", section_output, "Replace files that exist", nullptr, &RawArguments::force};
}

Flag update_flag() {
    return {"--update",
            "",
            section_output,
            "Add to the .db that is there, which may be INPUT: links of the same rows are replaced, all else "
            "stays",
            nullptr,
            &RawArguments::update};
}

std::vector<Flag> output_flags() {
    return {
        {"-o,--output", "OUTPUT", section_output,
         "Where the links go: .parquet, .arrow, .npz, .csv, .tsv, .jsonl or .db", &RawArguments::output},
        chosen({"--layout", "NAME", section_output,
                fmt::format("What a row of OUTPUT is; lists is for .parquet and .arrow [default: {}]",
                            name(OutputSpec().layout)),
                &RawArguments::layout},
               layouts, {"a link: source, target, weight", "a row of INPUT, with targets and weights"}),
        force_flag(),
        update_flag(),
        {"--report", "FILE.html|FILE.json", section_output,
         "Write what ran and what came out: .json for programs, .html as a page for people; may be given "
         "twice",
         nullptr, nullptr, &RawArguments::reports},
        {"--text", "[FILE:]COL", section_output,
         "Column of the texts that a page shows its examples by: a table's, or that of the --groups or --ids "
         "file; or a file in their forms",
         &RawArguments::text},
        {"--json", "", section_output, "Print that report on standard output", nullptr, &RawArguments::json},
    };
}

Flag json_flag() {
    return {"--json", "", section_output, "Print everything, as JSON", nullptr, &RawArguments::json};
}

Flag threads_flag() {
    return {"--threads", "N", section_run,
            "Threads to use; the result is the same at any number [default: 0, all there are]",
            &RawArguments::threads};
}

Flag memory_flag() {
    return {
        "--memory", "SIZE", section_run,
        "Memory to keep to, such as 8GiB or 500MB: groups are searched in waves that fit, and vectors that "
        "do not are read from their file, or from a temporary one beside OUTPUT; the result is the same "
        "[default: 80 % of what there is]",
        &RawArguments::memory};
}

Flag help_flag() { return {"-h,--help", "", section_run, "Show this help", nullptr, &RawArguments::help}; }

std::vector<Flag> general_flags() {
    return {
        {"-q,--quiet", "", section_run, "No progress and no summary on standard error", nullptr,
         &RawArguments::quiet},
        help_flag(),
    };
}

Command link_command() {
    Command command{CommandKind::link,
                    "link",
                    "grouplink link INPUT -o OUTPUT [options]",
                    "Link each row to its most similar rows of the same group",
                    "INPUT is a table with a column of vectors (.parquet, .arrow, .jsonl), an array\n"
                    "whose groups and ids stand in files beside it (.npy, .fbin, .fvecs; --groups,\n"
                    "--ids), or embeddings as llm stores them, grouped by collection (.db).\n"
                    "Each link has a weight: 1 between equal vectors, and less the farther they are.",
                    {{"grouplink link words.parquet -o links.parquet --group topic --id word",
                      "Up to 15 links per word, to the nearest words of its topic."},
                     {"grouplink link vectors.npy -o links.npz --groups words.tsv:topic -k 5",
                      "Up to 5 links per row, as a matrix for scipy.sparse.load_npz."},
                     {"grouplink link words.parquet -o near.csv --links mutual --similarity-min 0.8",
                      "Rows that are near each other, in any topic; of weight 0.8 or more."},
                     {"grouplink link embeddings.db -o embeddings.db --update",
                      "Similar rows of each collection of llm, as a table beside them."},
                     {"grouplink link words.parquet -o links.db --report links.html --text word",
                      "A page beside them: how it went, how similar links are, some to look at."},
                     {"grouplink link words.parquet -o 2.part --group topic --id word --shard 2/8",
                      "The second of eight shares, for grouplink merge."}},
                    {}};
    append(command.flags, input_flags());
    append(command.flags, link_flags());
    append(command.flags, index_flags());
    append(command.flags, output_flags());
    command.flags.push_back(threads_flag());
    command.flags.push_back(memory_flag());
    command.flags.push_back({"--shard", "I/N", section_run,
                             "Run share I of N alone and write its part, a .part; all N may run at once, on "
                             "any machines, and merge joins their parts",
                             &RawArguments::shard});
    command.flags.push_back(
        {"--resume", "", section_run,
         "Go on from what an earlier run of the same job found, if one was stopped or killed: "
         "groups that it finished are not searched again",
         nullptr, &RawArguments::resume});
    append(command.flags, general_flags());
    return command;
}

Command explain_command() {
    Command command{
        CommandKind::explain,
        "explain",
        "grouplink explain INPUT [options]",
        "Show the groups and what linking them would take, without linking",
        "Reads INPUT as link does and shows, for each group, the index that would be\n"
        "used, its estimated cost and its memory; and the rows that cannot be linked.",
        {{"grouplink explain words.parquet --group topic", "The 30 costliest groups, and the totals."},
         {"grouplink explain words.parquet --group topic --json", "Every group, for a program to read."},
         {"grouplink explain words.parquet --measure", "How well those costs fit this machine and data."}},
        {}};
    append(command.flags, input_flags());
    append(command.flags, link_flags());
    append(command.flags, index_flags());
    command.flags.push_back({"--measure", "", section_output,
                             "Search up to 40,000 rows of the costliest group under each index, and show how "
                             "the time taken fits the cost reckoned with",
                             nullptr, &RawArguments::measure});
    command.flags.push_back({"--shard", "N", section_output,
                             "Show how N shares of the job would balance, and which groups are cut; with "
                             "I/N, the groups of share I",
                             &RawArguments::shard});
    command.flags.push_back(json_flag());
    command.flags.push_back(threads_flag());
    command.flags.push_back(memory_flag());
    append(command.flags, general_flags());
    return command;
}

Command inspect_command() {
    Command command{
        CommandKind::inspect,
        "inspect",
        "grouplink inspect FILE [options]",
        "Show what is in a file: rows, columns, metadata, group sizes",
        "FILE is any input or output of link: .parquet, .arrow, .npy, .fbin, .fvecs,\n"
        ".npz, .csv, .tsv, .jsonl, .db or .part.",
        {{"grouplink inspect words.parquet", "Which columns there are, and which could be linked."},
         {"grouplink inspect vectors.npy --groups words.tsv:topic", "How large the groups are."}},
        {}};
    command.flags = {
        {"--group", "COL", section_input, "Show the sizes of the groups in this column",
         &RawArguments::group},
        {"--groups", "FILE[:COL]", section_input, "Show the sizes of the groups in this file, a value a row",
         &RawArguments::groups},
        json_flag(),
    };
    append(command.flags, general_flags());
    return command;
}

Command verify_command() {
    Command command{CommandKind::verify,
                    "verify",
                    "grouplink verify INPUT OUTPUT [options]",
                    "Check the links in a file against the rows that they are of",
                    "INPUT, its groups and ids are given as link had them; OUTPUT is what link wrote.\n"
                    "Checks that rows, groups, order and numbers of links are as they must be, scores\n"
                    "every link anew, and searches a sample of rows exactly for the links that they\n"
                    "should have: the recall. Exits with 1 when anything is broken.",
                    {{"grouplink verify words.parquet links.parquet --group topic --id word",
                      "A line for each check, and the recall."},
                     {"grouplink verify vectors.npy links.csv -k 5 --recall-min 0.99",
                      "Text does not record k; a recall below 0.99 is a fault too."}},
                    {}};
    append(command.flags, input_flags());
    append(command.flags, made_flags());
    append(command.flags, verify_flags());
    command.flags.push_back(json_flag());
    command.flags.push_back(threads_flag());
    append(command.flags, general_flags());
    return command;
}

Command convert_command() {
    Command command{
        CommandKind::convert,
        "convert",
        "grouplink convert IN OUT [options]",
        "Write links, or a table of vectors, in another format",
        "Between any two formats of links (.parquet, .arrow, .npz, .csv, .tsv, .jsonl,\n"
        ".db), or of vectors (.parquet, .arrow, .npy, .fbin, .fvecs, .jsonl; .db is read\n"
        "alone). How links were made goes with them, as far as IN says it.",
        {{"grouplink convert links.parquet links.db", "Links for SQLite and Datasette."},
         {"grouplink convert embeddings.db vectors.parquet", "A column each: id, group, embedding."}},
        {}};
    command.flags = {
        {"--embedding", "COL", section_input,
         "Column of the vectors [default: the only column of float lists]", &RawArguments::embedding},
        {"--group", "COL", section_input, "Column of the groups, to be kept beside the vectors",
         &RawArguments::group},
        {"--id", "COL", section_input,
         "Column of the ids, to be kept beside the vectors; of links in lists, that of the rows' names",
         &RawArguments::id},
        chosen({"--layout", "NAME", section_output,
                fmt::format("What a row of OUT is, for links in .parquet and .arrow: {} [default: as in IN, "
                            "else {}]",
                            one_of(names_of(layouts)), name(OutputSpec().layout)),
                &RawArguments::layout},
               layouts),
        force_flag(),
        update_flag(),
    };
    append(command.flags, general_flags());
    return command;
}

Command merge_command() {
    Command command{
        CommandKind::merge,
        "merge",
        "grouplink merge PART... -o OUTPUT [options]",
        "Join the parts of a job that was linked in shares",
        "PARTs are what link --shard wrote, one of each share, in any order. OUTPUT is,\n"
        "byte for byte, what link would have written without --shard. Ids and columns are\n"
        "read from INPUT once more, which must be as it was.",
        {{"grouplink merge parts/*.part -o links.parquet", "All links, as if linked at once."},
         {"grouplink merge parts/*.part -o links.db --input moved/words.parquet", "The input is there now."}},
        {}};
    command.flags = {
        {"--input", "FILE", section_input, "Where INPUT is [default: where link found it]",
         &RawArguments::input},
        {"--groups", "FILE[:COL]", section_input, "Where the file of the groups is [default: likewise]",
         &RawArguments::groups},
        {"--ids", "FILE[:COL]", section_input, "Where the file of the ids is [default: likewise]",
         &RawArguments::ids},
    };
    append(command.flags, output_flags());
    command.flags.push_back(threads_flag());
    append(command.flags, general_flags());
    return command;
}

Command completions_command() {
    return {CommandKind::completions,
            "completions",
            "grouplink completions SHELL [options]",
            "Print the completions of these commands and flags for a shell",
            "SHELL is bash, zsh or fish. An installed grouplink has them in place already, in\n"
            "the folders where the shells look; this is for one that is run from its build.",
            {{"source <(grouplink completions bash)", "For this bash; in ~/.bashrc, for each one."},
             {"grouplink completions zsh > _grouplink", "In a folder of $fpath, read by compinit."},
             {"grouplink completions fish | source", "For this fish."}},
            {help_flag()}};
}

Command man_command() {
    return {CommandKind::man,
            "man",
            "grouplink man [options]",
            "Print the manual page",
            "For man, which shows it. An installed grouplink has it in place: man grouplink.",
            {{"grouplink man | man -l -", "Shows the page."},
             {"grouplink man > grouplink.1", "Keeps it, to be put in a folder man1 of $MANPATH."}},
            {help_flag()}};
}

}  // namespace

const std::vector<Command>& commands() {
    static const std::vector<Command> all{link_command(),        explain_command(), inspect_command(),
                                          verify_command(),      convert_command(), merge_command(),
                                          completions_command(), man_command()};
    return all;
}

const Command& command(CommandKind kind) {
    for (const Command& one : commands()) {
        if (one.kind == kind) return one;
    }
    return commands().front();
}

std::string_view long_name(const Flag& flag) {
    const auto dashes = flag.names.find("--");
    return flag.names.substr(dashes == std::string_view::npos ? 0 : dashes);
}

}  // namespace grouplink::cli
