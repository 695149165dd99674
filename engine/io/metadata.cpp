#include "io/metadata.hpp"

#include "io/links_reader.hpp"
#include "io/message.hpp"
#include "io/report_json.hpp"
#include "io/shallow_json.hpp"

#include <grouplink/version.hpp>

#include <cmath>
#include <initializer_list>

namespace grouplink::io {
namespace {

using Json = nlohmann::ordered_json;

/// Reads the entries of a record; one that is there and cannot be understood is a fault.
class RecordReader {
public:
    RecordReader(const Json& json, LinksFile& file) : json_(json), file_(file) {}

    std::optional<std::int64_t> integer(const char* key) {
        return take<std::int64_t>(key, [](const Json& value) { return value.is_number_integer(); });
    }
    std::optional<double> number(const char* key) {
        return take<double>(key, [](const Json& value) { return value.is_number(); });
    }
    std::optional<std::string> text(const char* key) {
        return take<std::string>(key, [](const Json& value) { return value.is_string(); });
    }
    template <typename Value>
    std::optional<Value> choice(const char* key, std::initializer_list<Value> values) {
        const auto typed = text(key);
        if (!typed) return std::nullopt;
        for (const Value value : values) {
            if (*typed == name(value)) return value;
        }
        add_fault(file_, fmt::format("its record has {} {}, which is unknown", key, in_quotes(*typed)));
        return std::nullopt;
    }

private:
    template <typename Value, typename Fits>
    std::optional<Value> take(const char* key, Fits fits) {
        const auto found = json_.find(key);
        if (found == json_.end() || found->is_null()) return std::nullopt;
        if (fits(*found)) return found->template get<Value>();
        add_fault(file_, fmt::format("its record has {} {}", key,
                                     found->dump(-1, ' ', true, Json::error_handler_t::replace)));
        return std::nullopt;
    }

    const Json& json_;
    LinksFile& file_;
};

}  // namespace

std::string metadata_json(const Report& report) {
    const Json json{{"version", report.version},
                    {"metric", name(report.options.metric)},
                    {"mapping", mapping_name(report.options)},
                    {"options", options_json(report.options)},
                    {"rows", report.rows},
                    {"links", report.links},
                    {"cut", std::isfinite(report.cut) ? Json(report.cut) : Json(nullptr)}};
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string metadata_json(const LinksRecord& record, std::int64_t links) {
    Json json{{"version", version()}};
    if (record.metric) {
        LinkOptions options;
        options.metric = *record.metric;
        options.similarity = record.similarity.value_or(options.similarity);
        json["metric"] = name(options.metric);
        json["mapping"] = mapping_name(options);
    }
    if (record.links) json["options"] = Json{{"links", name(*record.links)}};
    json["links"] = links;
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string ascii_record(const std::string& text) {
    const Json record = parse_shallow<Json>(text);
    return record.is_object() ? record.dump(-1, ' ', true, Json::error_handler_t::replace) : std::string();
}

std::vector<std::pair<std::string, std::string>> read_metadata(const std::string& text) {
    const Json record = parse_shallow<Json>(text);
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

bool set_mapping(std::string_view mapping, LinksRecord& record) {
    for (const Similarity similarity : {Similarity::angular, Similarity::half_cosine, Similarity::cosine}) {
        if (mapping != name(similarity)) continue;
        record.metric = Metric::angular;
        record.similarity = similarity;
        return true;
    }
    for (const Metric metric : {Metric::euclidean, Metric::manhattan, Metric::hamming, Metric::dot}) {
        if (mapping != name(metric)) continue;
        record.metric = metric;
        record.similarity = Similarity::angular;
        return true;
    }
    return false;
}

void read_record(const std::string& text, std::optional<std::int64_t> rows_known, LinksFile& file) {
    const Json json = parse_shallow<Json>(text);
    if (!json.is_object()) return add_fault(file, "its record of how the links were made is no JSON object");
    RecordReader all(json, file);
    const std::int64_t links = file.graph.links() + file.faults;  // which are links that have no place
    file.record_json = text;
    file.record.rows = all.integer("rows");
    if (file.record.rows && rows_known && *file.record.rows != *rows_known) {
        add_fault(file,
                  fmt::format("its record says {} rows, the input has {}", *file.record.rows, *rows_known));
    }
    if (const auto count = all.integer("links"); count && *count != links) {
        add_fault(file, fmt::format("its record says {} links, there are {}", *count, links));
    }
    LinksRecord& record = file.record;
    record.cut = all.number("cut");
    if (const auto found = json.find("options"); found != json.end() && found->is_object()) {
        RecordReader options(*found, file);
        record.n_nearest = options.integer("n_nearest");
        record.similarity_min = options.number("similarity_min");
        record.similarity_min_q = options.number("similarity_min_q");
        record.quantile_scope = options.choice("quantile_scope", {QuantileScope::all, QuantileScope::group});
        record.metric = options.choice(
            "metric", {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::hamming, Metric::dot});
        record.similarity =
            options.choice("similarity", {Similarity::angular, Similarity::half_cosine, Similarity::cosine});
        record.links = options.choice("links", {LinkMode::directed, LinkMode::mutual, LinkMode::symmetric});
    }
    const auto refuse = [&](auto& value, std::string_view key) {
        add_fault(file, fmt::format("its record has {} {}", key, *value));
        value.reset();
    };
    if (record.n_nearest && *record.n_nearest < 1) refuse(record.n_nearest, "n_nearest");
    if (record.similarity_min_q && !(*record.similarity_min_q >= 0.0 && *record.similarity_min_q <= 1.0)) {
        refuse(record.similarity_min_q, "similarity_min_q");
    }
    if (record.metric.value_or(Metric::angular) != Metric::angular &&
        record.similarity.value_or(Similarity::angular) != Similarity::angular) {
        add_fault(file, fmt::format("its record has the similarity {} beside the metric {}",
                                    name(*record.similarity), name(*record.metric)));
        record.similarity.reset();
    }
    const auto mapping = all.text("mapping");
    if (!mapping) return;
    LinkOptions said;
    said.metric = record.metric.value_or(said.metric);
    said.similarity = record.similarity.value_or(said.similarity);
    if (!record.metric) {
        set_mapping(*mapping, record);
    } else if (*mapping != mapping_name(said)) {
        add_fault(file, fmt::format("its record has the mapping {}, by its options it is {}",
                                    in_quotes(*mapping), in_quotes(mapping_name(said))));
    }
}

}  // namespace grouplink::io
