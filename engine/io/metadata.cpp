#include "io/metadata.hpp"

#include "io/report_json.hpp"

#include <cmath>

namespace grouplink::io {

std::string metadata_json(const Report& report) {
    using Json = nlohmann::ordered_json;
    const Json json{{"version", report.version},
                    {"metric", name(report.options.metric)},
                    {"mapping", mapping_name(report.options)},
                    {"options", options_json(report.options)},
                    {"rows", report.rows},
                    {"links", report.links},
                    {"cut", std::isfinite(report.cut) ? Json(report.cut) : Json(nullptr)}};
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::vector<std::pair<std::string, std::string>> read_metadata(const std::string& text) {
    using Json = nlohmann::ordered_json;
    // The parser is not recursive, so a deep document cannot exhaust the stack.
    const Json record = Json::parse(text, nullptr, false);
    if (!record.is_object()) return {{std::string(metadata_key), text}};
    const auto shown = [](const Json& value) {
        if (value.is_string()) return value.get<std::string>();
        return value.dump(-1, ' ', false, Json::error_handler_t::replace);
    };
    std::vector<std::pair<std::string, std::string>> entries;
    for (const auto& [key, value] : record.items()) {
        if (!value.is_object()) {
            entries.emplace_back(key, shown(value));
            continue;
        }
        for (const auto& [inner, inner_value] : value.items()) {
            entries.emplace_back(key + "." + inner, shown(inner_value));
        }
    }
    return entries;
}

}  // namespace grouplink::io
