#include "io/columnar_read.hpp"
#include "io/formats.hpp"
#include "io/ids.hpp"
#include "io/message.hpp"
#include "io/npy.hpp"
#include "io/storage.hpp"
#include "io/values.hpp"

#include <grouplink/io.hpp>

#include <cstring>
#include <optional>
#include <span>

namespace grouplink {
namespace {

using namespace io;

RowsRead read_npy(const InputSpec& input) {
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
    auto storage = std::make_shared<Table::Storage>();
    storage->file = MappedFile(input.path);
    RowsRead read;
    const NpyHeader header = parse_npy(storage->file.text(), input.path);
    read.vectors = npy_vectors(header, storage->file.text(), input.path);
    if (header.data_offset % element_size(read.vectors.type) != 0) {
        // Components are read in place, so they must stand aligned; numpy's own files have them so.
        const auto data = std::span(storage->file.data(), storage->file.size()).subspan(header.data_offset);
        std::memcpy(storage->values.extend(data.size()), data.data(), data.size());
        storage->file = MappedFile();
        read.vectors.values = storage->values.data();
    }
    read.storage = std::move(storage);
    return read;
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

Table read_table(const InputSpec& input, const JobControl& control) {
    const Format format = known_format(input.path, Role::rows, "an input");
    const bool array = is_array(format);
    // What was asked for is judged before anything is read.
    std::optional<ValuesFile> groups;
    if (!input.groups_file.empty()) groups = parse_values_file(input.groups_file, input.group);
    RowsRead read;
    std::optional<ValuesFile> ids;
    if (array) {
        read = read_npy(input);
        ids = ids_file(input, array);
    } else {
        ids = ids_file(input, array);
        TableColumns columns;
        columns.embedding = input.embedding;
        if (!groups) columns.group = input.group;
        if (!ids) columns.id = input.id;
        read = read_columnar(input.path, columns, control);
    }
    const std::int64_t rows = read.vectors.rows;
    if (groups) {
        read.groups = read_group_file(*groups, control);
        check_value_count(*groups, static_cast<std::int64_t>(read.groups.codes.size()), input.path, rows);
    } else if (array || input.group.empty()) {
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

}  // namespace grouplink
