#pragma once

#include <grouplink/io.hpp>

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace grouplink::io {

/// What RowNames::find gives for a name that is no row's.
inline constexpr std::int64_t no_row = std::numeric_limits<std::int64_t>::min();

/// The rows behind the names in a file of links: those of a table, by its ids or by number; or, where there
/// is no table, a row for each name that is met, in the order in which they are.
class RowNames {
public:
    /// `ids` must outlive it. Ids that are not distinct are refused once one is looked for.
    RowNames(const IdColumn& ids, std::int64_t rows) : ids_(&ids), rows_(rows) {}
    /// Of no table. `id_column` is where a table of lists has the names of its rows; empty: column "id", or
    /// row numbers where there is none.
    explicit RowNames(std::string id_column) : id_column_(std::move(id_column)) {}

    /// A row number is not compared with how many rows there are.
    std::int64_t find(std::int64_t number);
    std::int64_t find(std::string_view text);
    /// Rows go by number: a text that is no number is a name of another kind.
    bool by_number() const { return ids_ && std::holds_alternative<std::monostate>(*ids_); }

    bool has_row(std::int64_t row) const { return row >= 0 && row < rows_; }
    std::int64_t rows() const { return rows_; }
    /// Of the table, where there is one.
    std::optional<std::int64_t> table_rows() const { return ids_ ? std::optional(rows_) : std::nullopt; }
    const std::string& id_column() const { return id_column_; }

    /// Names that are met from here on are no row's.
    void close() { closed_ = true; }
    /// The names that were met: integers when all are, as they are written. None when none was.
    IdColumn met() const;

private:
    void index_ids();
    std::int64_t meet(std::string_view text);

    const IdColumn* ids_ = nullptr;
    std::int64_t rows_ = 0;
    bool indexed_ = false;
    std::unordered_map<std::int64_t, std::int64_t> numbers_;
    std::unordered_map<std::string_view, std::int64_t> texts_;
    std::string id_column_;
    bool closed_ = false;
    bool all_numbers_ = true;
    std::deque<std::string> met_;  ///< where the texts of `texts_` are when there is no table
};

}  // namespace grouplink::io
