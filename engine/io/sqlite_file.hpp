#pragma once

#include <grouplink/io.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace grouplink::io {

class SqliteStatement;

/// A connection to a database. All throw Error about the file: bad_input for what it holds, io for what the
/// system refuses, cancelled.
class SqliteFile {
public:
    /// A database to be read, of which nothing is trusted: no views, no triggers, no unsafe functions.
    static SqliteFile open_to_read(const std::string& path, const JobControl& control);
    /// `place` is where the database is, which may be a file of no bytes; `path` is its name in messages.
    static SqliteFile open_to_write(const std::string& place, const std::string& path,
                                    const JobControl& control);

    const std::string& path() const { return path_; }
    std::int64_t bytes() const { return bytes_; }  ///< with those of its log, when it was opened
    SqliteStatement prepare(std::string_view sql) const;
    void run(std::string_view sql) const;

    std::vector<std::string> tables() const;  ///< by name; neither views nor virtual ones
    bool has_table(std::string_view name) const;
    std::vector<std::string> columns(std::string_view table) const;

    /// Throws what `code` means, unless it is one of success.
    void check(int code) const;

private:
    struct Close {
        void operator()(sqlite3* database) const noexcept;
    };

    SqliteFile(const std::string& place, std::string path, int flags, const JobControl& control);

    std::string damage_found() const;  ///< in words; empty where there is none

    std::string path_;
    std::int64_t bytes_ = 0;
    bool untrusted_ = false;
    std::unique_ptr<JobControl> control_;  ///< at one address, which the database knows
    std::unique_ptr<sqlite3, Close> database_;
};

/// A prepared statement, and the row it stands at.
class SqliteStatement {
public:
    SqliteStatement(const SqliteFile& file, sqlite3_stmt* statement) : file_(file), statement_(statement) {}

    enum class Type : std::uint8_t { null, integer, real, text, blob };

    /// To the next row; false when there is none. The values below are of that row.
    bool step();
    /// Runs it to its end, to be run again with other values.
    void run();

    Type type(int column) const;
    std::int64_t integer(int column) const;
    double real(int column) const;
    /// Of a text or a blob; valid until the next step.
    std::string_view bytes(int column);

    // Parameters count from 1. A text must stay until it has run.
    void bind(int parameter, std::int64_t value);
    void bind(int parameter, double value);
    void bind(int parameter, std::string_view text);

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };

    const SqliteFile& file_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A name as it stands in SQL.
std::string sql_name(std::string_view name);

/// "a text", "an integer", ...
std::string_view sql_type_name(SqliteStatement::Type type);

}  // namespace grouplink::io
