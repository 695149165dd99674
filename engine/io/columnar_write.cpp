#include "io/columnar_write.hpp"

#include "io/arrow_support.hpp"
#include "io/columnar_file.hpp"
#include "io/columnar_sink.hpp"
#include "io/formats.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/ticker.hpp"
#include "io/utf8.hpp"

#include <arrow/api.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/exception.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <variant>

namespace grouplink::io {
namespace {

constexpr std::int64_t rows_a_group = std::int64_t{1} << 20;
constexpr std::int64_t bytes_a_group = std::int64_t{64} << 20;
constexpr std::int64_t rows_a_batch = std::int64_t{1} << 16;
// Arrow takes eight bytes and more for each float16 while it writes one.
constexpr std::int64_t bytes_a_batch = std::int64_t{4} << 20;
constexpr std::int64_t links_a_batch = std::int64_t{1} << 20;

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
            return take(take(builder.Finish(), path)->View(type_), path);
        }
        return borrowed(arrow::int64(), rows);
    }

private:
    const IdColumn& ids_;
    std::shared_ptr<arrow::DataType> type_;
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

/// The list columns that write_lists_columnar adds.
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

void refuse_list_columns(const arrow::Schema& schema, const std::string& path) {
    for (const char* const name : {"targets", "weights"}) {
        if (schema.GetFieldIndex(name) < 0 && schema.GetAllFieldIndices(name).empty()) continue;
        fail(ErrorCode::bad_input,
             "{}: has a column \"{}\" already, which the layout lists adds; rename it, or write edges", path,
             name);
    }
}

SchemaPointer with_record(arrow::FieldVector fields,
                          const std::shared_ptr<const arrow::KeyValueMetadata>& metadata,
                          const std::string& record, const std::string& path) {
    auto entries = metadata ? metadata->Copy() : arrow::KeyValueMetadata::Make({}, {});
    if (!record.empty()) check_arrow(entries->Set(std::string(metadata_key), record), path);
    return arrow::schema(std::move(fields), std::move(entries));
}

/// Bytes of the lists of links, as they lie in memory.
std::int64_t link_bytes(const CsrGraph& graph) { return 12 * graph.links() + 8 * graph.rows(); }

void write_table_lists(AtomicFile& file, const std::string& input, const LinksOut& links, const Names& names,
                       const JobControl& control) {
    const auto table = open_columnar(input);
    const std::int64_t rows = links.graph.rows();
    const std::int64_t bytes = link_bytes(links.graph) + table->data_bytes();
    const std::int64_t batch_rows = rows_of_bytes(rows, bytes, bytes_a_batch, rows_a_batch);
    const arrow::Schema& schema = table->schema();
    refuse_list_columns(schema, input);
    const LinkLists lists(links.graph, names, file.path());
    arrow::FieldVector fields = schema.fields();
    for (auto& field : lists.fields()) fields.push_back(std::move(field));
    const auto sink =
        open_columnar_sink(file, with_record(std::move(fields), schema.metadata(), links.record, file.path()),
                           rows_of_bytes(rows, bytes, bytes_a_group, rows_a_group));

    std::vector<int> all(static_cast<std::size_t>(schema.num_fields()));
    std::iota(all.begin(), all.end(), 0);
    JobControl writing = control;
    if (control.on_progress) {
        writing.on_progress = [&](const Progress& progress) {
            control.on_progress({"write", progress.done, progress.total, progress.unit});
        };
    }
    std::int64_t first = 0;
    table->read(all, writing, [&](const arrow::RecordBatch& batch) {
        const std::int64_t batch_first = first;
        const std::int64_t last = first + batch.num_rows();
        if (last > rows) {
            fail(ErrorCode::bad_input, "{}: has more rows now than the {} that were read", input, rows);
        }
        while (first < last) {
            const std::int64_t end = lists.batch_end(first, std::min(last, first + batch_rows));
            auto columns = batch.Slice(first - batch_first, end - first)->columns();
            lists.append(columns, first, end);
            sink->write(end - first, std::move(columns));
            first = end;
        }
    });
    if (first != rows) {
        fail(ErrorCode::bad_input, "{}: has {} rows now, but had {} when it was read", input, first, rows);
    }
    sink->finish();
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
    return take(take(builder.Finish(), path)->View(type), path);
}

void write_array_lists(AtomicFile& file, const LinksOut& links, const Names& names,
                       const JobControl& control) {
    const std::string& path = file.path();
    const bool with_ids = !std::holds_alternative<std::monostate>(links.ids);
    static const GroupColumn no_groups;
    const bool with_groups = links.groups != nullptr;
    const GroupColumn& groups = with_groups ? *links.groups : no_groups;
    const LinkLists lists(links.graph, names, path);
    arrow::FieldVector fields{arrow::field("row", arrow::int64())};
    if (with_ids) fields.push_back(arrow::field("id", names.type()));
    const std::vector<std::string>& keys = groups.keys;
    const auto group_type =
        text_type([&](std::int64_t i) { return std::string_view(keys[static_cast<std::size_t>(i)]); },
                  std::ssize(keys));
    if (with_groups) fields.push_back(arrow::field("group", group_type));
    for (auto& field : lists.fields()) fields.push_back(std::move(field));

    const std::int64_t rows = links.graph.rows();
    const auto sink =
        open_columnar_sink(file, with_record(std::move(fields), nullptr, links.record, path),
                           rows_of_bytes(rows, link_bytes(links.graph), bytes_a_group, rows_a_group));
    Ticker ticker(control, "write", rows, "rows");
    std::vector<std::int64_t> numbers;
    for (std::int64_t first = 0; first < rows;) {
        ticker.at(first);
        const std::int64_t end = lists.batch_end(first, std::min(rows, first + rows_a_batch));
        numbers.clear();
        for (std::int64_t row = first; row < end; ++row) numbers.push_back(row);
        std::vector<ArrayPointer> columns;
        columns.push_back(borrowed<std::int64_t>(arrow::int64(), numbers));
        if (with_ids) columns.push_back(names.of(numbers, path));
        if (with_groups) columns.push_back(group_array(groups, group_type, first, end, path));
        lists.append(columns, first, end);
        sink->write(end - first, std::move(columns));
        first = end;
    }
    sink->finish();
}

}  // namespace

void write_edges_columnar(AtomicFile& file, const LinksOut& links, const JobControl& control) {
    guard(file.path(), [&] {
        const CsrGraph& graph = links.graph;
        const Names names(links.ids);
        const auto& weight_type = arrow::float32();
        const auto sink = open_columnar_sink(file,
                                             with_record({arrow::field("source", names.type(), false),
                                                          arrow::field("target", names.type(), false),
                                                          arrow::field("weight", weight_type, false)},
                                                         nullptr, links.record, file.path()),
                                             rows_a_group);
        Ticker ticker(control, "write", graph.links(), "links");
        std::vector<std::int64_t> sources;
        std::int64_t bytes = 0;
        std::int64_t first = 0;
        const auto write_batch = [&] {
            ticker.at(first);
            const auto place = static_cast<std::size_t>(first);
            const std::span targets = std::span(graph.targets).subspan(place, sources.size());
            const std::span weights = std::span(graph.weights).subspan(place, sources.size());
            sink->write(std::ssize(sources), {names.of(sources, file.path()), names.of(targets, file.path()),
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
        sink->finish();
    });
}

void write_lists_columnar(AtomicFile& file, const InputSpec& input, const LinksOut& links,
                          const JobControl& control) {
    guard(file.path(), [&] {
        const Names names(links.ids);
        if (is_columnar(format_of(input.path))) {
            write_table_lists(file, input.path, links, names, control);
        } else {
            write_array_lists(file, links, names, control);
        }
    });
}

void check_list_columns(const InputSpec& input) {
    if (!is_columnar(format_of(input.path))) return;
    try {
        refuse_list_columns(open_columnar(input.path)->schema(), input.path);
    } catch (const parquet::ParquetException&) {  // NOLINT(bugprone-empty-catch)
    }
}

}  // namespace grouplink::io
