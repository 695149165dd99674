#include "io/columnar_file.hpp"
#include "io/columnar_vectors.hpp"
#include "io/formats.hpp"
#include "io/inspect_formats.hpp"
#include "io/metadata.hpp"

#include <algorithm>

namespace grouplink::io {
namespace {

/// Arrow's words, but for the floats, which go by their widths as everywhere else.
std::string type_text(const arrow::DataType& type) {
    const auto values = [&] { return type_text(*type.field(0)->type()); };
    switch (type.id()) {
        case arrow::Type::HALF_FLOAT: return "float16";
        case arrow::Type::FLOAT: return "float32";
        case arrow::Type::DOUBLE: return "float64";
        case arrow::Type::LIST: return fmt::format("list<{}>", values());
        case arrow::Type::LARGE_LIST: return fmt::format("large_list<{}>", values());
        case arrow::Type::FIXED_SIZE_LIST:
            return fmt::format("fixed_size_list<{}>[{}]", values(),
                               static_cast<const arrow::FixedSizeListType&>(type).list_size());
        default: return first_line(type.ToString());
    }
}

template <typename Lists>
void see_dims(const Lists& lists, ColumnInfo& info) {
    for (std::int64_t i = 0; i < lists.length(); ++i) {
        if (lists.IsNull(i)) continue;
        const std::int64_t dim = lists.value_length(i);
        if (!info.dims) info.dims = {dim, dim};
        info.dims->first = std::min(info.dims->first, dim);
        info.dims->second = std::max(info.dims->second, dim);
    }
}

void see(const arrow::Array& array, ColumnInfo& info) {
    info.nulls += array.null_count();
    if (!info.embedding) return;
    switch (array.type_id()) {
        case arrow::Type::LIST: return see_dims(static_cast<const arrow::ListArray&>(array), info);
        case arrow::Type::LARGE_LIST: return see_dims(static_cast<const arrow::LargeListArray&>(array), info);
        default: return see_dims(static_cast<const arrow::FixedSizeListArray&>(array), info);
    }
}

FileInfo inspect(const std::string& path, const JobControl& control) {
    const auto opened = open_columnar(path);
    ColumnarFile& file = *opened;
    FileInfo info;
    info.format = format_of(path) == Format::arrow ? "arrow" : "parquet";
    info.bytes = file.bytes();
    info.rows = file.rows().value_or(0);
    std::vector<int> unknown;  // fields whose data must be looked at
    for (int i = 0; i < file.schema().num_fields(); ++i) {
        const arrow::Field& field = *file.schema().field(i);
        const arrow::DataType& type = *field.type();
        ColumnInfo& column = info.columns.emplace_back();
        column.name = field.name();
        column.type = type_text(type);
        column.embedding = vector_type(type).has_value();
        auto nulls = file.nulls(i);
        if (nulls && *nulls > 0 && type.num_fields() > 0) nulls.reset();
        const bool fixed = type.id() == arrow::Type::FIXED_SIZE_LIST;
        if (nulls && (fixed || !column.embedding)) {
            column.nulls = *nulls;
            if (fixed && info.rows > 0) {
                const std::int64_t dim = static_cast<const arrow::FixedSizeListType&>(type).list_size();
                column.dims = {dim, dim};
            }
        } else {
            unknown.push_back(i);
        }
    }
    if (!unknown.empty() || !file.rows()) {
        std::int64_t rows = 0;
        file.read(unknown, control, [&](const arrow::RecordBatch& batch) {
            rows += batch.num_rows();
            for (int i = 0; i < batch.num_columns(); ++i) {
                const auto field = static_cast<std::size_t>(unknown[static_cast<std::size_t>(i)]);
                see(*batch.column(i), info.columns[field]);
            }
        });
        info.rows = rows;
    }
    const arrow::KeyValueMetadata* const entries = file.metadata();
    for (std::int64_t i = 0; entries && i < entries->size(); ++i) {
        // Arrow's own copy of the schema, in base64.
        if (entries->key(i) == "ARROW:schema") continue;
        if (entries->key(i) != metadata_key) {
            info.metadata.emplace_back(entries->key(i), entries->value(i));
            continue;
        }
        for (auto& entry : read_metadata(entries->value(i))) info.metadata.push_back(std::move(entry));
    }
    return info;
}

}  // namespace

FileInfo inspect_columnar(const std::string& path, const JobControl& control) {
    return reading_columns(path, [&] { return inspect(path, control); });
}

}  // namespace grouplink::io
