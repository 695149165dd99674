#include "io/inspect_formats.hpp"
#include "io/json_lines.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/ticker.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace grouplink::io {
namespace {

using Kind = JsonField::Kind;

/// Of one column, by what has been seen of it.
std::string type_name(Kind kind) {
    switch (kind) {
        case Kind::null: return "null";
        case Kind::boolean: return "bool";
        case Kind::integer: return "integer";
        case Kind::number: return "number";
        case Kind::text: return "string";
        case Kind::numbers: return "array<number>";
        case Kind::mixed: return "array";
        case Kind::object: return "object";
    }
    return "";
}

struct SeenColumn {
    ColumnInfo info;
    Kind kind = Kind::null;
    bool one_kind = true;
    std::int64_t values = 0;
    bool all_numbers = true;

    void see(const JsonField& field) {
        if (field.kind == Kind::null) return;
        const bool wider = (kind == Kind::integer && field.kind == Kind::number) ||
                           (kind == Kind::number && field.kind == Kind::integer);
        if (wider) {
            kind = Kind::number;
        } else if (values > 0 && kind != field.kind) {
            one_kind = false;
        } else {
            kind = field.kind;
        }
        ++values;
        if (field.kind != Kind::numbers) {
            all_numbers = false;
            return;
        }
        const auto dim = static_cast<std::int64_t>(field.numbers.size());
        if (!info.dims) info.dims = {dim, dim};
        info.dims->first = std::min(info.dims->first, dim);
        info.dims->second = std::max(info.dims->second, dim);
    }

    ColumnInfo finish(std::int64_t rows) {
        info.type = one_kind ? type_name(kind) : "mixed";
        info.nulls = rows - values;
        info.embedding = values > 0 && all_numbers && info.dims && info.dims->second > 0;
        return std::move(info);
    }
};

}  // namespace

FileInfo inspect_json_lines(const std::string& path, const JobControl& control) {
    // More keys than any table has columns: those of a dictionary that is written as an object.
    constexpr std::size_t most_columns = 10'000;
    constexpr std::int64_t rows_a_tick = 1 << 8;
    const MappedFile file(path);
    file.read_in_order();
    FileInfo info;
    info.format = "jsonl";
    info.bytes = static_cast<std::int64_t>(file.size());
    std::vector<SeenColumn> columns;
    std::unordered_map<std::string, std::size_t> places;
    JsonLines lines(path, file.text());
    Ticker ticker(control, "read", info.bytes, "bytes");
    for (; lines.next(); ++info.rows) {
        if (info.rows % rows_a_tick == 0) ticker.at(lines.position());
        for (const JsonField& field : lines.fields()) {
            const auto [place, added] = places.try_emplace(field.key, columns.size());
            if (added) {
                if (columns.size() == most_columns) {
                    fail(ErrorCode::bad_input, "{}: line {}: has more than {} keys with the lines before",
                         path, lines.line(), most_columns);
                }
                columns.emplace_back().info.name = field.key;
            }
            columns[place->second].see(field);
        }
    }
    file.check_unchanged();
    for (SeenColumn& column : columns) info.columns.push_back(column.finish(info.rows));
    return info;
}

}  // namespace grouplink::io
