#include "io/columnar_sink.hpp"

#include "io/arrow_support.hpp"
#include "io/formats.hpp"
#include "io/message.hpp"

#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>

#include <exception>
#include <utility>

namespace grouplink::io {
namespace {

using arrow::Compression;

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

    /// Throws what `status` says, or better what the file said.
    void check(const arrow::Status& status) const {
        if (error_) std::rethrow_exception(error_);
        check_arrow(status, file_.path());
    }

private:
    AtomicFile& file_;
    std::exception_ptr error_;
    bool closed_ = false;
};

Compression::type compression() {
    for (const auto kind : {Compression::ZSTD, Compression::SNAPPY}) {
        if (arrow::util::Codec::IsAvailable(kind)) return kind;
    }
    return Compression::UNCOMPRESSED;
}

/// Parquet, in row groups of a bounded number of rows.
class ParquetSink : public ColumnarSink {
public:
    ParquetSink(AtomicFile& file, SchemaPointer schema, std::int64_t group_rows)
        : ColumnarSink(file.path(), std::move(schema)), sink_(std::make_shared<Sink>(file)) {
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

    void write(std::int64_t rows, std::vector<ArrayPointer> columns) override {
        sink_->check(writer_->WriteRecordBatch(*arrow::RecordBatch::Make(schema_, rows, std::move(columns))));
    }
    void finish() override { sink_->check(writer_->Close()); }

private:
    std::shared_ptr<Sink> sink_;
    std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

bool holds_dictionary(const arrow::DataType& type) {
    if (type.id() == arrow::Type::DICTIONARY) return true;
    for (const auto& field : type.fields()) {
        if (holds_dictionary(*field->type())) return true;
    }
    return false;
}

/// Arrow IPC, each batch as it comes. The form of a file holds one dictionary a column, and batches may come
/// with one each, so there the values themselves are written.
class IpcSink : public ColumnarSink {
public:
    IpcSink(AtomicFile& file, const SchemaPointer& schema, bool stream)
        : ColumnarSink(file.path(), stream ? schema : without_dictionaries(*schema, file.path())),
          sink_(std::make_shared<Sink>(file)) {
        auto options = arrow::ipc::IpcWriteOptions::Defaults();
        options.use_threads = false;
        writer_ = take(stream ? arrow::ipc::MakeStreamWriter(sink_, schema_, options)
                              : arrow::ipc::MakeFileWriter(sink_, schema_, options),
                       path_);
    }

    void write(std::int64_t rows, std::vector<ArrayPointer> columns) override {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i]->type_id() != schema_->field(static_cast<int>(i))->type()->id()) {
                columns[i] = values_of(static_cast<const arrow::DictionaryArray&>(*columns[i]));
            }
        }
        sink_->check(writer_->WriteRecordBatch(*arrow::RecordBatch::Make(schema_, rows, std::move(columns))));
    }
    void finish() override { sink_->check(writer_->Close()); }

private:
    static SchemaPointer without_dictionaries(const arrow::Schema& schema, const std::string& path) {
        arrow::FieldVector fields = schema.fields();
        for (auto& field : fields) {
            if (field->type()->id() == arrow::Type::DICTIONARY) {
                field =
                    field->WithType(static_cast<const arrow::DictionaryType&>(*field->type()).value_type());
            }
            if (holds_dictionary(*field->type())) {
                fail(
                    ErrorCode::bad_input,
                    "{}: column {} holds dictionaries within; write .arrows or .parquet, which have room for "
                    "one a batch",
                    path, in_quotes(field->name()));
            }
        }
        return arrow::schema(std::move(fields), schema.metadata());
    }

    ArrayPointer values_of(const arrow::DictionaryArray& encoded) const {
        const arrow::Array& values = *encoded.dictionary();
        const auto builder = take(arrow::MakeBuilder(values.type()), path_);
        const arrow::ArraySpan span(*values.data());
        for (std::int64_t i = 0; i < encoded.length(); ++i) {
            check_arrow(encoded.IsNull(i) ? builder->AppendNull()
                                          : builder->AppendArraySlice(span, encoded.GetValueIndex(i), 1),
                        path_);
        }
        return take(builder->Finish(), path_);
    }

    std::shared_ptr<Sink> sink_;
    std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

}  // namespace

std::unique_ptr<ColumnarSink> open_columnar_sink(AtomicFile& file, const SchemaPointer& schema,
                                                 std::int64_t group_rows) {
    if (format_of(file.path()) == Format::arrow) {
        return std::make_unique<IpcSink>(file, schema, extension_of(file.path()) == ".arrows");
    }
    return std::make_unique<ParquetSink>(file, schema, group_rows);
}

}  // namespace grouplink::io
