#include "io/message.hpp"
#include "io/readers.hpp"
#include "io/row_buffer.hpp"
#include "io/sqlite_file.hpp"
#include "io/text_picker.hpp"
#include "io/ticker.hpp"
#include "io/utf8.hpp"
#include "io/values.hpp"

#include <algorithm>
#include <cstring>

namespace grouplink::io {
namespace {

using Type = SqliteStatement::Type;

constexpr std::int64_t rows_a_tick = 1 << 10;
constexpr std::size_t component = 4;

/// What a column of the query is, in SQL: one of the embeddings, or of their collection.
class Columns {
public:
    explicit Columns(const SqliteFile& file) : path_(file.path()) {
        if (!file.has_table("embeddings")) {
            const std::vector<std::string> tables = file.tables();
            fail(ErrorCode::bad_input, "{}: has no table \"embeddings\", as llm writes it; {}", path_,
                 tables.empty() ? "it has none" : "its tables are " + quoted_list(tables));
        }
        names_ = file.columns("embeddings");
        own_ = names_.size();
        if (!file.has_table("collections")) return;
        joins_ = true;
        for (const char* const name : {"collection", "model"}) {
            if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.emplace_back(name);
        }
    }

    std::string sql(const std::string& name) const {
        const std::size_t place = find_column(path_, name, names_);
        if (place < own_) return "e." + sql_name(name);
        return name == "collection" ? "c.name" : "c.model";
    }
    std::string_view from() const {
        return joins_ ? "embeddings e LEFT JOIN collections c ON c.id = e.collection_id" : "embeddings e";
    }

private:
    const std::string& path_;
    std::vector<std::string> names_;
    std::size_t own_ = 0;
    bool joins_ = false;
};

class RowReader {
public:
    RowReader(const std::string& path, SqliteStatement& query, const TableColumns& columns,
              std::int64_t bytes, const Spill& spill)
        : path_(path), query_(query), columns_(columns), rows_(path, ElementType::float32, bytes, spill) {}

    void add(std::int64_t row) {
        row_ = row;
        add_embedding();
        if (!columns_.group.empty()) add_group();
        if (!columns_.id.empty()) add_id();
    }

    std::int64_t bytes() const { return bytes_; }  ///< of the embeddings so far

    RowsRead finish() {
        auto storage = std::make_shared<Table::Storage>();
        RowsRead read;
        read.vectors = rows_.finish(*storage);
        read.storage = std::move(storage);
        if (!columns_.group.empty()) read.groups = groups_.finish();
        if (!columns_.id.empty()) {
            if (numbers_.empty()) {
                read.ids = std::move(texts_);
            } else {
                read.ids = std::move(numbers_);
            }
        }
        return read;
    }

private:
    template <typename... Args>
    [[noreturn]] void refuse(const std::string& column, fmt::format_string<Args...> format,
                             Args&&... args) const {
        fail(ErrorCode::bad_input, "{}: embeddings: row {}: {} {}", path_, row_, in_quotes(column),
             fmt::format(format, std::forward<Args>(args)...));
    }

    void add_embedding() {
        const Type type = query_.type(0);
        if (type == Type::null) return rows_.add_row(0, false);
        if (type != Type::blob) {
            refuse(columns_.embedding, "is {}, an embedding is a blob of float32", sql_type_name(type));
        }
        const std::string_view blob = query_.bytes(0);
        if (blob.size() % component != 0) {
            refuse(columns_.embedding, "is a blob of {} bytes, float32 takes 4 a component", blob.size());
        }
        const auto dim = static_cast<std::int64_t>(blob.size() / component);
        if (dim > 0) std::memcpy(rows_.extend(dim), blob.data(), blob.size());
        rows_.add_row(dim, true);
        bytes_ += static_cast<std::int64_t>(blob.size());
    }

    void add_group() {
        switch (const Type type = query_.type(1)) {
            case Type::null: return groups_.push_null();
            case Type::integer: return groups_.push(query_.integer(1));
            case Type::text: return groups_.push(text(1, columns_.group));
            default: refuse(columns_.group, "is {}, groups are texts or integers", sql_type_name(type));
        }
    }

    void add_id() {
        const int place = columns_.group.empty() ? 1 : 2;
        const Type type = query_.type(place);
        if (type != Type::integer && type != Type::text) {
            refuse(columns_.id, "is {}, ids are texts or integers", sql_type_name(type));
        }
        if (type == Type::text ? !numbers_.empty() : texts_.size() > 0) {
            refuse(columns_.id, "is {}, those before are not; make all ids of one type", sql_type_name(type));
        }
        if (type == Type::integer) return numbers_.push_back(query_.integer(place));
        const std::string_view value = text(place, columns_.id);
        if (value.empty()) refuse(columns_.id, "is empty; give each row an id");
        texts_.push_back(value);
    }

    std::string_view text(int place, const std::string& column) {
        const std::string_view value = query_.bytes(place);
        if (!is_utf8(value)) refuse(column, "is not UTF-8 text");
        return value;
    }

    const std::string& path_;
    SqliteStatement& query_;
    const TableColumns& columns_;
    std::int64_t row_ = 0;
    std::int64_t bytes_ = 0;
    RowBuffer rows_;
    GroupEncoder groups_;
    std::vector<std::int64_t> numbers_;
    StringColumn texts_;
};

}  // namespace

RowsRead read_sqlite(const std::string& path, const TableColumns& columns, const Spill& spill,
                     const JobControl& control) {
    const SqliteFile file = SqliteFile::open_to_read(path, control);
    TableColumns named = columns;
    if (named.embedding.empty()) named.embedding = "embedding";
    const Columns known(file);
    std::string sql = "SELECT " + known.sql(named.embedding);
    for (const std::string& name : {named.group, named.id}) {
        if (!name.empty()) sql += ", " + known.sql(name);
    }
    Ticker ticker(control, "read", file.bytes(), "bytes");
    SqliteStatement query = file.prepare(fmt::format("{} FROM {} ORDER BY e.rowid", sql, known.from()));
    RowReader reader(path, query, named, file.bytes(), spill);
    std::int64_t rows = 0;
    for (; query.step(); ++rows) {
        if (rows % rows_a_tick == 0) ticker.at(reader.bytes());
        // A row takes some bytes at least; more of them are those of a damaged tree, read over and over.
        if (rows > file.bytes()) {
            fail(ErrorCode::bad_input, "{}: has more rows than {} bytes hold", path, file.bytes());
        }
        reader.add(rows);
    }
    return reader.finish();
}

StringColumn read_sqlite_texts(const std::string& path, const std::string& column,
                               std::span<const std::int64_t> rows, const JobControl& control) {
    const SqliteFile file = SqliteFile::open_to_read(path, control);
    const Columns known(file);
    TextPicker picker(rows);
    SqliteStatement query =
        file.prepare(fmt::format("SELECT {} FROM {} ORDER BY e.rowid", known.sql(column), known.from()));
    for (std::int64_t row = 0; !picker.done() && query.step(); ++row) {
        if (!picker.wants(row)) continue;
        switch (const Type type = query.type(0)) {
            case Type::null: picker.push(""); break;
            case Type::integer: picker.push(std::to_string(query.integer(0))); break;
            case Type::text: picker.push(query.bytes(0)); break;
            default:
                fail(ErrorCode::bad_input, "{}: embeddings: row {}: {} is {}, texts are texts or integers",
                     path, row, in_quotes(column), sql_type_name(type));
        }
    }
    return picker.finish();
}

}  // namespace grouplink::io
