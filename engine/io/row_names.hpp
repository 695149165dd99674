#pragma once

#include <grouplink/io.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>

namespace grouplink::io {

/// What RowNames::find gives for a name that is no row's.
inline constexpr std::int64_t no_row = std::numeric_limits<std::int64_t>::min();

/// The rows behind the names of an output: ids, or row numbers where there are none. A row number is not
/// compared with how many rows there are.
class RowNames {
public:
    explicit RowNames(const IdColumn& ids);

    std::int64_t find(std::int64_t number) const;
    std::int64_t find(std::string_view text) const;
    /// Rows go by number: a text that is no number is a name of another kind.
    bool by_number() const { return kind_ == Kind::row_numbers; }

private:
    enum class Kind : std::uint8_t { row_numbers, numbers, texts };

    Kind kind_ = Kind::row_numbers;
    std::unordered_map<std::int64_t, std::int64_t> numbers_;
    std::unordered_map<std::string_view, std::int64_t> texts_;
};

}  // namespace grouplink::io
