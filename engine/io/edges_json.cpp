#include "io/edges_json.hpp"

#include "io/ticker.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <string>
#include <variant>

namespace grouplink::io {
namespace {

using Json = nlohmann::json;

constexpr std::size_t flush_bytes = std::size_t{1} << 18;

template <typename Number>
void append_number(std::string& text, Number value) {
    char digits[32];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_text(std::string& text, std::string_view value) {
    text += Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void append_name(std::string& text, const IdColumn& ids, std::int64_t row) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) {
        append_number(text, (*numbers)[static_cast<std::size_t>(row)]);
    } else if (const auto* texts = std::get_if<StringColumn>(&ids)) {
        append_text(text, (*texts)[row]);
    } else {
        append_number(text, row);
    }
}

}  // namespace

void write_edges_json(AtomicFile& file, const LinksOut& links, const JobControl& control) {
    const CsrGraph& graph = links.graph;
    std::string end;
    if (!links.mapping.empty()) {
        end = ",\"similarity\":";
        append_text(end, links.mapping);
    }
    if (links.undirected()) {
        end += ",\"links\":";
        append_text(end, name(*links.mode));
    }
    end += "}\n";
    Ticker ticker(control, "write", graph.links());
    std::string text;
    std::string begin;
    for (std::int64_t row = 0; row < graph.rows(); ++row) {
        const auto first = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row)]);
        const auto last = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row) + 1]);
        if (first == last) continue;
        begin = "{\"source\":";
        append_name(begin, links.ids, row);
        begin += ",\"target\":";
        for (std::size_t i = first; i < last; ++i) {
            text += begin;
            append_name(text, links.ids, graph.targets[i]);
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
