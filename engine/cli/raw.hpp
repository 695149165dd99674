#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace grouplink::cli {

/// Which command the arguments name.
enum class CommandKind { none, link, explain, inspect, verify, convert, merge, completions, man };

/// The arguments as typed: the first stage, in which nothing has been judged but the flags' names.
struct RawArguments {
    CommandKind command = CommandKind::none;
    std::vector<std::string> operands;

    std::optional<std::string> output;
    std::optional<std::string> embedding;
    std::optional<std::string> group;
    std::optional<std::string> id;
    std::optional<std::string> groups;
    std::optional<std::string> ids;
    std::optional<std::string> n_nearest;
    std::optional<std::string> similarity_min;
    std::optional<std::string> similarity_min_q;
    std::optional<std::string> quantile_scope;
    std::optional<std::string> metric;
    std::optional<std::string> similarity;
    std::optional<std::string> links;
    std::optional<std::string> index;
    std::optional<std::string> recall_target;
    std::optional<std::string> nlist;
    std::optional<std::string> nprobe;
    std::optional<std::string> hnsw_m;
    std::optional<std::string> ef_construction;
    std::optional<std::string> ef_search;
    std::optional<std::string> passes;
    std::optional<std::string> fanout;
    std::optional<std::string> refinements;
    std::optional<std::string> on_bad_row;
    std::optional<std::string> seed;
    std::optional<std::string> threads;
    std::optional<std::string> memory;
    std::optional<std::string> layout;
    std::optional<std::string> params;
    std::optional<std::string> text;
    std::optional<std::string> sample;
    std::optional<std::string> recall_min;
    std::optional<std::string> shard;
    std::optional<std::string> input;

    std::vector<std::string> reports;  ///< of a flag that may be repeated

    bool force = false;
    bool update = false;
    bool resume = false;
    bool json = false;
    bool measure = false;
    bool quiet = false;
    bool help = false;
    bool version = false;

    /// Of the file of --params: what it holds beside what stands above, which has no effect.
    std::vector<std::string> ignored_params;
};

/// Sorts the arguments (without the program's name) into flags and operands.
/// Throws Error(invalid_options) for an unknown command or flag, a flag without its value, a value
/// where none belongs, and a flag given twice that is to be given once.
RawArguments parse_raw(std::span<const std::string> arguments);

}  // namespace grouplink::cli
