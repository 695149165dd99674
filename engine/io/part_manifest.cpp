#include "io/part_manifest.hpp"

#include "each_option.hpp"
#include "io/message.hpp"
#include "io/number_bytes.hpp"
#include "io/report_json.hpp"
#include "io/shallow_json.hpp"

#include <charconv>
#include <cmath>
#include <type_traits>

namespace grouplink::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view remedy = "link its share anew";

[[noreturn]] void fail_broken(const std::string& path, std::string_view what) {
    fail(ErrorCode::bad_input, "{}: is broken: {}; {}", path, what, remedy);
}

std::string hex(std::uint64_t value) { return fmt::format("{:016x}", value); }

/// Paths may hold any bytes: one that is not UTF-8 cannot be opened by what stands here, and must be named
/// when parts are merged.
Json input_json(const InputSpec& input) {
    return Json{{"path", input.path}, {"embedding", input.embedding}, {"group", input.group},
                {"id", input.id},     {"groups", input.groups_file},  {"ids", input.ids_file}};
}

/// Reads the entries of an object; each must be there.
class Entries {
public:
    Entries(const Json& json, const std::string& path) : json_(json), path_(path) {}

    template <typename Value>
    void read(const char* key, Value& value) const {
        const auto found = json_.is_object() ? json_.find(key) : json_.end();
        if (!json_.is_object() || found == json_.end() || !take(*found, value)) {
            fail_broken(path_, fmt::format("its manifest has no {}, or one that makes no sense", key));
        }
    }
    Entries entries(const char* key) const {
        const auto found = json_.is_object() ? json_.find(key) : json_.end();
        if (!json_.is_object() || found == json_.end()) {
            fail_broken(path_, fmt::format("its manifest has no {}", key));
        }
        return {*found, path_};
    }

private:
    static bool take(const Json& json, std::string& value) {
        if (json.is_string()) value = json.get<std::string>();
        return json.is_string();
    }
    static bool take(const Json& json, double& value) {
        if (json.is_number()) value = json.get<double>();
        return json.is_number();
    }
    static bool take(const Json& json, std::int64_t& value) {
        if (json.is_number_integer()) value = json.get<std::int64_t>();
        return json.is_number_integer();
    }
    /// Seeds stand as numbers, hashes as hexadecimal texts.
    static bool take(const Json& json, std::uint64_t& value) {
        if (json.is_number_unsigned()) value = json.get<std::uint64_t>();
        if (!json.is_string()) return json.is_number_unsigned();
        const auto& text = json.get_ref<const std::string&>();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
        return error == std::errc() && end == text.data() + text.size();
    }
    template <typename Value>
    requires std::is_enum_v<Value>
    static bool take(const Json& json, Value& value) {
        if (!json.is_string()) return false;
        for (int i = 0; !name(static_cast<Value>(i)).empty(); ++i) {
            if (json.get_ref<const std::string&>() != name(static_cast<Value>(i))) continue;
            value = static_cast<Value>(i);
            return true;
        }
        return false;
    }

    const Json& json_;
    const std::string& path_;
};

constexpr std::int64_t most_number = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::string part_manifest(const LinkPart& part, const InputSpec& input) {
    const Report& report = part.report;
    Json options = Json::object();
    for_each_option(report.options, [&](const char* key, const auto& value) {
        if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>) {
            options[key] = name(value);
        } else {
            options[key] = value;
        }
    });
    const Json json{{"version", report.version},
                    {"shard", report.shard.index},
                    {"shards", report.shard.count},
                    {"rows", report.rows},
                    {"groups", part.groups},
                    {"input", input_json(input)},
                    {"fingerprint", Json{{"vectors", hex(part.input.vectors)},
                                         {"groups", hex(part.input.groups)},
                                         {"ids", hex(part.input.ids)}}},
                    {"options", options},
                    {"isa", report.isa},
                    {"duplicate_rows", report.duplicate_rows},
                    {"scored_pairs", report.scored_pairs},
                    {"researched_rows", report.researched_rows}};
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

void read_part_manifest(std::string_view text, const std::string& path, PartFile& file) {
    const Json json = parse_shallow<Json>(text);
    const Entries all(json, path);
    LinkPart& part = file.part;
    Report& report = part.report;
    all.read("version", report.version);
    all.read("shard", report.shard.index);
    all.read("shards", report.shard.count);
    all.read("rows", report.rows);
    all.read("groups", part.groups);
    all.read("isa", report.isa);
    all.read("duplicate_rows", report.duplicate_rows);
    all.read("scored_pairs", report.scored_pairs);
    all.read("researched_rows", report.researched_rows);
    const Entries input = all.entries("input");
    input.read("path", file.input.path);
    input.read("embedding", file.input.embedding);
    input.read("group", file.input.group);
    input.read("id", file.input.id);
    input.read("groups", file.input.groups_file);
    input.read("ids", file.input.ids_file);
    const Entries fingerprint = all.entries("fingerprint");
    fingerprint.read("vectors", part.input.vectors);
    fingerprint.read("groups", part.input.groups);
    fingerprint.read("ids", part.input.ids);
    const Entries options = all.entries("options");
    for_each_option(report.options, [&](const char* key, auto& value) { options.read(key, value); });
    try {
        validate(report.options);
        validate(report.shard);
    } catch (const Error& error) {
        fail_broken(path, error.what());
    }
    if (report.rows < 0 || part.groups < 0) fail_broken(path, "its rows or groups are fewer than none");
    // Merging adds them up over all shares.
    const std::int64_t most = most_number / report.shard.count;
    for (const std::int64_t count : {report.duplicate_rows, report.scored_pairs, report.researched_rows}) {
        if (count < 0 || count > most) fail_broken(path, "its manifest counts what cannot be");
    }
    report.mapping = mapping_name(report.options);
}

std::string part_groups(const LinkPart& part) {
    NumberWriter out;
    for (std::size_t i = 0; i < part.ranges.size(); ++i) {
        const PartRange& range = part.ranges[i];
        const GroupReport& report = part.report.groups[i];
        out.put(range.group);
        out.put(range.first);
        out.put(range.count);
        out.put_text(report.key);
        out.put(report.rows);
        out.put(report.valid_rows);
        out.put(report.dim);
        out.put(static_cast<int>(report.index));
        out.put(report.links);
        out.put(report.planned_cost);
        out.put(report.planned_memory_bytes);
        out.put(report.search);
    }
    return out.take();
}

void read_part_groups(std::string_view bytes, const std::string& path, LinkPart& part) {
    for (NumberReader in(bytes, path, remedy); !in.at_end();) {
        PartRange& range = part.ranges.emplace_back();
        GroupReport& report = part.report.groups.emplace_back();
        in.get(range.group, std::numeric_limits<std::int32_t>::max());
        in.get(range.first, most_number);
        in.get(range.count, most_number);
        in.get_text(report.key);
        in.get(report.rows, most_number);
        in.get(report.valid_rows, most_number);
        in.get(report.dim, most_number);
        in.get(report.index, static_cast<std::int64_t>(IndexKind::partition));
        in.get(report.links, most_number);
        in.get(report.planned_cost);
        if (!(report.planned_cost >= 0.0 && std::isfinite(report.planned_cost))) {
            fail_broken(path, "its groups make no sense");
        }
        in.get(report.planned_memory_bytes, std::numeric_limits<std::int64_t>::max());
        in.get(report.search);
    }
}

}  // namespace grouplink::io
