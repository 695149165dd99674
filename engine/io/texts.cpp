#include "io/formats.hpp"
#include "io/message.hpp"
#include "io/readers.hpp"
#include "io/values.hpp"

#include <grouplink/io.hpp>

#include <filesystem>
#include <optional>

namespace grouplink {
namespace {

using namespace io;

/// Whether the text names a file, or a column of one, rather than a column of the table.
bool names_file(const std::string& text) {
    std::error_code ignored;
    if (!extension_of(text).empty() && std::filesystem::is_regular_file(text, ignored)) return true;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return false;
    const std::string before = text.substr(0, colon);
    const Format format = format_of(before);
    return format == Format::tsv || format == Format::csv ||
           std::filesystem::is_regular_file(before, ignored);
}

/// The file beside the input that has the texts; none where the input itself has them.
std::optional<ValuesFile> file_of(const InputSpec& input) {
    if (input.text.empty()) {
        fail(ErrorCode::invalid_options, "{}: no column of texts is named", input.path);
    }
    if (names_file(input.text)) return parse_values_file(input.text, "");
    if (!is_array(known_format(input.path, FileRole::rows, "an input"))) return std::nullopt;
    const std::string& beside = input.groups_file.empty() ? input.ids_file : input.groups_file;
    if (beside.empty()) {
        fail(ErrorCode::invalid_options,
             "{}: an array has no columns, got text column {}; name the file that has it, as FILE.tsv:COLUMN",
             input.path, in_quotes(input.text));
    }
    return parse_values_file(parse_values_file(beside, "").path, input.text);
}

StringColumn read_from_table(const InputSpec& input, std::span<const std::int64_t> rows,
                             const JobControl& control) {
    switch (format_of(input.path)) {
        case Format::jsonl: return read_json_lines_texts(input.path, input.text, rows, control);
        case Format::sqlite: return read_sqlite_texts(input.path, input.text, rows, control);
        default: return read_columnar_texts(input.path, input.text, rows, control);
    }
}

void check_found(const std::string& path, std::int64_t found, std::size_t wanted) {
    if (found == static_cast<std::int64_t>(wanted)) return;
    fail(ErrorCode::bad_input, "{}: has fewer rows than when the links were made; was it changed?", path);
}

}  // namespace

StringColumn read_texts(const InputSpec& input, std::span<const std::int64_t> rows,
                        const JobControl& control) {
    const std::optional<ValuesFile> file = file_of(input);
    StringColumn texts =
        file ? read_text_file(*file, rows, control).texts : read_from_table(input, rows, control);
    check_found(file ? file->path : input.path, texts.size(), rows.size());
    return texts;
}

void check_texts(const InputSpec& input, std::int64_t rows, const JobControl& control) {
    if (const std::optional<ValuesFile> file = file_of(input)) {
        check_value_count(*file, read_text_file(*file, {}, control).values, input.path, rows);
    } else if (rows > 0) {
        read_from_table(input, {}, control);
    }
}

}  // namespace grouplink
