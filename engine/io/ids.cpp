#include "io/ids.hpp"

#include "io/message.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace grouplink::io {
namespace {

std::uint64_t hash_of(std::string_view value) { return std::hash<std::string_view>{}(value); }

/// The finaliser of splitmix64: ids that differ by a power of two must not share a place.
std::uint64_t hash_of(std::int64_t value) {
    auto x = static_cast<std::uint64_t>(value);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

std::int64_t count_of(const StringColumn& values) { return values.size(); }
std::int64_t count_of(const std::vector<std::int64_t>& values) {
    return static_cast<std::int64_t>(values.size());
}

/// A table of rows with open addressing: 16 to 32 bytes a row, where a set of strings takes about 100.
template <typename Column>
std::optional<std::pair<std::int64_t, std::int64_t>> duplicate_in(const Column& values) {
    const auto at = [&](std::int64_t row) {
        if constexpr (std::is_same_v<Column, StringColumn>) {
            return values[row];
        } else {
            return values[static_cast<std::size_t>(row)];
        }
    };
    const std::int64_t rows = count_of(values);
    const std::size_t places = std::bit_ceil(static_cast<std::size_t>(rows) * 2 + 1);
    std::vector<std::int64_t> table(places, -1);
    for (std::int64_t row = 0; row < rows; ++row) {
        std::size_t place = hash_of(at(row)) & (places - 1);
        for (; table[place] >= 0; place = (place + 1) & (places - 1)) {
            if (at(table[place]) == at(row)) return std::pair(table[place], row);
        }
        table[place] = row;
    }
    return std::nullopt;
}

}  // namespace

std::int64_t id_count(const IdColumn& ids) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) return count_of(*numbers);
    if (const auto* texts = std::get_if<StringColumn>(&ids)) return texts->size();
    return 0;
}

std::optional<std::pair<std::int64_t, std::int64_t>> find_duplicate(const IdColumn& ids) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) {
        const bool ascending =
            std::adjacent_find(numbers->begin(), numbers->end(), std::greater_equal<>()) == numbers->end();
        return ascending ? std::nullopt : duplicate_in(*numbers);
    }
    if (const auto* texts = std::get_if<StringColumn>(&ids)) return duplicate_in(*texts);
    return std::nullopt;
}

void check_ids(const std::string& where, const IdColumn& ids) {
    const auto* texts = std::get_if<StringColumn>(&ids);
    for (std::int64_t row = 0; texts && row < texts->size(); ++row) {
        if ((*texts)[row].empty()) {
            fail(ErrorCode::bad_input, "{}: row {} has an empty id; give each row one, or leave ids out",
                 where, row);
        }
    }
}

}  // namespace grouplink::io
