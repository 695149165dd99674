#include "io/edges_json.hpp"

#include "io/append.hpp"
#include "io/ticker.hpp"

#include <cmath>
#include <string>

namespace grouplink::io {
namespace {

constexpr std::size_t flush_bytes = std::size_t{1} << 18;

}  // namespace

void write_edges_json(AtomicFile& file, const LinksOut& links, const JobControl& control) {
    const CsrGraph& graph = links.graph;
    std::string end;
    if (!links.mapping.empty()) {
        end = ",\"similarity\":";
        append_json(end, links.mapping);
    }
    if (links.undirected()) {
        end += ",\"links\":";
        append_json(end, name(*links.mode));
    }
    end += "}\n";
    Ticker ticker(control, "write", graph.links(), "links");
    std::string text;
    std::string begin;
    for (std::int64_t row = 0; row < graph.rows(); ++row) {
        const auto first = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row)]);
        const auto last = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row) + 1]);
        if (first == last) continue;
        begin = "{\"source\":";
        append_json_id(begin, links.ids, row);
        begin += ",\"target\":";
        for (std::size_t i = first; i < last; ++i) {
            text += begin;
            append_json_id(text, links.ids, graph.targets[i]);
            text += ",\"weight\":";
            if (std::isfinite(graph.weights[i])) {
                append_number(text, graph.weights[i]);
            } else {
                text += "null";
            }
            text += end;
            if (text.size() < flush_bytes) continue;
            ticker.at(static_cast<std::int64_t>(i));
            file.write(text);
            text.clear();
        }
    }
    file.write(text);
}

}  // namespace grouplink::io
