#include "cli/progress.hpp"
#include "cli/run.hpp"
#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <grouplink/io.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace grouplink::cli {
namespace {

constexpr std::size_t most_groups_shown = 10;
constexpr std::size_t widest_key = 40;
constexpr std::size_t widest_value = 100;

struct GroupSize {
    std::string key;
    std::int64_t rows = 0;
};

struct GroupSizes {
    std::vector<GroupSize> largest;  ///< at most most_groups_shown, largest first; equal ones by first row
    std::int64_t count = 0;
    std::int64_t null_rows = 0;  ///< in no group
    std::int64_t min = 0;
    std::int64_t max = 0;
    double median = 0.0;
};

GroupSizes group_sizes(const GroupColumn& groups) {
    GroupSizes sizes;
    std::vector<std::int64_t> rows(groups.keys.size());
    for (const std::int32_t code : groups.codes) {
        if (code < 0) {
            ++sizes.null_rows;
        } else {
            ++rows[static_cast<std::size_t>(code)];
        }
    }
    sizes.count = static_cast<std::int64_t>(rows.size());
    if (rows.empty()) return sizes;
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return rows[a] > rows[b]; });
    sizes.max = rows[order.front()];
    sizes.min = rows[order.back()];
    sizes.median =
        static_cast<double>(rows[order[order.size() / 2]] + rows[order[(order.size() - 1) / 2]]) / 2.0;
    for (std::size_t i = 0; i < std::min(order.size(), most_groups_shown); ++i) {
        sizes.largest.push_back({groups.keys[order[i]], rows[order[i]]});
    }
    return sizes;
}

std::string dims_text(const ColumnInfo& column) {
    if (!column.dims) return {};
    const auto [least, most] = *column.dims;
    return least == most ? count_text(least) : fmt::format("{} to {}", count_text(least), count_text(most));
}

std::string sizes_text(const GroupSizes& sizes) {
    std::string out = fmt::format("\n{}", plural(sizes.count, "group"));
    if (sizes.count > 0) {
        const bool whole = sizes.median == static_cast<double>(static_cast<std::int64_t>(sizes.median));
        out += fmt::format(" of {} to {}, median {}{}", count_text(sizes.min), plural(sizes.max, "row"),
                           count_text(static_cast<std::int64_t>(sizes.median)), whole ? "" : ".5");
    }
    if (sizes.null_rows > 0) out += fmt::format("; {} in no group", plural(sizes.null_rows, "row"));
    out += "\n";
    std::vector<std::vector<std::string>> rows;
    for (const GroupSize& group : sizes.largest) {
        rows.push_back({shorten(group.key, widest_key), count_text(group.rows)});
    }
    if (sizes.count > static_cast<std::int64_t>(rows.size())) {
        const std::int64_t more = sizes.count - static_cast<std::int64_t>(rows.size());
        rows.push_back({fmt::format("... and {} more", count_text(more)), ""});
    }
    if (!rows.empty()) out += fmt::format("\n{}", table_text({{"group"}, {"rows", true}}, rows));
    return out;
}

std::string info_text(const FileInfo& info, const std::optional<GroupSizes>& sizes) {
    std::string out = fmt::format("{}: {}, {}, {}\n", printable(info.path), info.format,
                                  plural(info.rows, "row"), bytes_text(info.bytes));
    // What no column has is not shown: texts have no dimensions.
    const bool vectors = std::any_of(info.columns.begin(), info.columns.end(), [](const ColumnInfo& column) {
        return column.dims || column.embedding;
    });
    std::vector<TableColumn> titles{{"column"}, {"type"}, {"nulls", true}};
    if (vectors) titles.insert(titles.end(), {{"dims", true}, {"embedding"}});
    std::vector<std::vector<std::string>> rows;
    for (const ColumnInfo& column : info.columns) {
        rows.push_back({shorten(column.name, widest_key), printable(column.type), count_text(column.nulls),
                        dims_text(column), column.embedding ? "yes" : ""});
    }
    if (!rows.empty()) out += fmt::format("\n{}", table_text(titles, rows));
    if (!info.metadata.empty()) {
        std::vector<std::vector<std::string>> entries;
        for (const auto& [key, value] : info.metadata) {
            entries.push_back({shorten(key, widest_key), shorten(value, widest_value)});
        }
        out += fmt::format("\n{}", table_text({{"metadata"}, {"value"}}, entries));
    }
    return sizes ? out + sizes_text(*sizes) : out;
}

std::string info_json(const FileInfo& info, const std::optional<GroupSizes>& sizes) {
    using Json = nlohmann::ordered_json;
    Json columns = Json::array();
    for (const ColumnInfo& column : info.columns) {
        Json entry{{"name", column.name}, {"type", column.type}, {"nulls", column.nulls}};
        entry["dims"] = column.dims ? Json::array({column.dims->first, column.dims->second}) : Json();
        entry["embedding"] = column.embedding;
        columns.push_back(std::move(entry));
    }
    Json metadata = Json::object();
    for (const auto& [key, value] : info.metadata) metadata[key] = value;
    Json document{{"path", info.path}, {"format", info.format}, {"bytes", info.bytes},
                  {"rows", info.rows}, {"columns", columns},    {"metadata", metadata}};
    if (sizes) {
        Json largest = Json::array();
        for (const GroupSize& group : sizes->largest) {
            largest.push_back(Json{{"key", group.key}, {"rows", group.rows}});
        }
        document["groups"] = Json{{"count", sizes->count},         {"min", sizes->min},
                                  {"median", sizes->median},       {"max", sizes->max},
                                  {"null_rows", sizes->null_rows}, {"largest", largest}};
    }
    // Names, keys and metadata may hold any bytes.
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// Reads the groups as link would. Any column that could be linked will do for the vectors.
GroupSizes read_sizes(const InspectArguments& arguments, const FileInfo& info, const JobControl& control) {
    InputSpec input;
    input.path = arguments.path;
    input.group = arguments.group;
    input.groups_file = arguments.groups_file;
    const auto vectors = std::find_if(info.columns.begin(), info.columns.end(),
                                      [](const ColumnInfo& column) { return column.embedding; });
    // An array is no column that could be named.
    if (vectors != info.columns.end() && vectors->name != "array") input.embedding = vectors->name;
    return group_sizes(read_table(input, control).groups);
}

}  // namespace

void run_inspect(const InspectArguments& arguments, const std::stop_token& stop) {
    ProgressLine line(!arguments.quiet && error_is_terminal());
    const JobControl control{line.callback(), stop};
    line.update({"read", 0.0});
    const FileInfo info = inspect_file(arguments.path, control);
    std::optional<GroupSizes> sizes;
    const bool collections =
        info.format == "sqlite" && std::any_of(info.columns.begin(), info.columns.end(),
                                               [](const ColumnInfo& column) { return column.embedding; });
    if (collections || !arguments.group.empty() || !arguments.groups_file.empty()) {
        sizes = read_sizes(arguments, info, control);
    }
    line.clear();
    print(arguments.json ? info_json(info, sizes) : info_text(info, sizes));
}

}  // namespace grouplink::cli
