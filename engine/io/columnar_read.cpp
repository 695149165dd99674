#include "io/readers.hpp"

#include "io/columnar_file.hpp"
#include "io/columnar_keys.hpp"
#include "io/columnar_vectors.hpp"
#include "io/values.hpp"

#include <algorithm>
#include <optional>

namespace grouplink::io {
namespace {

/// Names of the columns that could be the embedding.
std::vector<std::string> candidates(const ColumnarFile& file) {
    std::vector<std::string> names;
    for (const auto& field : file.schema().fields()) {
        if (vector_type(*field->type())) names.push_back(field->name());
    }
    return names;
}

int find_field(const ColumnarFile& file, const std::string& name) {
    return static_cast<int>(find_column(file.path(), name, file.names()));
}

int embedding_field(const ColumnarFile& file, const std::string& name) {
    const std::vector<std::string> known = candidates(file);
    const std::string possible = known.empty() ? "no column can" : "these can: " + quoted_list(known);
    if (!name.empty()) {
        const int field = find_field(file, name);
        const arrow::DataType& type = *file.schema().field(field)->type();
        if (vector_type(type)) return field;
        fail(ErrorCode::bad_input,
             "{}: column {} is {}, an embedding is a list of float16, float32, float64 or int8; {}",
             file.path(), in_quotes(name), type.ToString(), possible);
    }
    if (known.size() == 1) return find_field(file, known.front());
    if (known.empty()) {
        fail(ErrorCode::bad_input,
             "{}: no column is a list of float16, float32, float64 or int8; its columns are {}", file.path(),
             quoted_list(file.names()));
    }
    fail(ErrorCode::bad_input, "{}: {} columns could be the embedding; name one with --embedding: {}",
         file.path(), known.size(), quoted_list(known));
}

std::optional<int> key_field(const ColumnarFile& file, const std::string& name, std::string_view role) {
    if (name.empty()) return std::nullopt;
    const int field = find_field(file, name);
    const arrow::DataType& type = *file.schema().field(field)->type();
    if (!is_key_type(type)) {
        fail(ErrorCode::bad_input, "{}: column {} is {}, {} are strings or integers", file.path(),
             in_quotes(name), type.ToString(), role);
    }
    return field;
}

RowsRead read_columns(const std::string& path, const TableColumns& columns, const Spill& spill,
                      const JobControl& control) {
    const auto opened = open_columnar(path);
    ColumnarFile& file = *opened;
    const int embedding = embedding_field(file, columns.embedding);
    const std::optional<int> group = key_field(file, columns.group, "groups");
    const std::optional<int> id = key_field(file, columns.id, "ids");
    std::vector<int> fields{embedding};
    if (group) fields.push_back(*group);
    if (id) fields.push_back(*id);
    std::sort(fields.begin(), fields.end());
    fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
    const auto place = [&](int field) {
        return static_cast<int>(std::find(fields.begin(), fields.end(), field) - fields.begin());
    };
    const auto where = [&](int field) {
        return fmt::format("{}: column {}", path, in_quotes(file.schema().field(field)->name()));
    };

    VectorGatherer vectors(where(embedding), *file.schema().field(embedding)->type(), file.plausible_bytes(),
                           spill);
    vectors.reserve(file.claimed_components(embedding));
    GroupReader groups(group ? where(*group) : std::string());
    IdReader ids(id ? where(*id) : std::string());
    file.read(fields, control, [&](const arrow::RecordBatch& batch) {
        vectors.append(*batch.column(place(embedding)));
        if (group) groups.append(*batch.column(place(*group)));
        if (id) ids.append(*batch.column(place(*id)));
    });

    auto storage = std::make_shared<Table::Storage>();
    RowsRead read;
    read.vectors = vectors.finish(*storage);
    read.storage = std::move(storage);
    if (group) read.groups = groups.finish();
    if (id) read.ids = ids.finish();
    return read;
}

}  // namespace

RowsRead read_columnar(const std::string& path, const TableColumns& columns, const Spill& spill,
                       const JobControl& control) {
    return reading_columns(path, [&] { return read_columns(path, columns, spill, control); });
}

StringColumn read_columnar_texts(const std::string& path, const std::string& column,
                                 std::span<const std::int64_t> rows, const JobControl& control) {
    return reading_columns(path, [&] {
        const auto file = open_columnar(path);
        const std::optional<int> field = key_field(*file, column, "texts");
        TextPicker picker(rows);
        if (rows.empty()) return picker.finish();
        std::int64_t first = 0;
        file->read({*field}, control, [&](const arrow::RecordBatch& batch) {
            pick_texts(*batch.column(0), first, picker);
            first += batch.num_rows();
        });
        return picker.finish();
    });
}

}  // namespace grouplink::io
