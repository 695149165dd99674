#include "io/ids.hpp"
#include "io/json_lines.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/readers.hpp"
#include "io/row_buffer.hpp"
#include "io/text_picker.hpp"
#include "io/ticker.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace grouplink::io {
namespace {

using Kind = JsonField::Kind;

constexpr std::int64_t lines_a_tick = 1 << 8;

/// The key of the first arrays of numbers in the file, which must be the only such key of its line.
std::string only_embedding(const std::string& path, std::string_view text) {
    JsonLines lines(path, text);
    std::vector<std::string> first_keys;
    while (lines.next()) {
        if (first_keys.empty()) first_keys = lines.keys();
        std::vector<std::string> known;
        for (const JsonField& field : lines.fields()) {
            if (field.kind == Kind::numbers && !field.numbers.empty()) known.push_back(field.key);
        }
        if (known.size() == 1) return known.front();
        if (known.size() > 1) {
            fail(ErrorCode::bad_input,
                 "{}: line {}: {} keys could be the embedding; name one with --embedding: {}", path,
                 lines.line(), known.size(), quoted_list(known));
        }
    }
    fail(
        ErrorCode::bad_input, "{}: no line has an array of numbers{}", path,
        first_keys.empty() ? ", or anything else" : "; the keys of the first are " + quoted_list(first_keys));
}

class RowReader {
public:
    RowReader(const std::string& path, std::string_view text, const TableColumns& columns, const Spill& spill)
        : path_(path),
          columns_(columns),
          lines_(path, text),
          // A component takes two bytes of text at least.
          rows_(path, ElementType::float32, 4 * static_cast<std::int64_t>(text.size()), spill) {}

    RowsRead read(Ticker ticker) {
        for (std::int64_t row = 0; lines_.next(); ++row) {
            if (row % lines_a_tick == 0) ticker.at(lines_.position());
            if (first_keys_.empty()) first_keys_ = lines_.keys();
            add_embedding();
            if (!columns_.group.empty()) add_group();
            if (!columns_.id.empty()) add_id();
        }
        check_seen("embedding", columns_.embedding, embedding_seen_);
        check_seen("group", columns_.group, group_seen_);
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
    [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
        fail(ErrorCode::bad_input, "{}: line {}: {}", path_, lines_.line(),
             fmt::format(format, std::forward<Args>(args)...));
    }

    void add_embedding() {
        const JsonField* const field = lines_.find(columns_.embedding);
        embedding_seen_ = embedding_seen_ || field;
        if (!field || field->kind == Kind::null) return rows_.add_row(0, false);
        if (field->kind != Kind::numbers) {
            refuse("{} is {}, an embedding is an array of numbers", in_quotes(columns_.embedding),
                   field->kind_name());
        }
        const std::size_t dim = field->numbers.size();
        if (dim > 0) {
            std::memcpy(rows_.extend(static_cast<std::int64_t>(dim)), field->numbers.data(), 4 * dim);
        }
        rows_.add_row(static_cast<std::int64_t>(dim), true);
    }

    void add_group() {
        const JsonField* const field = lines_.find(columns_.group);
        group_seen_ = group_seen_ || field;
        if (!field || field->kind == Kind::null) return groups_.push_null();
        switch (field->kind) {
            case Kind::text: return groups_.push(field->text);
            case Kind::integer: return groups_.push(field->integer);
            case Kind::boolean: return groups_.push(field->boolean ? "true" : "false");
            default: break;
        }
        refuse("{} is {}, groups are strings or integers", in_quotes(columns_.group), field->kind_name());
    }

    void add_id() {
        const JsonField* const field = lines_.find(columns_.id);
        if (!field || field->kind == Kind::null) {
            std::string keys;
            std::string hint;
            if (!field) {
                keys = ", its keys are " + quoted_list(lines_.keys());
                hint = did_you_mean(columns_.id, lines_.keys());
            }
            refuse("has no id {}{}; give each row one{}", in_quotes(columns_.id), keys, hint);
        }
        const bool text = field->kind == Kind::text;
        if (!text && field->kind != Kind::integer) {
            refuse("{} is {}, ids are strings or integers", in_quotes(columns_.id), field->kind_name());
        }
        if (text ? !numbers_.empty() : texts_.size() > 0) {
            refuse("the id is {}, those before are not; write all as strings", field->kind_name());
        }
        if (!text) return numbers_.push_back(field->integer);
        if (field->text.empty()) refuse("the id is empty; give each row one");
        texts_.push_back(field->text);
    }

    void check_seen(std::string_view role, const std::string& key, bool seen) const {
        if (seen || key.empty() || first_keys_.empty()) return;
        fail(ErrorCode::bad_input, "{}: no line has the {} {}; the keys of the first are {}{}", path_, role,
             in_quotes(key), quoted_list(first_keys_), did_you_mean(key, first_keys_));
    }

    const std::string& path_;
    const TableColumns& columns_;
    JsonLines lines_;
    RowBuffer rows_;
    GroupEncoder groups_;
    std::vector<std::int64_t> numbers_;
    StringColumn texts_;
    std::vector<std::string> first_keys_;
    bool embedding_seen_ = false;
    bool group_seen_ = false;
};

}  // namespace

RowsRead read_json_lines(const std::string& path, const TableColumns& columns, const Spill& spill,
                         const JobControl& control) {
    const MappedFile file(path);
    TableColumns named = columns;
    if (named.embedding.empty()) named.embedding = only_embedding(path, file.text());
    RowsRead read = RowReader(path, file.text(), named, spill).read(Ticker(control, "read", file));
    file.check_unchanged();
    return read;
}

StringColumn read_json_lines_texts(const std::string& path, const std::string& column,
                                   std::span<const std::int64_t> rows, const JobControl& control) {
    const MappedFile file(path);
    Ticker ticker(control, "read", file);
    JsonLines lines(path, file.text());
    TextPicker picker(rows);
    std::vector<std::string> first_keys;
    bool seen = false;
    for (std::int64_t row = 0; !(seen && picker.done()) && lines.next(); ++row) {
        if (row % lines_a_tick == 0) ticker.at(lines.position());
        if (first_keys.empty()) first_keys = lines.keys();
        const JsonField* const field = lines.find(column);
        seen = seen || field;
        if (field && field->kind != Kind::null && field->kind != Kind::text && field->kind != Kind::integer) {
            fail(ErrorCode::bad_input, "{}: line {}: {} is {}, texts are strings or integers", path,
                 lines.line(), in_quotes(column), field->kind_name());
        }
        if (!picker.wants(row)) continue;
        const bool number = field && field->kind == Kind::integer;
        picker.push(number ? std::to_string(field->integer) : field ? field->text : std::string());
    }
    if (!seen) {
        fail(ErrorCode::bad_input, "{}: no line has the text {}; the keys of the first are {}{}", path,
             in_quotes(column), quoted_list(first_keys), did_you_mean(column, first_keys));
    }
    file.check_unchanged();
    return picker.finish();
}

}  // namespace grouplink::io
