#include "io/columnar_file.hpp"
#include "io/columnar_keys.hpp"
#include "io/links_reader.hpp"
#include "io/metadata.hpp"
#include "io/values.hpp"

#include <algorithm>
#include <optional>

namespace grouplink::io {
namespace {

/// Position of a column that there is once; nothing when there is none, or two.
std::optional<int> field_of(const ColumnarFile& file, const char* name) {
    const int field = file.schema().GetFieldIndex(name);
    return field < 0 ? std::nullopt : std::optional(field);
}

const arrow::DataType& type_of(const ColumnarFile& file, int field) {
    return *file.schema().field(field)->type();
}

[[noreturn]] void wrong_type(const ColumnarFile& file, int field, std::string_view wants) {
    fail(ErrorCode::bad_input, "{}: column {} is {}, wants {}", file.path(),
         in_quotes(file.schema().field(field)->name()), type_of(file, field).ToString(), wants);
}

void check_names(const ColumnarFile& file, int field, const arrow::DataType& type, const RowNames& names) {
    if (!is_key_type(type)) wrong_type(file, field, "rows by their ids, strings or integers");
    if (names.by_number() && !arrow::is_integer(type.id())) {
        fail(ErrorCode::bad_input,
             "{}: column {} is {}, but without ids rows go by number; pass the --id that the links were made "
             "with",
             file.path(), in_quotes(file.schema().field(field)->name()), type_of(file, field).ToString());
    }
}

std::string value_text(const arrow::Array& array, std::int64_t i) {
    const auto value = array.GetScalar(i);
    return value.ok() ? in_quotes((*value)->ToString()) : "unreadable";
}

/// Links that repeat take next to nothing in a file.
void check_plausible(const ColumnarFile& file, std::int64_t links) {
    constexpr std::int64_t bytes_a_link = 20;
    if (links <= file.plausible_bytes() / bytes_a_link) return;
    fail(ErrorCode::bad_input, "{}: has more links than a file of {} bytes plausibly holds", file.path(),
         file.bytes());
}

LinksFile read_edges(ColumnarFile& columns, const std::vector<int>& fields, RowNames& names,
                     const JobControl& control) {
    for (const int end : {0, 1}) {
        const int field = fields[static_cast<std::size_t>(end)];
        check_names(columns, field, type_of(columns, field), names);
    }
    if (type_of(columns, fields[2]).id() != arrow::Type::FLOAT) wrong_type(columns, fields[2], "float32");
    std::vector<int> ascending = fields;
    std::sort(ascending.begin(), ascending.end());
    const auto column = [&](const arrow::RecordBatch& batch, std::size_t i) -> const arrow::Array& {
        const auto place = std::find(ascending.begin(), ascending.end(), fields[i]) - ascending.begin();
        return *batch.column(static_cast<int>(place));
    };
    LinksFile file;
    EdgeList edges;
    std::int64_t done = 0;
    std::vector<std::int64_t> sources;
    std::vector<std::int64_t> targets;
    columns.read(ascending, control, [&](const arrow::RecordBatch& batch) {
        check_plausible(columns, done + batch.num_rows());
        sources.clear();
        targets.clear();
        append_rows(column(batch, 0), names, sources);
        append_rows(column(batch, 1), names, targets);
        const auto& weights = static_cast<const arrow::FloatArray&>(column(batch, 2));
        for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
            const auto unknown = [&](const char* end, std::size_t of) {
                add_fault(file, fmt::format("link {}: {} is {}, which is no row of the input", done + i, end,
                                            value_text(column(batch, of), i)));
            };
            const std::int64_t source = sources[static_cast<std::size_t>(i)];
            const std::int64_t target = targets[static_cast<std::size_t>(i)];
            if (!names.has_row(source)) {
                unknown("source", 0);
            } else if (target == no_row) {
                unknown("target", 1);
            } else if (weights.IsNull(i)) {
                add_fault(file, fmt::format("link {} has no weight", done + i));
            } else {
                edges.add(source, target, weights.Value(i));
            }
        }
        done += batch.num_rows();
    });
    file.graph = edges.graph(names.rows());
    return file;
}

struct Slice {
    std::int64_t first = 0;
    std::int64_t count = 0;
};

template <typename Lists>
Slice slice(const arrow::Array& array, std::int64_t i) {
    const auto& lists = static_cast<const Lists&>(array);
    return lists.IsNull(i) ? Slice{} : Slice{lists.value_offset(i), lists.value_length(i)};
}

Slice slice_of(const arrow::Array& array, std::int64_t i) {
    return array.type_id() == arrow::Type::LIST ? slice<arrow::ListArray>(array, i)
                                                : slice<arrow::LargeListArray>(array, i);
}

const arrow::Array& values_of(const arrow::Array& array) {
    return array.type_id() == arrow::Type::LIST ? *static_cast<const arrow::ListArray&>(array).values()
                                                : *static_cast<const arrow::LargeListArray&>(array).values();
}

bool is_list(const arrow::DataType& type) {
    return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST;
}

/// Where there is no table to tell, the rows of a table of lists are named by a column of it.
void meet_rows(ColumnarFile& columns, RowNames& names, const JobControl& control) {
    if (names.table_rows()) return;
    const bool told = !names.id_column().empty();
    const auto field =
        told
            ? std::optional(static_cast<int>(find_column(columns.path(), names.id_column(), columns.names())))
            : field_of(columns, "id");
    if (field && !is_key_type(type_of(columns, *field))) {
        wrong_type(columns, *field, "ids, strings or integers");
    }
    std::vector<std::int64_t> rows;
    std::int64_t count = 0;
    columns.read({field.value_or(0)}, control, [&](const arrow::RecordBatch& batch) {
        rows.clear();
        if (field) append_rows(*batch.column(0), names, rows);
        for (std::int64_t i = 0; i < batch.num_rows(); ++i, ++count) {
            const std::int64_t row = field ? rows[static_cast<std::size_t>(i)] : names.find(count);
            if (row == count) continue;
            fail(ErrorCode::bad_input, "{}: column {}: row {} is null, or has the id of an earlier row",
                 columns.path(), in_quotes(columns.schema().field(field.value_or(0))->name()), count);
        }
    });
    names.close();
}

LinksFile read_lists(ColumnarFile& columns, int targets_field, int weights_field, RowNames& names,
                     const JobControl& control) {
    const auto inner = [&](int field) -> const arrow::DataType& {
        if (!is_list(type_of(columns, field))) wrong_type(columns, field, "a list");
        return *type_of(columns, field).field(0)->type();
    };
    check_names(columns, targets_field, inner(targets_field), names);
    if (inner(weights_field).id() != arrow::Type::FLOAT)
        wrong_type(columns, weights_field, "a list of float32");
    meet_rows(columns, names, control);
    const bool targets_first = targets_field < weights_field;
    LinksFile file;
    file.graph.offsets.push_back(0);
    std::int64_t row = 0;
    std::vector<std::int64_t> targets;
    const auto take_batch = [&](const arrow::RecordBatch& batch) {
        const arrow::Array& target_lists = *batch.column(targets_first ? 0 : 1);
        const arrow::Array& weight_lists = *batch.column(targets_first ? 1 : 0);
        const arrow::Array& values = values_of(target_lists);
        const auto& weights = static_cast<const arrow::FloatArray&>(values_of(weight_lists));
        check_plausible(columns, file.graph.links() + values.length());
        targets.clear();
        append_rows(values, names, targets);
        for (std::int64_t i = 0; i < batch.num_rows(); ++i, ++row) {
            const Slice to = slice_of(target_lists, i);
            const Slice of = slice_of(weight_lists, i);
            if (to.count != of.count) {
                add_fault(file, fmt::format("row {} has {} targets and {} weights", row, to.count, of.count));
            }
            for (std::int64_t l = 0; l < std::min(to.count, of.count); ++l) {
                const std::int64_t target = targets[static_cast<std::size_t>(to.first + l)];
                if (target == no_row) {
                    add_fault(file, fmt::format("row {} has the target {}, which is no row of the input", row,
                                                value_text(values, to.first + l)));
                } else if (weights.IsNull(of.first + l)) {
                    add_fault(file, fmt::format("row {} has a link without a weight", row));
                } else {
                    file.graph.targets.push_back(target);
                    file.graph.weights.push_back(weights.Value(of.first + l));
                }
            }
            file.graph.offsets.push_back(file.graph.links());
        }
    };
    columns.read({std::min(targets_field, weights_field), std::max(targets_field, weights_field)}, control,
                 take_batch);
    return file;
}

LinksFile read_table_links(const std::string& path, RowNames& names, const JobControl& control) {
    const auto opened = open_columnar(path);
    ColumnarFile& columns = *opened;
    LinksFile file;
    const auto targets = field_of(columns, "targets");
    const auto weights = field_of(columns, "weights");
    if (targets && weights) {
        file = read_lists(columns, *targets, *weights, names, control);
    } else {
        std::vector<int> fields;
        for (const char* const name : {"source", "target", "weight"}) {
            const auto field = field_of(columns, name);
            if (!field) {
                fail(ErrorCode::bad_input,
                     "{}: holds no links: they are columns source, target and weight, or lists targets and "
                     "weights; its columns are {}",
                     path, quoted_list(columns.names()));
            }
            fields.push_back(*field);
        }
        file = read_edges(columns, fields, names, control);
    }
    const arrow::KeyValueMetadata* const entries = columns.metadata();
    const int place = entries ? entries->FindKey(std::string(metadata_key)) : -1;
    if (place >= 0) read_record(entries->value(place), names.table_rows(), file);
    return file;
}

}  // namespace

LinksFile read_columnar_links(const std::string& path, RowNames& names, const JobControl& control) {
    return reading_columns(path, [&] { return read_table_links(path, names, control); });
}

}  // namespace grouplink::io
