#pragma once

#include "io/formats.hpp"

#include <grouplink/io.hpp>

#include <optional>
#include <string>

namespace grouplink::io {

/// Links on their way to a file; borrows all but the texts.
struct LinksOut {
    const CsrGraph& graph;
    const IdColumn& ids;
    const GroupColumn* groups = nullptr;  ///< of the rows, to stand beside them; else null
    std::string record{};                 ///< how they were made, as metadata_json() has it; empty: unknown
    std::string mapping{};                ///< see mapping_name(); empty: unknown
    std::optional<LinkMode> mode{};       ///< unknown is taken for directed

    /// Each link stands at both of its rows.
    bool undirected() const { return mode.value_or(LinkMode::directed) != LinkMode::directed; }
};

LinksOut links_out(const Table& table, const LinkResult& result);

/// Throws Error(invalid_options) unless links can be written to such an output.
Format check_format(const OutputSpec& output);

/// Throws Error unless the place of the output is free, or may be replaced or updated, and is none that
/// `input` is read from.
void check_place(const OutputSpec& output, const InputSpec& input);

/// Writes them by the extension of the output, whole or not at all. `input` is read again where its columns
/// stand in the output. What is asked for has been checked.
void write_links_out(const OutputSpec& output, const InputSpec& input, const LinksOut& links,
                     const JobControl& control);

}  // namespace grouplink::io
