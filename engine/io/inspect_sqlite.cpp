#include "io/inspect_formats.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/sqlite_links.hpp"

#include <algorithm>

namespace grouplink::io {
namespace {

/// The rows of a table, no more than its bytes can hold: the tree of a damaged file may come back to itself.
std::string rows_of(const SqliteFile& file, const std::string& table, const std::string& columns) {
    return fmt::format("(SELECT {} FROM {} LIMIT {})", columns, sql_name(table), file.bytes());
}

std::int64_t count_rows(const SqliteFile& file, const std::string& table) {
    SqliteStatement query = file.prepare("SELECT count(*) FROM " + rows_of(file, table, "1"));
    return query.step() ? query.integer(0) : 0;
}

/// Rows and columns of a table.
void see_table(const SqliteFile& file, const std::string& table, FileInfo& info) {
    info.rows = count_rows(file, table);
    SqliteStatement described = file.prepare(fmt::format("PRAGMA table_info({})", sql_name(table)));
    while (described.step()) {
        ColumnInfo& column = info.columns.emplace_back();
        column.name = described.bytes(1);
        column.type = described.bytes(2);
    }
    for (ColumnInfo& column : info.columns) {
        const std::string name = sql_name(column.name);
        SqliteStatement counted = file.prepare(
            fmt::format("SELECT count({0}), min(length({0})), max(length({0})), sum(typeof({0}) != 'blob' OR "
                        "length({0}) % 4) FROM {1} WHERE {0} IS NOT NULL",
                        name, rows_of(file, table, name)));
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
        const std::int64_t rows = count_rows(file, table);
        info.metadata.emplace_back(fmt::format("table {}", table),
                                   fmt::format("{} row{}", rows, rows == 1 ? "" : "s"));
    }
    if (const std::string record = sqlite_record(file); !record.empty()) {
        for (auto& entry : read_metadata(record)) info.metadata.push_back(std::move(entry));
    }
    return info;
}

}  // namespace grouplink::io
