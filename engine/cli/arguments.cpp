#include "cli/arguments.hpp"

#include "cli/choices.hpp"
#include "cli/completions.hpp"
#include "cli/flags.hpp"
#include "cli/help.hpp"
#include "cli/manual.hpp"
#include "cli/numbers.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"

#include <grouplink/error.hpp>
#include <grouplink/verify.hpp>
#include <grouplink/version.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace grouplink::cli {
namespace {

using RawText = std::optional<std::string>;

// More threads than any machine that this runs on has; a guard against slips such as a port number.
constexpr std::int64_t most_threads = 4096;

[[noreturn]] void fail(std::string_view flag, std::string_view got, std::string_view wants) {
    throw Error(ErrorCode::invalid_options,
                fmt::format("{}: got \"{}\", wants {}", flag, printable(got), wants));
}

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorCode::invalid_options, message); }

std::string text_of(std::string_view flag, const RawText& raw, std::string_view wants) {
    if (!raw) return {};
    if (raw->empty()) fail(flag, *raw, wants);
    return *raw;
}

std::int64_t integer_of(std::string_view flag, const RawText& raw, std::int64_t least, std::int64_t most,
                        std::int64_t otherwise) {
    if (!raw) return otherwise;
    const auto number = parse_integer(*raw);
    if (number && *number >= least && *number <= most) return *number;
    const bool bounded = most != std::numeric_limits<std::int64_t>::max();
    fail(flag, *raw,
         bounded ? fmt::format("a whole number from {} to {}", least, most)
                 : fmt::format("a whole number >= {}", least));
}

double real_of(std::string_view flag, const RawText& raw, double least, double most, std::string_view wants,
               double otherwise) {
    if (!raw) return otherwise;
    const auto number = parse_real(*raw);
    if (number && *number >= least && *number <= most) return *number;
    fail(flag, *raw, wants);
}

[[noreturn]] void fail_choice(std::string_view flag, std::string_view got,
                              const std::vector<std::string_view>& names) {
    const std::string_view other = other_name(flag.substr(2), got);
    fail(flag, got,
         one_of(names) +
             (other.empty() ? did_you_mean(got, names) : fmt::format("; did you mean {}?", other)));
}

/// The value whose name was typed.
template <typename Value, std::size_t count>
Value choice_of(std::string_view flag, const RawText& raw, const std::array<Value, count>& values,
                Value otherwise) {
    if (!raw) return otherwise;
    for (const Value value : values) {
        if (*raw == name(value)) return value;
    }
    fail_choice(flag, *raw, names_of(values));
}

/// The one operand of a command.
std::string operand_of(const RawArguments& raw, std::string_view what) {
    const std::string_view name = command(raw.command).name;
    if (raw.operands.empty()) fail(fmt::format("{0}: no {1}; see grouplink {0} --help", name, what));
    if (raw.operands.size() > 1) {
        fail(fmt::format("{}: got {} files, \"{}\" and \"{}\"{}, wants one {}", name, raw.operands.size(),
                         printable(raw.operands[0]), printable(raw.operands[1]),
                         raw.operands.size() > 2 ? " and more" : "", what));
    }
    if (raw.operands.front().empty()) fail(what, "", "the path of a file");
    return raw.operands.front();
}

/// `path` is the operand INPUT.
InputSpec input_of(const RawArguments& raw, std::string path) {
    InputSpec input;
    input.path = std::move(path);
    input.embedding = text_of("--embedding", raw.embedding, "the name of a column");
    input.group = text_of("--group", raw.group, "the name of a column");
    input.id = text_of("--id", raw.id, "the name of a column");
    input.groups_file = text_of("--groups", raw.groups, "the path of a file");
    input.ids_file = text_of("--ids", raw.ids, "the path of a file");
    return input;
}

/// A knob of one index; a mistake when another was chosen.
std::int64_t knob_of(std::string_view flag, const RawText& raw, IndexKind owner, IndexKind chosen,
                     std::int64_t least, std::int64_t most, std::int64_t otherwise) {
    const std::int64_t value = integer_of(flag, raw, least, most, otherwise);
    if (raw && chosen != owner) {
        fail(fmt::format("{} goes with --index {} only, got --index {}", flag, name(owner), name(chosen)));
    }
    return value;
}

void read_knobs(const RawArguments& raw, LinkOptions& options) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t most_links = 512;
    const auto ivf = [&](std::string_view flag, const RawText& text, std::int64_t& value) {
        value = knob_of(flag, text, IndexKind::ivf, options.index, 0, most, value);
    };
    const auto hnsw = [&](std::string_view flag, const RawText& text, std::int64_t least,
                          std::int64_t largest, std::int64_t& value) {
        value = knob_of(flag, text, IndexKind::hnsw, options.index, least, largest, value);
    };
    ivf("--nlist", raw.nlist, options.ivf.nlist);
    ivf("--nprobe", raw.nprobe, options.ivf.nprobe);
    hnsw("--hnsw-m", raw.hnsw_m, 2, most_links, options.hnsw.M);
    hnsw("--ef-construction", raw.ef_construction, 1, most, options.hnsw.ef_construction);
    hnsw("--ef-search", raw.ef_search, 0, most, options.hnsw.ef_search);
    const auto partition = [&](std::string_view flag, const RawText& text, std::int64_t least,
                               std::int64_t largest, std::int64_t& value) {
        value = knob_of(flag, text, IndexKind::partition, options.index, least, largest, value);
    };
    constexpr std::int64_t most_rounds = 100;
    partition("--passes", raw.passes, 0, most_rounds, options.partition.passes);
    partition("--fanout", raw.fanout, 0, PartitionOptions::most_fanout, options.partition.fanout);
    partition("--refinements", raw.refinements, 0, most_rounds, options.partition.refinements);
    // Given refinements hold the effort, as given passes do.
    if (raw.refinements && options.partition.passes == 0) options.partition.passes = 1;
}

LinkOptions options_of(const RawArguments& raw) {
    constexpr double most = std::numeric_limits<double>::max();
    constexpr double least_positive = std::numeric_limits<double>::min();

    LinkOptions options;
    options.n_nearest = integer_of("--n-nearest", raw.n_nearest, 1, std::numeric_limits<std::int64_t>::max(),
                                   options.n_nearest);
    options.metric = choice_of("--metric", raw.metric, metrics, options.metric);
    options.similarity = choice_of("--similarity", raw.similarity, similarities, options.similarity);
    options.similarity_min = real_of("--similarity-min", raw.similarity_min, -most, most, "a finite number",
                                     options.similarity_min);
    options.similarity_min_q = real_of("--similarity-min-q", raw.similarity_min_q, 0.0, 1.0,
                                       "a number from 0 to 1", options.similarity_min_q);
    options.quantile_scope =
        choice_of("--quantile-scope", raw.quantile_scope, quantile_scopes, options.quantile_scope);
    options.links = choice_of("--links", raw.links, link_modes, options.links);
    options.index = choice_of("--index", raw.index, index_kinds, options.index);
    options.recall_target = real_of("--recall-target", raw.recall_target, least_positive, 1.0,
                                    "a number above 0 and at most 1", options.recall_target);
    read_knobs(raw, options);
    options.on_bad_row = choice_of("--on-bad-row", raw.on_bad_row, bad_row_policies, options.on_bad_row);
    if (raw.seed) {
        const auto seed = parse_unsigned(*raw.seed);
        if (!seed) fail("--seed", *raw.seed, "a whole number from 0 to 18446744073709551615");
        options.seed = *seed;
    }
    options.threads =
        static_cast<int>(integer_of("--threads", raw.threads, 0, most_threads, options.threads));
    if (raw.memory) {
        const auto bytes = parse_bytes(*raw.memory);
        if (!bytes || *bytes < 1) fail("--memory", *raw.memory, "a size such as 8GiB, 500MB or 2000000000");
        options.memory_bytes = *bytes;
    }

    const bool approximate = options.index != IndexKind::automatic && options.index != IndexKind::flat;
    if (approximate && (options.metric == Metric::manhattan || options.metric == Metric::hamming)) {
        fail(fmt::format("--index {} goes with --metric angular, dot or euclidean, got --metric {}",
                         name(options.index), name(options.metric)));
    }
    if (options.similarity != Similarity::angular && options.metric != Metric::angular) {
        fail(fmt::format("--similarity {} goes with --metric angular only, got --metric {}",
                         name(options.similarity), name(options.metric)));
    }
    return options;
}

/// "I/N", or, where `alone` is right, "N" for index 0.
Shares shares_of(const RawArguments& raw, bool alone) {
    const std::string_view wants =
        alone ? "N, or I/N with I from 1 to N, as in 2/8" : "I/N with I from 1 to N, as in 2/8";
    const std::string& text = *raw.shard;
    const std::size_t slash = text.find('/');
    Shares shares;
    if (slash != std::string::npos || !alone) {
        const auto index = parse_integer(text.substr(0, slash));
        if (!index || *index < 1 || slash == std::string::npos) fail("--shard", text, wants);
        shares.index = *index;
    }
    const auto count = parse_integer(text.substr(slash == std::string::npos ? 0 : slash + 1));
    if (!count || *count < std::max<std::int64_t>(1, shares.index)) fail("--shard", text, wants);
    if (*count > Shard::most) fail("--shard", text, fmt::format("{} shares at most", +Shard::most));
    shares.count = *count;
    return shares;
}

/// What --force, --update and --layout say of an output.
OutputSpec written_as(const RawArguments& raw) {
    OutputSpec output;
    output.force = raw.force;
    output.update = raw.update;
    if (raw.force && raw.update) {
        fail("--update adds to what is there and --force replaces it; pass one of them");
    }
    output.layout = choice_of("--layout", raw.layout, layouts, output.layout);
    return output;
}

OutputSpec output_of(const RawArguments& raw) {
    OutputSpec output = written_as(raw);
    if (!raw.output) {
        fail(fmt::format("{0}: no -o OUTPUT; see grouplink {0} --help", command(raw.command).name));
    }
    output.path = text_of("--output", raw.output, "the path of a file");
    // "-o=links.npz", which reads like "--output=links.npz".
    if (output.path.starts_with('=')) {
        fail("--output", output.path, "a path that does not begin with =; leave it out after -o");
    }
    return output;
}

std::vector<std::string> reports_of(const RawArguments& raw, const InputSpec& input,
                                    const OutputSpec& output) {
    for (std::size_t i = 0; i < raw.reports.size(); ++i) {
        const std::string& path = raw.reports[i];
        if (path.empty()) fail("--report", path, "the path of a .json or .html file");
        const bool known = path.ends_with(".json") || is_page(path);
        if (!known || path == ".json" || path == ".html") {
            fail("--report", path, "a path that ends in .json or .html");
        }
        const auto before = std::span(raw.reports).first(i);
        if (path == input.path || path == output.path ||
            std::find(before.begin(), before.end(), path) != before.end()) {
            fail("--report", path, "a file of its own");
        }
    }
    return raw.reports;
}

std::string text_column_of(const RawArguments& raw, const std::vector<std::string>& reports) {
    const std::string column = text_of("--text", raw.text, "the name of a column");
    if (!column.empty() && std::none_of(reports.begin(), reports.end(), is_page)) {
        fail("--text goes with --report FILE.html only, which shows the texts");
    }
    return column;
}

/// What the user should know of what had no effect.
std::vector<std::string> notes_of(const RawArguments& raw) {
    if (raw.ignored_params.empty()) return {};
    const bool one = raw.ignored_params.size() == 1;
    return {fmt::format("{} of {} {} no effect: {} Annoy's, which is not used",
                        fmt::join(raw.ignored_params, " and "), raw.params.value_or(""), one ? "has" : "have",
                        one ? "it is" : "they are")};
}

ConvertArguments convert_of(const RawArguments& raw) {
    if (raw.operands.size() != 2) {
        const std::string_view got = raw.operands.empty()       ? "no files"
                                     : raw.operands.size() == 1 ? "one file"
                                                                : "more than two files";
        fail(fmt::format("convert: got {}, wants IN and OUT; see grouplink convert --help", got));
    }
    ConvertArguments convert;
    convert.spec.input = input_of(raw, raw.operands[0]);
    convert.spec.output = written_as(raw);
    convert.spec.output.path = raw.operands[1];
    if (convert.spec.input.path.empty()) fail("IN", "", "the path of a file");
    if (convert.spec.output.path.empty()) fail("OUT", "", "the path of a file");
    convert.spec.keep_layout = !raw.layout;
    convert.quiet = raw.quiet;
    return convert;
}

MergeArguments merge_of(const RawArguments& raw) {
    if (raw.operands.empty()) fail("merge: no PART; see grouplink merge --help");
    MergeArguments merge;
    merge.parts = raw.operands;
    for (const std::string& part : merge.parts) {
        if (part.empty()) fail("PART", part, "the path of a file");
    }
    LinkArguments& job = merge.job;
    job.input = input_of(raw, text_of("--input", raw.input, "the path of a file"));
    job.output = output_of(raw);
    for (const std::string& part : merge.parts) {
        if (part == job.output.path) fail("--output", part, "a file of its own");
    }
    job.options.threads =
        static_cast<int>(integer_of("--threads", raw.threads, 0, most_threads, job.options.threads));
    job.reports = reports_of(raw, job.input, job.output);
    job.input.text = text_column_of(raw, job.reports);
    job.json = raw.json;
    job.quiet = raw.quiet;
    return merge;
}

VerifyArguments verify_of(const RawArguments& raw) {
    if (raw.operands.size() != 2) {
        const std::string_view got = raw.operands.empty()       ? "no files"
                                     : raw.operands.size() == 1 ? "one file"
                                                                : "more than two files";
        fail(fmt::format("verify: got {}, wants INPUT and OUTPUT; see grouplink verify --help", got));
    }
    const VerifyOptions defaults;
    const LinkOptions options = options_of(raw);
    VerifyArguments verify;
    verify.input = input_of(raw, raw.operands[0]);
    verify.links = raw.operands[1];
    if (verify.input.path.empty()) fail("INPUT", "", "the path of a file");
    if (verify.links.empty()) fail("OUTPUT", "", "the path of a file");
    if (raw.metric) verify.given.metric = options.metric;
    if (raw.similarity) verify.given.similarity = options.similarity;
    if (raw.links) verify.given.links = options.links;
    if (raw.n_nearest) verify.given.n_nearest = options.n_nearest;
    if (raw.similarity_min) verify.given.similarity_min = options.similarity_min;
    if (raw.similarity_min_q) verify.given.similarity_min_q = options.similarity_min_q;
    if (raw.quantile_scope) verify.given.quantile_scope = options.quantile_scope;
    verify.sample =
        integer_of("--sample", raw.sample, 0, std::numeric_limits<std::int64_t>::max(), defaults.sample);
    verify.recall_min = real_of("--recall-min", raw.recall_min, 0.0, 1.0, "a number from 0 to 1", 0.0);
    if (verify.recall_min > 0.0 && verify.sample == 0) {
        fail("--recall-min needs a sample of rows, got --sample 0");
    }
    verify.seed = options.seed;
    verify.threads = options.threads;
    verify.json = raw.json;
    verify.quiet = raw.quiet;
    return verify;
}

std::string completions_of(const RawArguments& raw) {
    const std::vector<std::string_view> names = names_of(shells);
    if (raw.operands.empty()) fail(fmt::format("completions: no SHELL; name {}", one_of(names)));
    if (raw.operands.size() > 1) fail("completions: got more than one SHELL, wants one");
    const std::string& shell = raw.operands.front();
    if (shell == "bash") return bash_completions();
    if (shell == "zsh") return zsh_completions();
    if (shell == "fish") return fish_completions();
    fail_choice("SHELL", shell, names);
}

}  // namespace

Arguments validate_arguments(const RawArguments& raw) {
    if (raw.version) return PrintArguments{fmt::format("grouplink {}\n", version())};
    if (raw.help) {
        return PrintArguments{raw.command == CommandKind::none ? help() : help(command(raw.command))};
    }
    switch (raw.command) {
        case CommandKind::link: {
            LinkArguments link;
            link.input = input_of(raw, operand_of(raw, "INPUT"));
            link.output = output_of(raw);
            link.options = options_of(raw);
            link.reports = reports_of(raw, link.input, link.output);
            link.input.text = text_column_of(raw, link.reports);
            link.notes = notes_of(raw);
            if (raw.shard) {
                const Shares shares = shares_of(raw, false);
                link.shard = Shard{.index = shares.index, .count = shares.count};
                if (raw.layout) fail("--layout goes with merge, got --shard, which writes a part");
                if (raw.update) fail("--update goes with merge, got --shard, which writes a part");
                if (std::any_of(link.reports.begin(), link.reports.end(), is_page)) {
                    fail("--report FILE.html goes with merge, got --shard, which writes a part");
                }
            }
            link.resume = raw.resume;
            link.json = raw.json;
            link.quiet = raw.quiet;
            return link;
        }
        case CommandKind::explain:
            return ExplainArguments{input_of(raw, operand_of(raw, "INPUT")),
                                    options_of(raw),
                                    raw.shard ? std::optional(shares_of(raw, true)) : std::nullopt,
                                    notes_of(raw),
                                    raw.measure,
                                    raw.json,
                                    raw.quiet};
        case CommandKind::inspect: {
            InspectArguments inspect;
            inspect.path = operand_of(raw, "FILE");
            inspect.group = text_of("--group", raw.group, "the name of a column");
            inspect.groups_file = text_of("--groups", raw.groups, "the path of a file");
            inspect.json = raw.json;
            inspect.quiet = raw.quiet;
            return inspect;
        }
        case CommandKind::verify: return verify_of(raw);
        case CommandKind::convert: return convert_of(raw);
        case CommandKind::completions: return PrintArguments{completions_of(raw)};
        case CommandKind::man:
            if (raw.operands.empty()) return PrintArguments{manual()};
            fail(fmt::format("man: takes no files, got \"{}\"", printable(raw.operands.front())));
        case CommandKind::merge: return merge_of(raw);
        case CommandKind::none: break;
    }
    return PrintArguments{help()};
}

}  // namespace grouplink::cli
