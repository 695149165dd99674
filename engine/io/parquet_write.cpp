#include "io/parquet_write.hpp"

#include "io/arrow_support.hpp"
#include "io/formats.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/ticker.hpp"
#include "io/utf8.hpp"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <span>
#include <variant>

namespace grouplink::io {
namespace {

using arrow::Compression;
using ArrayPointer = std::shared_ptr<arrow::Array>;
using SchemaPointer = std::shared_ptr<arrow::Schema>;

constexpr std::int64_t rows_a_group = std::int64_t{1} << 20;
constexpr std::int64_t bytes_a_group = std::int64_t{64} << 20;
constexpr std::int64_t rows_a_batch = std::int64_t{1} << 16;
// Arrow takes eight bytes and more for each float16 while it writes one.
constexpr std::int64_t bytes_a_batch = std::int64_t{4} << 20;
constexpr std::int64_t links_a_batch = std::int64_t{1} << 20;

/// Arrow writes into an AtomicFile. What that throws is kept, to be thrown once Arrow has returned.
class Sink : public arrow::io::OutputStream {
public:
    explicit Sink(AtomicFile& file) : file_(file) {}

    arrow::Status Write(const void* data, std::int64_t bytes) override {
        if (!error_) {
            try {
                file_.write({static_cast<const char*>(data), static_cast<std::size_t>(bytes)});
                return arrow::Status::OK();
            } catch (...) {
                error_ = std::current_exception();
            }
        }
        return arrow::Status::IOError("cannot write");
    }
    arrow::Status Close() override {
        closed_ = true;
        return arrow::Status::OK();
    }
    bool closed() const override { return closed_; }
    arrow::Result<std::int64_t> Tell() const override { return file_.position(); }

    void rethrow() const {
        if (error_) std::rethrow_exception(error_);
    }

private:
    AtomicFile& file_;
    std::exception_ptr error_;
    bool closed_ = false;
};

/// A borrowed array of int64 or float32.
template <typename Value>
ArrayPointer borrowed(std::shared_ptr<arrow::DataType> type, std::span<const Value> values) {
    auto buffer = std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(values.data()),
                                                  static_cast<std::int64_t>(values.size_bytes()));
    return arrow::MakeArray(arrow::ArrayData::Make(std::move(type), static_cast<std::int64_t>(values.size()),
                                                   {nullptr, std::move(buffer)}, 0));
}

/// Text where all of it is UTF-8, as Parquet asks of strings, else bytes.
template <typename Strings>
std::shared_ptr<arrow::DataType> text_type(const Strings& values, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        if (!is_utf8(values(i))) return arrow::binary();
    }
    return arrow::utf8();
}

/// How the rows are named: by number or by id.
class Names {
public:
    explicit Names(const IdColumn& ids) : ids_(ids), type_(arrow::int64()) {
        if (const auto* texts = std::get_if<StringColumn>(&ids)) {
            type_ = text_type([&](std::int64_t row) { return (*texts)[row]; }, texts->size());
        }
    }

    const std::shared_ptr<arrow::DataType>& type() const { return type_; }

    std::int64_t bytes(std::int64_t row) const {
        const auto* texts = std::get_if<StringColumn>(&ids_);
        return texts ? static_cast<std::int64_t>((*texts)[row].size()) : 8;
    }

    /// The names of `rows`, which must outlive the array.
    ArrayPointer of(std::span<const std::int64_t> rows, const std::string& path) const {
        if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids_)) {
            arrow::Int64Builder builder;
            check_arrow(builder.Reserve(std::ssize(rows)), path);
            for (const std::int64_t row : rows) {
                builder.UnsafeAppend((*numbers)[static_cast<std::size_t>(row)]);
            }
            return take(builder.Finish(), path);
        }
        if (const auto* texts = std::get_if<StringColumn>(&ids_)) {
            arrow::BinaryBuilder builder(type_, arrow::default_memory_pool());
            for (const std::int64_t row : rows) check_arrow(builder.Append((*texts)[row]), path);
            return take(builder.Finish(), path);
        }
        return borrowed(arrow::int64(), rows);
    }

private:
    const IdColumn& ids_;
    std::shared_ptr<arrow::DataType> type_;
};

Compression::type compression() {
    for (const auto kind : {Compression::ZSTD, Compression::SNAPPY}) {
        if (arrow::util::Codec::IsAvailable(kind)) return kind;
    }
    return Compression::UNCOMPRESSED;
}

/// Writes record batches to Parquet, in row groups of a bounded number of rows.
class Writer {
public:
    Writer(AtomicFile& file, const SchemaPointer& schema, const Report& report, std::int64_t group_rows)
        : path_(file.path()), sink_(std::make_shared<Sink>(file)) {
        auto metadata =
            schema->metadata() ? schema->metadata()->Copy() : arrow::KeyValueMetadata::Make({}, {});
        check_arrow(metadata->Set(std::string(metadata_key), metadata_json(report)), path_);
        schema_ = schema->WithMetadata(std::move(metadata));

        const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
        parquet::WriterProperties::Builder properties;
        properties.compression(compression())->max_row_group_length(group_rows);
        std::shared_ptr<parquet::SchemaDescriptor> leaves;
        check_arrow(parquet::arrow::ToParquetSchema(schema_.get(), *parquet::default_writer_properties(),
                                                    *arrow_properties, &leaves),
                    path_);
        // Weights and components hardly repeat: a dictionary of them is work for nothing.
        for (int i = 0; i < leaves->num_columns(); ++i) {
            const parquet::ColumnDescriptor* const leaf = leaves->Column(i);
            if (leaf->physical_type() == parquet::Type::FLOAT ||
                leaf->physical_type() == parquet::Type::DOUBLE ||
                leaf->physical_type() == parquet::Type::FIXED_LEN_BYTE_ARRAY) {
                properties.disable_dictionary(leaf->path());
            }
        }
        writer_ = take(parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), sink_,
                                                        properties.build(), arrow_properties),
                       path_);
    }

    const std::string& path() const { return path_; }

    void write(std::int64_t rows, std::vector<ArrayPointer> columns) {
        check(writer_->WriteRecordBatch(*arrow::RecordBatch::Make(schema_, rows, std::move(columns))));
    }
    void finish() { check(writer_->Close()); }

private:
    void check(const arrow::Status& status) const {
        sink_->rethrow();
        check_arrow(status, path_);
    }

    std::string path_;
    std::shared_ptr<Sink> sink_;
    SchemaPointer schema_;
    std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

/// Arrow reports by status, but parts of its Parquet throw.
template <typename Function>
void guard(const std::string& path, Function function) {
    try {
        function();
    } catch (const parquet::ParquetException& error) {
        fail(ErrorCode::io, "{}: {}", path, first_line(error.what()));
    }
}

/// The list columns that write_lists_parquet adds.
class LinkLists {
public:
    LinkLists(const CsrGraph& graph, const Names& names, std::string path)
        : graph_(graph), names_(names), path_(std::move(path)) {}

    std::vector<std::shared_ptr<arrow::Field>> fields() const {
        return {arrow::field("targets", arrow::list(names_.type())),
                arrow::field("weights", arrow::list(arrow::float32()))};
    }

    /// One past the last row of a batch from `first` on, at most `last`: its lists stay far below the
    /// 2^31 values and bytes that Arrow's lists and strings hold.
    std::int64_t batch_end(std::int64_t first, std::int64_t last) const {
        std::int64_t bytes = 0;
        std::int64_t row = first;
        while (row < last && bytes < bytes_a_batch && place(row) - place(first) < links_a_batch) {
            for (const std::int64_t target : targets(row, row + 1)) bytes += names_.bytes(target);
            ++row;
        }
        return row;
    }

    void append(std::vector<ArrayPointer>& columns, std::int64_t first, std::int64_t last) const {
        const std::int64_t links = place(last) - place(first);
        if (links > std::numeric_limits<std::int32_t>::max()) {
            fail(ErrorCode::bad_input, "{}: row {} has {} links, more than a list can hold", path_, first,
                 links);
        }
        arrow::Int32Builder builder;
        check_arrow(builder.Reserve(last - first + 1), path_);
        for (std::int64_t row = first; row <= last; ++row) {
            builder.UnsafeAppend(static_cast<std::int32_t>(place(row) - place(first)));
        }
        const ArrayPointer offsets = take(builder.Finish(), path_);
        const std::span<const float> weights(graph_.weights);
        columns.push_back(
            take(arrow::ListArray::FromArrays(*offsets, *names_.of(targets(first, last), path_)), path_));
        columns.push_back(take(
            arrow::ListArray::FromArrays(
                *offsets, *borrowed(arrow::float32(), weights.subspan(static_cast<std::size_t>(place(first)),
                                                                      static_cast<std::size_t>(links)))),
            path_));
    }

private:
    std::int64_t place(std::int64_t row) const {
        return graph_.offsets.empty() ? 0 : graph_.offsets[static_cast<std::size_t>(row)];
    }
    std::span<const std::int64_t> targets(std::int64_t first, std::int64_t last) const {
        return std::span(graph_.targets)
            .subspan(static_cast<std::size_t>(place(first)),
                     static_cast<std::size_t>(place(last) - place(first)));
    }

    const CsrGraph& graph_;
    const Names& names_;
    std::string path_;
};

/// How many of `rows` rows of `bytes` bytes in all make up `wanted` bytes, in bounds.
std::int64_t rows_of_bytes(std::int64_t rows, std::int64_t bytes, std::int64_t wanted, std::int64_t most) {
    if (rows <= 0 || bytes <= 0) return most;
    const double share = static_cast<double>(wanted) / static_cast<double>(bytes);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(rows) * share), 256, most);
}

std::unique_ptr<parquet::arrow::FileReader> open_table(const std::string& path, std::int64_t batch_rows) {
    FileDescriptor descriptor = open_to_read(path);
    auto source = take(arrow::io::ReadableFile::Open(descriptor.get()), path);
    descriptor.release();
    parquet::ReaderProperties properties;
    properties.enable_buffered_stream();
    parquet::ArrowReaderProperties arrow_properties;
    arrow_properties.set_batch_size(batch_rows);
    arrow_properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    check_arrow(builder.Open(std::move(source), properties), path);
    std::unique_ptr<parquet::arrow::FileReader> reader;
    check_arrow(builder.properties(arrow_properties)->Build(&reader), path);
    return reader;
}

void refuse_list_columns(const arrow::Schema& schema, const std::string& path) {
    for (const char* const name : {"targets", "weights"}) {
        if (schema.GetFieldIndex(name) < 0 && schema.GetAllFieldIndices(name).empty()) continue;
        fail(ErrorCode::bad_input,
             "{}: has a column \"{}\" already, which the layout lists adds; rename it, or write edges", path,
             name);
    }
}

SchemaPointer schema_of(parquet::arrow::FileReader& reader, const std::string& path) {
    SchemaPointer schema;
    check_arrow(reader.GetSchema(&schema), path);
    return schema;
}

/// Bytes of the lists of links, as they lie in memory.
std::int64_t link_bytes(const CsrGraph& graph) { return 12 * graph.links() + 8 * graph.rows(); }

void write_table_lists(AtomicFile& file, const std::string& input, const LinkResult& result,
                       const Names& names, const JobControl& control) {
    auto reader = open_table(input, rows_a_batch);
    const auto metadata = reader->parquet_reader()->metadata();
    const std::int64_t rows = result.graph.rows();
    if (metadata->num_rows() != rows) {
        fail(ErrorCode::bad_input, "{}: has {} rows now, but had {} when it was read", input,
             metadata->num_rows(), rows);
    }
    std::int64_t bytes = link_bytes(result.graph);
    for (int i = 0; i < metadata->num_row_groups(); ++i) bytes += metadata->RowGroup(i)->total_byte_size();
    reader->set_batch_size(rows_of_bytes(rows, bytes, bytes_a_batch, rows_a_batch));

    const SchemaPointer schema = schema_of(*reader, input);
    refuse_list_columns(*schema, input);
    const LinkLists lists(result.graph, names, file.path());
    arrow::FieldVector fields = schema->fields();
    for (auto& field : lists.fields()) fields.push_back(std::move(field));
    Writer writer(file, arrow::schema(std::move(fields), schema->metadata()), result.report,
                  rows_of_bytes(rows, bytes, bytes_a_group, rows_a_group));

    Ticker ticker(control, "write", rows);
    const auto batches = take(reader->GetRecordBatchReader(), input);
    std::int64_t first = 0;
    while (const auto batch = take(batches->Next(), input)) {
        const std::int64_t batch_first = first;
        const std::int64_t last = first + batch->num_rows();
        if (last > rows) fail(ErrorCode::bad_input, "{}: has more rows than it says", input);
        while (first < last) {
            const std::int64_t end = lists.batch_end(first, last);
            ticker.at(first);
            auto columns = batch->Slice(first - batch_first, end - first)->columns();
            lists.append(columns, first, end);
            writer.write(end - first, std::move(columns));
            first = end;
        }
    }
    if (first != rows) fail(ErrorCode::bad_input, "{}: ends at row {} of {}", input, first, rows);
    writer.finish();
}

/// Rows without a group are null.
ArrayPointer group_array(const GroupColumn& groups, const std::shared_ptr<arrow::DataType>& type,
                         std::int64_t first, std::int64_t last, const std::string& path) {
    arrow::BinaryBuilder builder(type, arrow::default_memory_pool());
    for (std::int64_t row = first; row < last; ++row) {
        const std::int32_t code = groups.codes[static_cast<std::size_t>(row)];
        check_arrow(
            code < 0 ? builder.AppendNull() : builder.Append(groups.keys[static_cast<std::size_t>(code)]),
            path);
    }
    return take(builder.Finish(), path);
}

void write_array_lists(AtomicFile& file, const InputSpec& input, const Table& table, const LinkResult& result,
                       const Names& names, const JobControl& control) {
    const std::string& path = file.path();
    const bool with_ids = !std::holds_alternative<std::monostate>(table.ids);
    const bool with_groups = !input.group.empty() || !input.groups_file.empty();
    const LinkLists lists(result.graph, names, path);
    arrow::FieldVector fields{arrow::field("row", arrow::int64())};
    if (with_ids) fields.push_back(arrow::field("id", names.type()));
    const std::vector<std::string>& keys = table.groups.keys;
    const auto group_type =
        text_type([&](std::int64_t i) { return std::string_view(keys[static_cast<std::size_t>(i)]); },
                  std::ssize(keys));
    if (with_groups) fields.push_back(arrow::field("group", group_type));
    for (auto& field : lists.fields()) fields.push_back(std::move(field));

    const std::int64_t rows = result.graph.rows();
    Writer writer(file, arrow::schema(std::move(fields)), result.report,
                  rows_of_bytes(rows, link_bytes(result.graph), bytes_a_group, rows_a_group));
    Ticker ticker(control, "write", rows);
    std::vector<std::int64_t> numbers;
    for (std::int64_t first = 0; first < rows;) {
        ticker.at(first);
        const std::int64_t end = lists.batch_end(first, std::min(rows, first + rows_a_batch));
        numbers.clear();
        for (std::int64_t row = first; row < end; ++row) numbers.push_back(row);
        std::vector<ArrayPointer> columns;
        columns.push_back(borrowed<std::int64_t>(arrow::int64(), numbers));
        if (with_ids) columns.push_back(names.of(numbers, path));
        if (with_groups) columns.push_back(group_array(table.groups, group_type, first, end, path));
        lists.append(columns, first, end);
        writer.write(end - first, std::move(columns));
        first = end;
    }
    writer.finish();
}

}  // namespace

void write_edges_parquet(AtomicFile& file, const Table& table, const LinkResult& result,
                         const JobControl& control) {
    guard(file.path(), [&] {
        const CsrGraph& graph = result.graph;
        const Names names(table.ids);
        const auto& weight_type = arrow::float32();
        Writer writer(file,
                      arrow::schema({arrow::field("source", names.type(), false),
                                     arrow::field("target", names.type(), false),
                                     arrow::field("weight", weight_type, false)}),
                      result.report, rows_a_group);
        Ticker ticker(control, "write", graph.links());
        std::vector<std::int64_t> sources;
        std::int64_t bytes = 0;
        std::int64_t first = 0;
        const auto write_batch = [&] {
            ticker.at(first);
            const auto place = static_cast<std::size_t>(first);
            const std::span targets = std::span(graph.targets).subspan(place, sources.size());
            const std::span weights = std::span(graph.weights).subspan(place, sources.size());
            writer.write(std::ssize(sources),
                         {names.of(sources, writer.path()), names.of(targets, writer.path()),
                          borrowed(weight_type, weights)});
            first += std::ssize(sources);
            sources.clear();
            bytes = 0;
        };
        for (std::int64_t row = 0; row < graph.rows(); ++row) {
            const auto last = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row) + 1]);
            for (auto i = static_cast<std::size_t>(graph.offsets[static_cast<std::size_t>(row)]); i < last;
                 ++i) {
                sources.push_back(row);
                bytes += names.bytes(row) + names.bytes(graph.targets[i]);
                if (bytes >= bytes_a_batch || std::ssize(sources) == rows_a_batch) write_batch();
            }
        }
        if (!sources.empty()) write_batch();
        writer.finish();
    });
}

void write_lists_parquet(AtomicFile& file, const InputSpec& input, const Table& table,
                         const LinkResult& result, const JobControl& control) {
    guard(file.path(), [&] {
        const Names names(table.ids);
        if (format_of(input.path) == Format::parquet) {
            write_table_lists(file, input.path, result, names, control);
        } else {
            write_array_lists(file, input, table, result, names, control);
        }
    });
}

void check_list_columns(const InputSpec& input) {
    if (format_of(input.path) != Format::parquet) return;
    try {
        const auto reader = open_table(input.path, rows_a_batch);
        refuse_list_columns(*schema_of(*reader, input.path), input.path);
    } catch (const parquet::ParquetException&) {  // NOLINT(bugprone-empty-catch)
    }
}

}  // namespace grouplink::io
