#include "io/sqlite_file.hpp"

#include "io/mapped_file.hpp"
#include "io/message.hpp"

#include <sqlite3.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>

namespace grouplink::io {
namespace {

using namespace std::string_view_literals;

constexpr int busy_milliseconds = 5000;
constexpr int steps_a_look = 100'000;  // some milliseconds of the virtual machine

void check_mark(const std::string& path) {
    constexpr std::string_view mark = "SQLite format 3\0"sv;
    const FileDescriptor file = open_to_read(path);
    const std::string begin = io::read_at(file.get(), 0, mark.size(), path);
    if (begin.empty()) fail(ErrorCode::bad_input, "{}: is empty, so it is no SQLite database", path);
    if (begin != mark) {
        fail(ErrorCode::bad_input, "{}: is no SQLite database, it does not begin with \"SQLite format 3\"",
             path);
    }
}

std::int64_t size_of(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_size) : 0;
}

/// SQLite takes the missing end of a last page for zeros, and may never come to read it. Where a journal
/// stands beside the file, that page may be one that is yet to be taken back.
void check_whole(const std::string& path) {
    constexpr std::int64_t page_size_at = 16;
    const FileDescriptor file = open_to_read(path);
    const std::string stored = io::read_at(file.get(), page_size_at, 2, path);
    if (stored.size() < 2) return;
    const std::int64_t number =
        static_cast<unsigned char>(stored[0]) * 256 + static_cast<unsigned char>(stored[1]);
    const std::int64_t page = number == 1 ? 65'536 : number;
    const std::int64_t bytes = size_of(path);
    if (page < 512 || bytes % page == 0 || size_of(path + "-journal") > 0) return;
    fail(ErrorCode::bad_input, "{}: was cut short: has {} bytes, its pages have {} each", path, bytes, page);
}

/// A name that SQLite cannot take for a URI or for a word of its own.
std::string plain_name(const std::string& path) { return path.starts_with('/') ? path : "./" + path; }

}  // namespace

void SqliteFile::Close::operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }

SqliteFile::SqliteFile(const std::string& place, std::string path, int flags, const JobControl& control)
    : path_(std::move(path)), control_(std::make_unique<JobControl>(control)) {
    bytes_ = size_of(place) + size_of(place + "-wal");
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(plain_name(place).c_str(), &opened,
                                     flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    database_.reset(opened);
    check(code);
    sqlite3_busy_timeout(opened, busy_milliseconds);
    const auto stop = [](void* watched) {
        return static_cast<const JobControl*>(watched)->stop.stop_requested() ? 1 : 0;
    };
    sqlite3_progress_handler(opened, steps_a_look, stop, control_.get());
}

SqliteFile SqliteFile::open_to_read(const std::string& path, const JobControl& control) {
    check_mark(path);
    check_whole(path);
    SqliteFile file(path, path, SQLITE_OPEN_READONLY, control);
    file.untrusted_ = true;
    sqlite3* const database = file.database_.get();
    for (const int off :
         {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW}) {
        sqlite3_db_config(database, off, 0, nullptr);
    }
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // No value is longer than the file.
    constexpr std::int64_t least = 1 << 20;
    sqlite3_limit(
        database, SQLITE_LIMIT_LENGTH,
        static_cast<int>(std::clamp<std::int64_t>(file.bytes_, least, std::numeric_limits<int>::max())));
    file.run("PRAGMA cell_size_check = ON");
    return file;
}

SqliteFile SqliteFile::open_to_write(const std::string& place, const std::string& path,
                                     const JobControl& control) {
    if (size_of(place) > 0) check_mark(place);
    return {place, path, SQLITE_OPEN_READWRITE, control};
}

void SqliteFile::check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    const std::string text = first_line(database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(code));
    if (code == SQLITE_IOERR_SHORT_READ) fail(ErrorCode::bad_input, "{}: was cut short: {}", path_, text);
    if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY) {
        fail(ErrorCode::io,
             "{}: a write to it was interrupted and left a journal; open it once to write, as sqlite3 does: "
             "{}",
             path_, text);
    }
    switch (code & 0xFF) {
        case SQLITE_INTERRUPT: throw Error(ErrorCode::cancelled, "cancelled");
        case SQLITE_NOMEM:
            if (const std::string damage = damage_found(); !damage.empty()) {
                fail(ErrorCode::bad_input, "{}: is damaged: {}", path_, damage);
            }
            throw std::bad_alloc();
        case SQLITE_CONSTRAINT:
            fail(ErrorCode::bad_input, "{}: two links go from one id to the same other; make ids distinct",
                 path_);
        case SQLITE_BUSY:
        case SQLITE_LOCKED: fail(ErrorCode::io, "{}: is in use by another program: {}", path_, text);
        case SQLITE_FULL: fail_system(path_, "cannot write", ENOSPC);
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            if (const int fault = sqlite3_system_errno(database_.get()); fault != 0) {
                fail_system(path_, code == SQLITE_IOERR_READ ? "cannot be read" : "cannot write", fault);
            }
            fail(ErrorCode::io, "{}: {}", path_, text);
        default:
            fail(ErrorCode::bad_input, "{}: is damaged, or no database that can be read: {}", path_, text);
    }
}

/// SQLite says of a record that claims nearly 2^32 bytes, too, that memory is out: the count of its pages
/// overflows to none. That is told from the want of memory by asking again: what is damaged stays so.
std::string SqliteFile::damage_found() const {
    if (!untrusted_) return {};  // a file of ours that is half written need not check out
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(database_.get(), "PRAGMA quick_check(1)", -1, &statement, nullptr);
    SqliteStatement query(*this, statement);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const std::string_view found = query.bytes(0);
        return found == "ok" ? std::string() : first_line(found);
    }
    const int kind = code & 0xFF;  // codes are extended ones
    if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB) return sqlite3_errstr(code);
    if (kind != SQLITE_NOMEM) return {};
    // Its pages in memory and a bit for each page of the file are what the check itself needs.
    constexpr std::int64_t cached = 4 << 20;
    constexpr std::int64_t least_page = 512;
    const std::unique_ptr<char[]> needed(
        new (std::nothrow) char[static_cast<std::size_t>(cached + bytes_ / least_page)]);
    return needed ? "a record claims more bytes than there can be" : std::string();
}

SqliteStatement SqliteFile::prepare(std::string_view sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
    return {*this, statement};
}

void SqliteFile::run(std::string_view sql) const { prepare(sql).run(); }

std::vector<std::string> SqliteFile::tables() const {
    std::vector<std::string> names;
    SqliteStatement query = prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite~_%' "
        "ESCAPE '~' ORDER BY name");
    while (query.step()) names.emplace_back(query.bytes(0));
    return names;
}

bool SqliteFile::has_table(std::string_view name) const {
    const std::vector<std::string> names = tables();
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> SqliteFile::columns(std::string_view table) const {
    std::vector<std::string> names;
    SqliteStatement query = prepare(fmt::format("PRAGMA table_info({})", sql_name(table)));
    while (query.step()) names.emplace_back(query.bytes(1));
    return names;
}

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

bool SqliteStatement::step() {
    const int code = sqlite3_step(statement_.get());
    file_.check(code);
    return code == SQLITE_ROW;
}

void SqliteStatement::run() {
    while (step()) {
    }
    file_.check(sqlite3_reset(statement_.get()));
}

SqliteStatement::Type SqliteStatement::type(int column) const {
    switch (sqlite3_column_type(statement_.get(), column)) {
        case SQLITE_INTEGER: return Type::integer;
        case SQLITE_FLOAT: return Type::real;
        case SQLITE_TEXT: return Type::text;
        case SQLITE_BLOB: return Type::blob;
        default: return Type::null;
    }
}

std::int64_t SqliteStatement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

double SqliteStatement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string_view SqliteStatement::bytes(int column) {
    const void* const data = type(column) == Type::blob ? sqlite3_column_blob(statement_.get(), column)
                                                        : sqlite3_column_text(statement_.get(), column);
    const int size = sqlite3_column_bytes(statement_.get(), column);
    if (!data) {
        if (size > 0) throw std::bad_alloc();
        return {};
    }
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

void SqliteStatement::bind(int parameter, std::int64_t value) {
    file_.check(sqlite3_bind_int64(statement_.get(), parameter, value));
}

void SqliteStatement::bind(int parameter, double value) {
    file_.check(sqlite3_bind_double(statement_.get(), parameter, value));
}

void SqliteStatement::bind(int parameter, std::string_view text) {
    file_.check(sqlite3_bind_text64(statement_.get(), parameter, text.data() ? text.data() : "", text.size(),
                                    SQLITE_STATIC, SQLITE_UTF8));
}

std::string sql_name(std::string_view name) {
    std::string quoted = "\"";
    for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
    return quoted + '"';
}

std::string_view sql_type_name(SqliteStatement::Type type) {
    switch (type) {
        case SqliteStatement::Type::null: return "null";
        case SqliteStatement::Type::integer: return "an integer";
        case SqliteStatement::Type::real: return "a real number";
        case SqliteStatement::Type::text: return "a text";
        case SqliteStatement::Type::blob: return "a blob";
    }
    return "";
}

}  // namespace grouplink::io
