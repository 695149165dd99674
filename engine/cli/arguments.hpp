#pragma once

#include "cli/raw.hpp"

#include <grouplink/io.hpp>
#include <grouplink/options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace grouplink::cli {

struct LinkArguments {
    InputSpec input;
    OutputSpec output;
    LinkOptions options;
    std::optional<Shard> shard;        ///< then the output is a part
    std::vector<std::string> reports;  ///< paths that end in .json or .html
    std::vector<std::string> notes;    ///< for the user and the report
    bool resume = false;               ///< go on from what an earlier run found
    bool json = false;
    bool quiet = false;
};

/// Whether a report goes there as HTML.
inline bool is_page(const std::string& report) { return report.ends_with(".html"); }

/// How a plan is to be cut into shares.
struct Shares {
    std::int64_t count = 1;
    std::int64_t index = 0;  ///< the one to be shown, from 1; 0 for all
};

struct ExplainArguments {
    InputSpec input;
    LinkOptions options;
    std::optional<Shares> shares;
    std::vector<std::string> notes;
    bool measure = false;
    bool json = false;
    bool quiet = false;
};

struct ConvertArguments {
    ConvertSpec spec;
    bool quiet = false;
};

struct InspectArguments {
    std::string path;
    std::string group;
    std::string groups_file;
    bool json = false;
    bool quiet = false;
};

struct VerifyArguments {
    InputSpec input;
    std::string links;        ///< path of what is verified
    LinksRecord given;        ///< what the flags say of how the links were made
    std::int64_t sample = 0;  ///< rows searched exactly
    double recall_min = 0.0;
    std::uint64_t seed = 0;
    int threads = 0;
    bool json = false;
    bool quiet = false;
};

struct MergeArguments {
    std::vector<std::string> parts;
    /// What link would have: `input` says where files are that have moved since, and of the options threads
    /// alone counts.
    LinkArguments job;
};

/// Text to print, and nothing to do.
struct PrintArguments {
    std::string text;
};

using Arguments = std::variant<PrintArguments, LinkArguments, ExplainArguments, InspectArguments,
                               VerifyArguments, ConvertArguments, MergeArguments>;

/// The second stage: judges what was typed by itself, without a look at any file.
/// Throws Error(invalid_options): the flag, what it got, what it wants.
Arguments validate_arguments(const RawArguments& raw);

}  // namespace grouplink::cli
