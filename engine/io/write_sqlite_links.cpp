#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/shallow_json.hpp"
#include "io/sqlite_links.hpp"
#include "io/ticker.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <numeric>
#include <variant>
#include <vector>

namespace grouplink::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t rows_a_tick = 1 << 8;

/// The rows' names as values of a database, in its order of them: a tree that is filled in its order grows
/// at its end alone.
class Keys {
public:
    explicit Keys(const LinksOut& links) : ids_(links.ids) {}

    std::string_view type() const { return std::holds_alternative<StringColumn>(ids_) ? "TEXT" : "INTEGER"; }

    void bind(SqliteStatement& statement, int parameter, std::int64_t row) const {
        if (const auto* texts = std::get_if<StringColumn>(&ids_)) {
            statement.bind(parameter, (*texts)[row]);
        } else {
            statement.bind(parameter, number(row));
        }
    }

    bool before(std::int64_t a, std::int64_t b) const {
        if (const auto* texts = std::get_if<StringColumn>(&ids_)) return (*texts)[a] < (*texts)[b];
        return number(a) < number(b);
    }

private:
    std::int64_t number(std::int64_t row) const {
        const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids_);
        return numbers ? (*numbers)[static_cast<std::size_t>(row)] : row;
    }

    const IdColumn& ids_;
};

std::vector<std::int64_t> rows_in_order(const CsrGraph& graph, const Keys& keys) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(graph.rows()));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    std::stable_sort(rows.begin(), rows.end(),
                     [&](std::int64_t a, std::int64_t b) { return keys.before(a, b); });
    return rows;
}

void insert_links(const SqliteFile& file, const LinksOut& links, const Keys& keys,
                  const std::vector<std::int64_t>& rows, const JobControl& control) {
    const CsrGraph& graph = links.graph;
    SqliteStatement insert = file.prepare("INSERT INTO similarities (id, other_id, score) VALUES (?, ?, ?)");
    Ticker ticker(control, "write", graph.links(), "links");
    std::vector<std::size_t> places;
    std::int64_t done = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = static_cast<std::size_t>(rows[i]);
        if (i % rows_a_tick == 0) ticker.at(done);
        places.resize(static_cast<std::size_t>(graph.offsets[row + 1] - graph.offsets[row]));
        std::iota(places.begin(), places.end(), static_cast<std::size_t>(graph.offsets[row]));
        std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
            return keys.before(graph.targets[a], graph.targets[b]);
        });
        for (const std::size_t place : places) {
            keys.bind(insert, 1, rows[i]);
            keys.bind(insert, 2, graph.targets[place]);
            insert.bind(3, static_cast<double>(graph.weights[place]));
            insert.run();
        }
        done += std::ssize(places);
    }
}

void create_tables(const SqliteFile& file, const Keys& keys) {
    file.run(
        fmt::format("CREATE TABLE IF NOT EXISTS similarities (id {0}, other_id {0}, score REAL, "
                    "PRIMARY KEY (id, other_id)) WITHOUT ROWID",
                    keys.type()));
    file.run("CREATE TABLE IF NOT EXISTS grouplink (name TEXT PRIMARY KEY, value TEXT)");
}

void create_index(const SqliteFile& file) {
    file.run("CREATE INDEX IF NOT EXISTS idx_similarities_id_score ON similarities (id, score)");
}

void write_record(const SqliteFile& file, const std::string& record) {
    SqliteStatement insert = file.prepare("INSERT OR REPLACE INTO grouplink (name, value) VALUES (?, ?)");
    insert.bind(1, links_table);
    insert.bind(2, record);
    insert.run();
}

std::string mapping_of(const std::string& record) {
    const Json json = parse_shallow<Json>(record);
    if (!json.is_object()) return {};
    const auto found = json.find("mapping");
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The record of links beside which there are others: it counts nothing.
std::string without_counts(const std::string& record) {
    Json json = parse_shallow<Json>(record);
    if (!json.is_object()) return record;
    for (const char* const name : {"rows", "links", "cut"}) json.erase(name);
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::int64_t count_links(const SqliteFile& file) {
    SqliteStatement count = file.prepare("SELECT count(*) FROM similarities");
    count.step();
    return count.integer(0);
}

void delete_links(const SqliteFile& file, const Keys& keys, const std::vector<std::int64_t>& rows,
                  const JobControl& control) {
    SqliteStatement remove = file.prepare("DELETE FROM similarities WHERE id = ?");
    Ticker ticker(control, "write", std::ssize(rows), "rows");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i % rows_a_tick == 0) ticker.at(0);
        keys.bind(remove, 1, rows[i]);
        remove.run();
    }
}

void update(const std::string& path, const LinksOut& links, const JobControl& control) {
    const Keys keys(links);
    const SqliteFile database = SqliteFile::open_to_write(path, path, control);
    database.run("BEGIN IMMEDIATE");
    create_tables(database, keys);
    create_index(database);
    const std::vector<std::int64_t> rows = rows_in_order(links.graph, keys);
    delete_links(database, keys, rows, control);
    const bool others = count_links(database) > 0;
    const std::string before = mapping_of(sqlite_record(database));
    if (others && !before.empty() && !links.mapping.empty() && before != links.mapping) {
        fail(ErrorCode::bad_input,
             "{}: holds links of other rows with the mapping {}, these have {}: their scores cannot be "
             "compared; "
             "make them with the same, or write another database",
             path, in_quotes(before), in_quotes(links.mapping));
    }
    insert_links(database, links, keys, rows, control);
    if (!links.record.empty()) write_record(database, others ? without_counts(links.record) : links.record);
    database.run("COMMIT");
}

/// After a failed write, such as to a full disk, the journal may stay, to be played back by the next who
/// opens the database to write. That is done at once, so that those who only read find what was there.
void restore(const std::string& path) noexcept {
    try {
        const SqliteFile database = SqliteFile::open_to_write(path, path, {});
        database.run("BEGIN IMMEDIATE");
        database.run("ROLLBACK");
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): what failed before is what is told
    }
}

}  // namespace

void write_links_sqlite(AtomicFile& file, const LinksOut& links, const JobControl& control) {
    const Keys keys(links);
    const SqliteFile database = SqliteFile::open_to_write(file.temporary_path(), file.path(), control);
    // Nobody sees the file before it is whole and synced.
    for (const char* const setting :
         {"journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"}) {
        database.run(fmt::format("PRAGMA {}", setting));
    }
    database.run("BEGIN");
    create_tables(database, keys);
    insert_links(database, links, keys, rows_in_order(links.graph, keys), control);
    create_index(database);
    if (!links.record.empty()) write_record(database, links.record);
    database.run("COMMIT");
}

void update_links_sqlite(const std::string& path, const LinksOut& links, const JobControl& control) {
    check_updatable(path);
    try {
        update(path, links, control);
    } catch (...) {
        restore(path);
        throw;
    }
}

}  // namespace grouplink::io
