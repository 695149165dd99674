#include "io/row_names.hpp"

#include "io/message.hpp"

#include <charconv>

namespace grouplink::io {
namespace {

[[noreturn]] void refuse(std::size_t row) {
    fail(ErrorCode::bad_input,
         "ids: row {} has the id of an earlier row, so links by id are not told apart; verify an .npz, which "
         "goes by row number",
         row);
}

}  // namespace

RowNames::RowNames(const IdColumn& ids) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) {
        kind_ = Kind::numbers;
        numbers_.reserve(numbers->size());
        for (std::size_t row = 0; row < numbers->size(); ++row) {
            if (!numbers_.emplace((*numbers)[row], static_cast<std::int64_t>(row)).second) refuse(row);
        }
    } else if (const auto* texts = std::get_if<StringColumn>(&ids)) {
        kind_ = Kind::texts;
        texts_.reserve(static_cast<std::size_t>(texts->size()));
        for (std::int64_t row = 0; row < texts->size(); ++row) {
            if (!texts_.emplace((*texts)[row], row).second) refuse(static_cast<std::size_t>(row));
        }
    }
}

std::int64_t RowNames::find(std::int64_t number) const {
    if (kind_ == Kind::row_numbers) return number;
    if (kind_ == Kind::texts) return find(std::to_string(number));
    const auto found = numbers_.find(number);
    return found == numbers_.end() ? no_row : found->second;
}

std::int64_t RowNames::find(std::string_view text) const {
    if (kind_ == Kind::texts) {
        const auto found = texts_.find(text);
        return found == texts_.end() ? no_row : found->second;
    }
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    return fault == std::errc() && end == text.data() + text.size() ? find(number) : no_row;
}

}  // namespace grouplink::io
