#include "io/sqlite_links.hpp"

#include "io/links_reader.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/ticker.hpp"

#include <algorithm>
#include <cmath>

namespace grouplink::io {
namespace {

using Type = SqliteStatement::Type;

constexpr std::int64_t links_a_tick = 1 << 14;

class SqliteLinks {
public:
    SqliteLinks(const std::string& path, SqliteStatement& query, RowNames& names)
        : path_(path), query_(query), names_(names) {}

    void add(std::int64_t link) {
        link_ = link;
        const std::int64_t from = row_of(0, "id");
        const std::int64_t to = row_of(1, "other_id");
        const Type type = query_.type(2);
        if (!names_.has_row(from)) return unknown(0, "id");
        if (to == no_row) return unknown(1, "other_id");
        if (type == Type::null) return add_fault(file_, fmt::format("link {} has no score", link));
        const auto score = static_cast<float>(query_.real(2));
        if ((type != Type::real && type != Type::integer) || !std::isfinite(score)) {
            fail(ErrorCode::bad_input, "{}: similarities: link {}: score is {}, wants a finite number", path_,
                 link, type == Type::real ? "past float32" : sql_type_name(type));
        }
        edges_.add(from, to, score);
    }

    LinksFile finish() {
        file_.graph = edges_.sorted(names_.rows());
        return std::move(file_);
    }

private:
    std::string text(int column) {
        return query_.type(column) == Type::integer ? std::to_string(query_.integer(column))
                                                    : in_quotes(query_.bytes(column));
    }

    std::int64_t row_of(int column, std::string_view title) {
        switch (const Type type = query_.type(column)) {
            case Type::null: return no_row;
            case Type::integer: return names_.find(query_.integer(column));
            case Type::text:
                if (names_.by_number()) {
                    fail(
                        ErrorCode::bad_input,
                        "{}: similarities: link {}: {} is {}, which is no row number; pass the --id that the "
                        "links were made with",
                        path_, link_, title, text(column));
                }
                return names_.find(query_.bytes(column));
            default:
                fail(ErrorCode::bad_input, "{}: similarities: link {}: {} is {}, wants a text or an integer",
                     path_, link_, title, sql_type_name(type));
        }
    }

    void unknown(int column, std::string_view title) {
        add_fault(file_,
                  fmt::format("link {}: {} is {}, which is no row of the input", link_, title, text(column)));
    }

    const std::string& path_;
    SqliteStatement& query_;
    RowNames& names_;
    EdgeList edges_;
    LinksFile file_;
    std::int64_t link_ = 0;
};

void check_columns(const SqliteFile& file) {
    const std::vector<std::string> columns = file.columns(links_table);
    for (const char* const name : {"id", "other_id", "score"}) {
        if (std::find(columns.begin(), columns.end(), name) != columns.end()) continue;
        fail(ErrorCode::bad_input, "{}: the table similarities has no column {}, it has {}", file.path(),
             in_quotes(name), quoted_list(columns));
    }
}

}  // namespace

std::string sqlite_record(const SqliteFile& file) {
    if (!file.has_table(metadata_key)) return {};
    const std::vector<std::string> columns = file.columns(metadata_key);
    for (const char* const name : {"name", "value"}) {
        if (std::find(columns.begin(), columns.end(), name) == columns.end()) return {};
    }
    SqliteStatement query =
        file.prepare(fmt::format("SELECT value FROM {} WHERE name = ?", sql_name(metadata_key)));
    query.bind(1, links_table);
    return query.step() ? std::string(query.bytes(0)) : std::string();
}

LinksFile read_sqlite_links(const std::string& path, RowNames& names, const JobControl& control) {
    const SqliteFile file = SqliteFile::open_to_read(path, control);
    if (!file.has_table(links_table)) {
        const std::vector<std::string> tables = file.tables();
        fail(ErrorCode::bad_input, "{}: holds no links: it has no table \"similarities\"; {}", path,
             tables.empty() ? "it has none" : "its tables are " + quoted_list(tables));
    }
    check_columns(file);
    // Some 32 bytes a link in the table, and as many in its index.
    Ticker ticker(control, "read", file.bytes() / 64, "links");
    SqliteStatement query = file.prepare("SELECT id, other_id, score FROM similarities");
    SqliteLinks links(path, query, names);
    for (std::int64_t link = 0; query.step(); ++link) {
        if (link % links_a_tick == 0) ticker.at(link);
        // A link takes some bytes at least; more of them are those of a damaged tree, read over and over.
        if (link > file.bytes()) {
            fail(ErrorCode::bad_input, "{}: has more links than {} bytes hold", path, file.bytes());
        }
        links.add(link);
    }
    LinksFile read = links.finish();
    if (const std::string record = sqlite_record(file); !record.empty()) {
        read_record(record, names.table_rows(), read);
    }
    return read;
}

void check_updatable(const std::string& path) {
    const SqliteFile file = SqliteFile::open_to_read(path, {});
    if (file.has_table(links_table)) check_columns(file);
}

}  // namespace grouplink::io
