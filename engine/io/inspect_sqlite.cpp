#include "io/inspect_formats.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/sqlite_links.hpp"

#include <algorithm>

namespace grouplink::io {
namespace {

std::int64_t one_number(const SqliteFile& file, const std::string& sql) {
    SqliteStatement query = file.prepare(sql);
    return query.step() ? query.integer(0) : 0;
}

/// Rows and columns of a table.
void see_table(const SqliteFile& file, const std::string& table, FileInfo& info) {
    const std::string from = sql_name(table);
    info.rows = one_number(file, "SELECT count(*) FROM " + from);
    SqliteStatement described = file.prepare(fmt::format("PRAGMA table_info({})", from));
    while (described.step()) {
        ColumnInfo& column = info.columns.emplace_back();
        column.name = described.bytes(1);
        column.type = described.bytes(2);
    }
    for (ColumnInfo& column : info.columns) {
        const std::string name = sql_name(column.name);
        SqliteStatement counted = file.prepare(
            fmt::format("SELECT count({}), min(length({})), max(length({})), "
                        "sum(typeof({}) != 'blob' OR length({}) % 4) FROM {} WHERE {} IS NOT NULL",
                        name, name, name, name, name, from, name));
        counted.step();
        column.nulls = info.rows - counted.integer(0);
        constexpr std::int64_t component = 4;
        const bool vectors = column.name == "embedding" && counted.integer(0) > 0 && counted.integer(3) == 0;
        if (!vectors) continue;
        column.dims = {counted.integer(1) / component, counted.integer(2) / component};
        column.embedding = true;
    }
}

}  // namespace

FileInfo inspect_sqlite(const std::string& path, const JobControl& control) {
    const SqliteFile file = SqliteFile::open_to_read(path, control);
    FileInfo info;
    info.format = "sqlite";
    info.bytes = file.bytes();
    const std::vector<std::string> tables = file.tables();
    const auto has = [&](std::string_view name) {
        return std::find(tables.begin(), tables.end(), name) != tables.end();
    };
    if (has("embeddings")) {
        see_table(file, "embeddings", info);
    } else if (has("similarities")) {
        see_table(file, "similarities", info);
    }
    for (const std::string& table : tables) {
        const std::int64_t rows = one_number(file, "SELECT count(*) FROM " + sql_name(table));
        info.metadata.emplace_back(fmt::format("table {}", table),
                                   fmt::format("{} row{}", rows, rows == 1 ? "" : "s"));
    }
    if (const std::string record = sqlite_record(file); !record.empty()) {
        for (auto& entry : read_metadata(record)) info.metadata.push_back(std::move(entry));
    }
    return info;
}

}  // namespace grouplink::io
