#include "io/formats.hpp"
#include "io/ids.hpp"
#include "io/message.hpp"
#include "io/readers.hpp"
#include "io/spill.hpp"
#include "io/storage.hpp"
#include "io/values.hpp"
#include "rows/pages.hpp"

#include <grouplink/io.hpp>

#include <optional>

namespace grouplink {
namespace {

using namespace io;

void check_array_columns(const InputSpec& input) {
    const auto refuse = [&](std::string_view what, const std::string& column, std::string_view instead) {
        fail(ErrorCode::invalid_options, "{}: an array has no columns, got {} column {}; {}", input.path,
             what, in_quotes(column), instead);
    };
    if (!input.embedding.empty())
        refuse("embedding", input.embedding, "leave it out, the array is the embedding");
    if (!input.group.empty() && input.groups_file.empty()) {
        refuse("group", input.group, "name the file that has it with --groups");
    }
    if (!input.id.empty() && input.groups_file.empty() && input.ids_file.empty()) {
        refuse("id", input.id, "name the file that has it with --ids or --groups");
    }
}

RowsRead read_rows(const std::string& path, Format format, const TableColumns& columns, const Spill& spill,
                   const JobControl& control) {
    switch (format) {
        case Format::npy: return read_npy(path, spill);
        case Format::fbin: return read_fbin(path);
        case Format::fvecs: return read_fvecs(path, spill);
        case Format::jsonl: return read_json_lines(path, columns, spill, control);
        case Format::sqlite: return read_sqlite(path, columns, spill, control);
        default: return read_columnar(path, columns, spill, control);
    }
}

/// Where the ids are when they are in a file beside the input.
std::optional<ValuesFile> ids_file(const InputSpec& input, bool array) {
    if (!input.ids_file.empty()) return parse_values_file(input.ids_file, input.id);
    if (!array || input.id.empty()) return std::nullopt;
    // The same file as the groups, another column.
    ValuesFile file = parse_values_file(input.groups_file, "");
    return parse_values_file(file.path, input.id);
}

}  // namespace

void Table::check_unchanged() const {
    if (storage_) storage_->file.check_unchanged();
}

Table read_table(const InputSpec& input, const JobControl& control) {
    const Format format = known_format(input.path, FileRole::rows, "an input");
    const bool array = is_array(format);
    // What was asked for is judged before anything is read.
    std::optional<ValuesFile> groups;
    if (!input.groups_file.empty()) groups = parse_values_file(input.groups_file, input.group);
    if (array) check_array_columns(input);
    const std::optional<ValuesFile> ids = ids_file(input, array);
    TableColumns columns;
    if (!array) {
        columns.embedding = input.embedding;
        if (!groups) columns.group = input.group;
        if (!ids) columns.id = input.id;
    }
    if (format == Format::sqlite) {
        if (!groups && columns.group.empty()) columns.group = "collection";
        if (!ids && columns.id.empty()) columns.id = "id";
    }
    RowsRead read = read_rows(input.path, format, columns, input.spill, control);
    const std::int64_t rows = read.vectors.rows;
    if (groups) {
        read.groups = read_group_file(*groups, control);
        check_value_count(*groups, static_cast<std::int64_t>(read.groups.codes.size()), input.path, rows);
    } else if (columns.group.empty()) {
        read.groups = single_group(rows);
    }
    if (ids) {
        read.ids = read_id_file(*ids, control);
        check_value_count(*ids, id_count(read.ids), input.path, rows);
    }
    Table table(std::move(read.storage), read.vectors, std::move(read.groups), std::move(read.ids));
    table.shared_id = find_duplicate(table.ids);
    return table;
}

void spill_vectors(Table& table, const std::string& folder) {
    const std::int64_t bytes = value_bytes(table.vectors);
    if (table.vectors.file_backed || bytes == 0) return;
    SpillFile file(folder);
    const auto* const values = static_cast<const char*>(table.vectors.values);
    file.write({values, static_cast<std::size_t>(bytes)});
    auto storage = std::make_shared<Table::Storage>();
    storage->file = file.map();
    storage->offsets = table.storage_->offsets;
    storage->valid = table.storage_->valid;
    table.vectors.values = storage->file.data();
    if (table.vectors.offsets) table.vectors.offsets = storage->offsets.data();
    if (table.vectors.valid) table.vectors.valid = storage->valid.data();
    table.vectors.file_backed = true;
    table.storage_ = std::move(storage);
}

}  // namespace grouplink
