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

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

void RowNames::index_ids() {
    if (indexed_) return;
    indexed_ = true;
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(ids_)) {
        numbers_.reserve(numbers->size());
        for (std::size_t row = 0; row < numbers->size(); ++row) {
            if (!numbers_.emplace((*numbers)[row], static_cast<std::int64_t>(row)).second) refuse(row);
        }
    } else if (const auto* texts = std::get_if<StringColumn>(ids_)) {
        texts_.reserve(static_cast<std::size_t>(texts->size()));
        for (std::int64_t row = 0; row < texts->size(); ++row) {
            if (!texts_.emplace((*texts)[row], row).second) refuse(static_cast<std::size_t>(row));
        }
    }
}

std::int64_t RowNames::find(std::int64_t number) {
    if (!ids_) return meet(std::to_string(number));
    if (by_number()) return number;
    if (std::holds_alternative<StringColumn>(*ids_)) return find(std::string_view(std::to_string(number)));
    index_ids();
    const auto found = numbers_.find(number);
    return found == numbers_.end() ? no_row : found->second;
}

std::int64_t RowNames::find(std::string_view text) {
    if (!ids_) return meet(text);
    if (std::holds_alternative<StringColumn>(*ids_)) {
        index_ids();
        const auto found = texts_.find(text);
        return found == texts_.end() ? no_row : found->second;
    }
    const auto number = number_of(text);
    return number ? find(*number) : no_row;
}

std::int64_t RowNames::meet(std::string_view text) {
    const auto found = texts_.find(text);
    if (found != texts_.end()) return found->second;
    if (closed_) return no_row;
    const auto number = number_of(text);
    all_numbers_ = all_numbers_ && number && std::to_string(*number) == text;
    texts_.emplace(met_.emplace_back(text), rows_);
    return rows_++;
}

IdColumn RowNames::met() const {
    if (met_.empty()) return {};
    if (all_numbers_) {
        std::vector<std::int64_t> numbers;
        for (const std::string& name : met_) numbers.push_back(number_of(name).value());
        return numbers;
    }
    StringColumn texts;
    for (const std::string& name : met_) texts.push_back(name);
    return texts;
}

}  // namespace grouplink::io
