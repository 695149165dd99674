#include "io/arrow_support.hpp"
#include "io/columnar_file.hpp"
#include "io/columnar_sink.hpp"
#include "io/message.hpp"
#include "io/ticker.hpp"
#include "io/utf8.hpp"
#include "io/write_rows.hpp"

#include <arrow/api.h>

#include <algorithm>
#include <numeric>
#include <variant>

namespace grouplink::io {
namespace {

constexpr std::int64_t rows_a_group = std::int64_t{1} << 17;
constexpr std::int64_t rows_a_batch = std::int64_t{1} << 14;
constexpr std::int64_t components_a_batch = std::int64_t{1} << 22;

std::shared_ptr<arrow::DataType> component_type(ElementType type) {
    switch (type) {
        case ElementType::float16: return arrow::float16();
        case ElementType::float32: return arrow::float32();
        case ElementType::float64: return arrow::float64();
        case ElementType::int8: return arrow::int8();
    }
    return arrow::null();
}

/// The column of vectors, a part at a time.
class VectorColumn {
public:
    VectorColumn(const MatrixView& vectors, std::string path) : vectors_(vectors), path_(std::move(path)) {
        const auto item = component_type(vectors.type);
        // A list of a fixed size counts its components in 32 bits.
        const bool dense = vectors.offsets == nullptr && vectors.dim <= components_a_batch;
        type_ =
            dense ? arrow::fixed_size_list(item, static_cast<std::int32_t>(vectors.dim)) : arrow::list(item);
    }

    const std::shared_ptr<arrow::DataType>& type() const { return type_; }

    std::int64_t batch_end(std::int64_t first) const {
        std::int64_t components = 0;
        std::int64_t row = first;
        const std::int64_t last = std::min(vectors_.rows, first + rows_a_batch);
        while (row < last && components < components_a_batch) components += vectors_.row_dim(row++);
        return row;
    }

    ArrayPointer of(std::int64_t first, std::int64_t last) const {
        arrow::TypedBufferBuilder<bool> valid;
        arrow::TypedBufferBuilder<std::int32_t> offsets;
        std::int64_t components = 0;
        std::int64_t nulls = 0;
        check_arrow(offsets.Append(0), path_);
        for (std::int64_t row = first; row < last; ++row) {
            const bool has = vectors_.has_row(row);
            nulls += has ? 0 : 1;
            check_arrow(valid.Append(has), path_);
            components += vectors_.row_dim(row);
            if (components > std::numeric_limits<std::int32_t>::max()) {
                fail(ErrorCode::bad_input, "{}: row {} has {} components, more than a list can hold", path_,
                     row, vectors_.row_dim(row));
            }
            check_arrow(offsets.Append(static_cast<std::int32_t>(components)), path_);
        }
        const auto bytes = components * static_cast<std::int64_t>(element_size(vectors_.type));
        auto values = std::make_shared<arrow::Buffer>(
            static_cast<const std::uint8_t*>(vectors_.rows > 0 ? vectors_.row(first) : nullptr), bytes);
        const auto item = type_->field(0)->type();
        const auto child = arrow::ArrayData::Make(item, components, {nullptr, std::move(values)}, 0);
        std::vector<std::shared_ptr<arrow::Buffer>> buffers{
            nulls > 0 ? std::shared_ptr<arrow::Buffer>(take(valid.Finish(), path_)) : nullptr};
        if (type_->id() == arrow::Type::LIST) buffers.push_back(take(offsets.Finish(), path_));
        return arrow::MakeArray(
            arrow::ArrayData::Make(type_, last - first, std::move(buffers), {child}, nulls));
    }

private:
    const MatrixView& vectors_;
    std::string path_;
    std::shared_ptr<arrow::DataType> type_;
};

ArrayPointer id_array(const IdColumn& ids, std::int64_t first, std::int64_t last, const std::string& path) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) {
        arrow::Int64Builder builder;
        check_arrow(builder.AppendValues(numbers->data() + first, last - first), path);
        return take(builder.Finish(), path);
    }
    arrow::StringBuilder builder;
    for (std::int64_t row = first; row < last; ++row) {
        check_arrow(builder.Append(std::get<StringColumn>(ids)[row]), path);
    }
    return take(builder.Finish(), path);
}

ArrayPointer group_array(const GroupColumn& groups, std::int64_t first, std::int64_t last,
                         const std::string& path) {
    arrow::StringBuilder builder;
    for (std::int64_t row = first; row < last; ++row) {
        const std::int32_t code = groups.codes[static_cast<std::size_t>(row)];
        check_arrow(
            code < 0 ? builder.AppendNull() : builder.Append(groups.keys[static_cast<std::size_t>(code)]),
            path);
    }
    return take(builder.Finish(), path);
}

void write_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control) {
    const Table& table = rows.table;
    const VectorColumn vectors(table.vectors, file.path());
    const bool texts = std::holds_alternative<StringColumn>(table.ids);
    arrow::FieldVector fields;
    if (!rows.id.empty()) fields.push_back(arrow::field(rows.id, texts ? arrow::utf8() : arrow::int64()));
    if (!rows.group.empty()) fields.push_back(arrow::field(rows.group, arrow::utf8()));
    fields.push_back(arrow::field(rows.embedding, vectors.type()));
    const auto sink = open_columnar_sink(file, arrow::schema(std::move(fields)), rows_a_group);
    Ticker ticker(control, "write", table.vectors.rows, "rows");
    for (std::int64_t first = 0; first < table.vectors.rows;) {
        ticker.at(first);
        const std::int64_t last = vectors.batch_end(first);
        std::vector<ArrayPointer> columns;
        if (!rows.id.empty()) columns.push_back(id_array(table.ids, first, last, file.path()));
        if (!rows.group.empty()) columns.push_back(group_array(table.groups, first, last, file.path()));
        columns.push_back(vectors.of(first, last));
        sink->write(last - first, std::move(columns));
        first = last;
    }
    sink->finish();
}

}  // namespace

void write_columnar_rows(AtomicFile& file, const RowsOut& rows, const JobControl& control) {
    reading_columns(file.path(), [&] { write_rows(file, rows, control); });
}

void copy_columnar(AtomicFile& file, const std::string& input, const JobControl& control) {
    reading_columns(input, [&] {
        const auto table = open_columnar(input);
        const auto sink = open_columnar_sink(
            file, arrow::schema(table->schema().fields(), table->schema().metadata()), rows_a_group);
        std::vector<int> all(static_cast<std::size_t>(table->schema().num_fields()));
        std::iota(all.begin(), all.end(), 0);
        table->read(all, control, [&](const arrow::RecordBatch& batch) {
            for (std::int64_t first = 0; first < batch.num_rows(); first += rows_a_batch) {
                const auto part = batch.Slice(first, rows_a_batch);
                sink->write(part->num_rows(), part->columns());
            }
        });
        sink->finish();
    });
}

bool columnar_holds_links(const std::string& path) {
    return reading_columns(path, [&] {
        const auto table = open_columnar(path);
        const auto has = [&](const char* name) { return table->schema().GetFieldIndex(name) >= 0; };
        return (has("source") && has("target") && has("weight")) || (has("targets") && has("weights"));
    });
}

}  // namespace grouplink::io
