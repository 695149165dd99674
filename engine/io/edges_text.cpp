#include "io/edges_text.hpp"

#include "io/append.hpp"
#include "io/ticker.hpp"

#include <string>
#include <variant>

namespace grouplink::io {
namespace {

constexpr std::size_t flush_bytes = std::size_t{1} << 18;

void append_field(std::string& text, std::string_view value, char separator) {
    const char special[] = {separator, '"', '\n', '\r'};
    if (value.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos) {
        text += value;
        return;
    }
    text += '"';
    for (const char c : value) {
        if (c == '"') text += '"';
        text += c;
    }
    text += '"';
}

/// Calls append_id(text, row) for both ends of each link.
template <typename AppendId>
void write_edges(AtomicFile& file, char separator, const LinksOut& links, const JobControl& control,
                 AppendId append_id) {
    const CsrGraph& graph = links.graph;
    const bool directed = !links.undirected();
    std::string type;
    type += separator;
    type += directed ? "Directed" : "Undirected";
    type += separator;
    std::string mapping;
    mapping += separator;
    append_field(mapping, links.mapping, separator);
    mapping += '\n';

    std::string text;
    for (const std::string_view title : {"Source", "Target", "Type", "Weight", "Similarity"}) {
        text += title;
        text += title == "Similarity" ? '\n' : separator;
    }
    Ticker ticker(control, "write", graph.links(), "links");
    std::string source;
    for (std::int64_t row = 0; row < graph.rows(); ++row) {
        const std::int64_t first = graph.offsets[static_cast<std::size_t>(row)];
        const std::int64_t last = graph.offsets[static_cast<std::size_t>(row) + 1];
        if (first == last) continue;
        source.clear();
        append_id(source, row);
        source += separator;
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
            const std::int64_t target = graph.targets[i];
            if (!directed && target < row) continue;
            text += source;
            append_id(text, target);
            text += type;
            append_number(text, graph.weights[i]);
            text += mapping;
            if (text.size() < flush_bytes) continue;
            ticker.at(static_cast<std::int64_t>(i));
            file.write(text);
            text.clear();
        }
    }
    file.write(text);
}

}  // namespace

void write_edges_text(AtomicFile& file, char separator, const LinksOut& links, const JobControl& control) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&links.ids)) {
        write_edges(file, separator, links, control, [&](std::string& text, std::int64_t row) {
            append_number(text, (*numbers)[static_cast<std::size_t>(row)]);
        });
    } else if (const auto* texts = std::get_if<StringColumn>(&links.ids)) {
        write_edges(file, separator, links, control, [&](std::string& text, std::int64_t row) {
            append_field(text, (*texts)[row], separator);
        });
    } else {
        write_edges(file, separator, links, control,
                    [](std::string& text, std::int64_t row) { append_number(text, row); });
    }
}

}  // namespace grouplink::io
