#include "io/values.hpp"

#include "io/delimited.hpp"
#include "io/formats.hpp"
#include "io/ids.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/npy.hpp"
#include "io/text_picker.hpp"
#include "io/ticker.hpp"
#include "io/utf8.hpp"

#include <algorithm>
#include <filesystem>

namespace grouplink::io {
namespace {

constexpr std::int64_t rows_a_tick = 1 << 14;

/// The mark of a row in messages: a line of a text, a row of an array.
struct Place {
    const std::string& path;
    std::string_view unit;
    std::int64_t number;
};

/// All sinks take a value a row.
class GroupSink {
public:
    void text(std::string_view value, const Place&) {
        if (value.empty()) {
            encoder_.push_null();
        } else {
            encoder_.push(value);
        }
    }
    void integer(std::int64_t value) { encoder_.push(value); }
    GroupColumn finish() { return encoder_.finish(); }

private:
    GroupEncoder encoder_;
};

class IdSink {
public:
    void text(std::string_view value, const Place& place) {
        if (value.empty()) {
            fail(ErrorCode::bad_input, "{}: {} {}: the id is empty; give each row one", place.path,
                 place.unit, place.number);
        }
        texts_.push_back(value);
    }
    void integer(std::int64_t value) { numbers_.push_back(value); }
    IdColumn finish() {
        if (!numbers_.empty()) return std::move(numbers_);
        return std::move(texts_);
    }

private:
    std::vector<std::int64_t> numbers_;
    StringColumn texts_;
};

class TextSink {
public:
    explicit TextSink(std::span<const std::int64_t> rows) : picker_(rows) {}

    void text(std::string_view value, const Place&) {
        if (picker_.wants(values_++)) picker_.push(value);
    }
    void integer(std::int64_t value) {
        if (picker_.wants(values_++)) picker_.push(std::to_string(value));
    }
    TextsRead finish() { return {picker_.finish(), values_}; }

private:
    TextPicker picker_;
    std::int64_t values_ = 0;
};

void check_utf8(std::string_view value, const Place& place) {
    if (!is_utf8(value)) {
        fail(ErrorCode::bad_input, "{}: {} {}: the value is not UTF-8; convert the file", place.path,
             place.unit, place.number);
    }
}

template <typename Sink>
void read_lines(const std::string& path, std::string_view text, Sink& sink, Ticker& ticker) {
    text = without_mark(text);
    std::int64_t line = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (line % rows_a_tick == 0) ticker.at(static_cast<std::int64_t>(at));
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view value = text.substr(at, end - at);
        if (value.ends_with('\r')) value.remove_suffix(1);
        const Place place{path, "line", ++line};
        if (value.find('\0') != std::string_view::npos) {
            fail(ErrorCode::bad_input, "{}: line {}: holds a NUL byte; a text, .npy, .tsv or .csv is read",
                 path, line);
        }
        check_utf8(value, place);
        sink.text(value, place);
        at = end + 1;
    }
}

template <typename Sink>
void read_delimited(const ValuesFile& file, std::string_view text, Sink& sink, Ticker& ticker) {
    DelimitedReader reader(file.path, text, format_of(file.path) == Format::tsv ? '\t' : ',');
    std::vector<Field> fields;
    if (!reader.next(fields))
        fail(ErrorCode::bad_input, "{}: is empty, a header line was expected", file.path);
    std::vector<std::string> names;
    std::string scratch;
    for (const Field& field : fields) names.emplace_back(field.value(scratch));
    if (file.column.empty() && names.size() != 1) {
        fail(ErrorCode::bad_input, "{}: has {} columns; name one as {}:COLUMN: {}", file.path, names.size(),
             file.path, quoted_list(names));
    }
    const std::size_t column = file.column.empty() ? 0 : find_column(file.path, file.column, names);
    for (std::int64_t row = 0; reader.next(fields, names.size()); ++row) {
        if (row % rows_a_tick == 0) ticker.at(reader.position());
        const std::string_view value = fields[column].value(scratch);
        const Place place{file.path, "line", reader.line()};
        check_utf8(value, place);
        sink.text(value, place);
    }
}

template <typename Sink>
void read_array(const ValuesFile& file, const MappedFile& mapped, Sink& sink, const JobControl& control) {
    const NpyHeader header = parse_npy(mapped.text(), file.path);
    const auto values = npy_values(header, mapped.text(), file.path, control);
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&values)) {
        for (const std::int64_t number : *numbers) sink.integer(number);
        return;
    }
    const auto& texts = std::get<StringColumn>(values);
    for (std::int64_t row = 0; row < texts.size(); ++row) sink.text(texts[row], {file.path, "row", row});
}

template <typename Sink>
auto read_file(const ValuesFile& file, Sink sink, const JobControl& control) {
    const MappedFile mapped(file.path);
    Ticker ticker(control, "read", mapped);
    switch (format_of(file.path)) {
        case Format::npy: read_array(file, mapped, sink, control); break;
        case Format::csv:
        case Format::tsv: read_delimited(file, mapped.text(), sink, ticker); break;
        default: read_lines(file.path, mapped.text(), sink, ticker);
    }
    mapped.check_unchanged();
    return sink.finish();
}

}  // namespace

ValuesFile parse_values_file(const std::string& text, const std::string& column) {
    ValuesFile file{text, column};
    const std::size_t colon = text.rfind(':');
    std::error_code ignored;
    if (colon != std::string::npos && !std::filesystem::exists(text, ignored)) {
        const std::string before = text.substr(0, colon);
        const Format format = format_of(before);
        if (format == Format::tsv || format == Format::csv ||
            std::filesystem::is_regular_file(before, ignored)) {
            file = {before, text.substr(colon + 1)};
            if (file.column.empty()) {
                fail(ErrorCode::invalid_options, "{}: no column stands after the colon", text);
            }
            if (!column.empty() && column != file.column) {
                fail(ErrorCode::invalid_options, "{}: the column is given twice, as {} and as {}", text,
                     in_quotes(file.column), in_quotes(column));
            }
        }
    }
    const Format format = format_of(file.path);
    if (is_columnar(format) || format == Format::jsonl || format == Format::sqlite) {
        fail(ErrorCode::invalid_options,
             "{}: groups and ids beside the input are .npy, .tsv, .csv or text; name a column "
             "of a table as input instead",
             file.path);
    }
    if (!file.column.empty() && format != Format::tsv && format != Format::csv) {
        fail(ErrorCode::invalid_options, "{}: has no columns, got column {}; .tsv and .csv files have",
             file.path, in_quotes(file.column));
    }
    return file;
}

GroupColumn read_group_file(const ValuesFile& file, const JobControl& control) {
    return read_file(file, GroupSink(), control);
}

IdColumn read_id_file(const ValuesFile& file, const JobControl& control) {
    IdColumn ids = read_file(file, IdSink(), control);
    check_ids(file.path, ids);
    return ids;
}

TextsRead read_text_file(const ValuesFile& file, std::span<const std::int64_t> rows,
                         const JobControl& control) {
    return read_file(file, TextSink(rows), control);
}

void check_value_count(const ValuesFile& file, std::int64_t values, const std::string& input,
                       std::int64_t rows) {
    if (values == rows) return;
    fail(ErrorCode::bad_input,
         "{}: has {} value{}, {} has {} row{}; give one for each row, in the same order", file.path, values,
         values == 1 ? "" : "s", input, rows, rows == 1 ? "" : "s");
}

std::size_t find_column(const std::string& path, const std::string& name,
                        const std::vector<std::string>& names) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
        fail(ErrorCode::bad_input, "{}: has no column {}, it has {}{}", path, in_quotes(name),
             quoted_list(names), did_you_mean(name, names));
    }
    if (std::find(found + 1, names.end(), name) != names.end()) {
        fail(ErrorCode::bad_input, "{}: has several columns {}; rename all but one", path, in_quotes(name));
    }
    return static_cast<std::size_t>(found - names.begin());
}

}  // namespace grouplink::io
