#pragma once

#include "cli/raw.hpp"

#include <grouplink/io.hpp>
#include <grouplink/options.hpp>

#include <string>
#include <variant>

namespace grouplink::cli {

struct LinkArguments {
    InputSpec input;
    OutputSpec output;
    LinkOptions options;
    std::string report;  ///< path; empty for none
    bool json = false;
    bool quiet = false;
};

struct ExplainArguments {
    InputSpec input;
    LinkOptions options;
    bool json = false;
    bool quiet = false;
};

struct InspectArguments {
    std::string path;
    std::string group;
    std::string groups_file;
    bool json = false;
    bool quiet = false;
};

/// Text to print, and nothing to do.
struct PrintArguments {
    std::string text;
};

using Arguments = std::variant<PrintArguments, LinkArguments, ExplainArguments, InspectArguments>;

/// The second stage: judges what was typed by itself, without a look at any file.
/// Throws Error(invalid_options): the flag, what it got, what it wants.
Arguments validate_arguments(const RawArguments& raw);

}  // namespace grouplink::cli
