#include "io/outputs.hpp"

#include "io/arrow_support.hpp"
#include "io/metadata.hpp"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/util/float16.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

using namespace grouplink;
using namespace grouplink::test;

namespace {

template <typename Value>
Value must(arrow::Result<Value> result) {
    return io::take(std::move(result), "test");
}

std::shared_ptr<arrow::Table> read_back(const std::string& path) {
    const auto file = must(arrow::io::ReadableFile::Open(path));
    if (path.ends_with(".arrows")) {
        const auto reader = must(arrow::ipc::RecordBatchStreamReader::Open(file));
        return must(must(reader->ToTable())->CombineChunks());
    }
    if (path.ends_with(".arrow")) {
        const auto reader = must(arrow::ipc::RecordBatchFileReader::Open(file));
        return must(must(reader->ToTable())->CombineChunks());
    }
    const auto reader = must(parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
    const auto table = must(must(reader->GetRecordBatchReader())->ToTable());
    return must(table->CombineChunks());
}

void write_parquet(const std::string& path, const arrow::Table& table, std::int64_t rows_a_group) {
    const auto file = must(arrow::io::FileOutputStream::Open(path));
    const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    io::check_arrow(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), file, rows_a_group,
                                               parquet::default_writer_properties(), properties),
                    path);
    io::check_arrow(file->Close(), path);
}

/// Four rows: names of a dictionary type, two float16 components a row, some nulls.
std::shared_ptr<arrow::Table> input_table(const std::string& first_column = "name") {
    arrow::StringDictionaryBuilder names;
    for (const char* const name : {"x", "y", "x"}) io::check_arrow(names.Append(name), "test");
    io::check_arrow(names.AppendNull(), "test");
    arrow::HalfFloatBuilder components;
    for (const float value : {1.0F, 0.5F, -2.0F, 0.25F, 3.0F, 4.0F, 5.0F, 6.0F}) {
        io::check_arrow(components.Append(arrow::util::Float16(value).bits()), "test");
    }
    const auto vectors = must(arrow::FixedSizeListArray::FromArrays(must(components.Finish()), 2));
    const auto schema =
        arrow::schema({arrow::field(first_column, arrow::dictionary(arrow::int8(), arrow::utf8())),
                       arrow::field("vector", vectors->type())},
                      arrow::KeyValueMetadata::Make({"origin"}, {"a test"}));
    return arrow::Table::Make(schema, {must(names.Finish()), vectors});
}

std::string text(const std::shared_ptr<arrow::Table>& table, const std::string& column) {
    std::string text;
    for (std::int64_t i = 0; i < table->num_rows(); ++i) {
        auto value = must(table->GetColumnByName(column)->GetScalar(i));
        if (value->type->id() == arrow::Type::DICTIONARY) {
            value = must(static_cast<const arrow::DictionaryScalar&>(*value).GetEncodedValue());
        }
        text += value->ToString() + "\n";
    }
    return text;
}

const std::vector<std::string> kinds{"a.parquet", "a.arrow", "a.arrows"};

}  // namespace

TEST_CASE("edges by row number, integer, string and bytes") {
    const Folder folder;
    for (const std::string& kind : kinds) {
        CAPTURE(kind);
        const auto edges = [&](IdColumn ids) {
            write_links({folder / kind, Layout::edges, true}, {}, small_table(std::move(ids)),
                        small_result());
            return read_back(folder / kind);
        };
        const auto numbers = edges({});
        CHECK(numbers->num_rows() == 4);
        CHECK(numbers->schema()->field(0)->type()->Equals(arrow::int64()));
        CHECK(numbers->schema()->field(2)->type()->Equals(arrow::float32()));
        CHECK(text(numbers, "source") == "0\n0\n1\n2\n");
        CHECK(text(numbers, "target") == "1\n2\n0\n0\n");
        CHECK(text(numbers, "weight") == "0.75\n0.1\n0.75\n0.1\n");
        CHECK(numbers->schema()->metadata()->Get("grouplink").ValueOr("") ==
              io::metadata_json(small_result().report));

        CHECK(text(edges(std::vector<std::int64_t>{-1, 20, 30, 40}), "target") == "20\n30\n-1\n-1\n");
        const auto strings = edges(texts({"a", "", "\xC3\xA9", "d"}));
        CHECK(strings->schema()->field(0)->type()->Equals(arrow::utf8()));
        CHECK(text(strings, "target") == "\n\xC3\xA9\na\na\n");
        CHECK(edges(texts({"a", "b", "\xFF", "d"}))->schema()->field(0)->type()->Equals(arrow::binary()));
    }
}

TEST_CASE("the same links give the same bytes") {
    const Folder folder;
    for (const std::string& kind : kinds) {
        for (const char* const name : {"a", "b"}) {
            write_links({folder / (name + kind)}, {}, small_table(texts({"a", "b", "c", "d"})),
                        small_result());
        }
        CHECK(read(folder / ("a" + kind)) == read(folder / ("b" + kind)));
    }
}

TEST_CASE("row groups are bounded") {
    constexpr std::int64_t rows = 1'100'000;
    LinkResult result;
    result.graph.offsets.push_back(0);
    for (std::int64_t row = 0; row < rows; ++row) {
        result.graph.targets.push_back((row + 1) % rows);
        result.graph.weights.push_back(1.0F);
        result.graph.offsets.push_back(row + 1);
    }
    Table table = small_table();
    table.vectors.rows = rows;
    const Folder folder;
    double done = -1;
    JobControl control;
    control.on_progress = [&](const Progress& progress) {
        CHECK(progress.stage == "write");
        CHECK(progress.done >= done);
        done = progress.done;
    };
    write_links({folder / "a.parquet"}, {}, table, result, control);
    const auto file = must(arrow::io::ReadableFile::Open(folder / "a.parquet"));
    const auto metadata = parquet::ReadMetaData(file);
    CHECK(metadata->num_row_groups() == 2);
    CHECK(metadata->RowGroup(0)->num_rows() == 1 << 20);
    const auto back = read_back(folder / "a.parquet");
    const auto& targets = dynamic_cast<const arrow::Int64Array&>(*back->GetColumnByName("target")->chunk(0));
    bool same = true;
    for (std::int64_t row = 0; row < rows; ++row) same = same && targets.Value(row) == (row + 1) % rows;
    CHECK(same);
}

TEST_CASE("lists beside all columns of a table, their types kept") {
    const Folder folder;
    for (const std::int64_t rows_a_group : {1, 3, 100}) {
        for (const std::string& kind : kinds) {
            CAPTURE(kind);
            write_parquet(folder / "in.parquet", *input_table(), rows_a_group);
            const auto table = read_back(folder / "in.parquet");
            InputSpec input;
            input.path = folder / "in.parquet";
            write_links({folder / kind, Layout::lists, true}, input, small_table(texts({"a", "b", "c", "d"})),
                        small_result());
            const auto back = read_back(folder / kind);
            CHECK(back->num_columns() == 4);
            for (int i = 0; i < 2; ++i) {
                // The form of a file has no room for a dictionary a batch.
                const auto& type = *table->schema()->field(i)->type();
                const bool plain = kind == "a.arrow" && type.id() == arrow::Type::DICTIONARY;
                CHECK(back->schema()->field(i)->type()->Equals(plain ? *arrow::utf8() : type));
                CHECK(text(back, table->schema()->field(i)->name()) ==
                      text(table, table->schema()->field(i)->name()));
            }
            CHECK(back->schema()->field(2)->type()->Equals(arrow::list(arrow::utf8())));
            CHECK(back->schema()->field(3)->type()->Equals(arrow::list(arrow::float32())));
            const auto& targets = dynamic_cast<const arrow::ListArray&>(*back->column(2)->chunk(0));
            CHECK(targets.value_offset(1) == 2);
            CHECK(targets.value_length(3) == 0);
            CHECK(targets.null_count() == 0);
            const auto& names = dynamic_cast<const arrow::StringArray&>(*targets.values());
            CHECK(names.GetString(0) == "b");
            CHECK(names.GetString(1) == "c");
            const auto metadata = back->schema()->metadata();
            CHECK(metadata->Get("origin").ValueOr("") == "a test");
            CHECK(metadata->Get("grouplink").ValueOr("") == io::metadata_json(small_result().report));
        }
    }
}

TEST_CASE("an input that has such columns already, or another number of rows") {
    const Folder folder;
    InputSpec input;
    input.path = folder / "in.parquet";
    const OutputSpec output{folder / "out.parquet", Layout::lists};
    for (const char* const name : {"targets", "weights"}) {
        write_parquet(input.path, *input_table(name), 100);
        const auto [code, message] = error_of([&] { check_output(output, input); });
        CHECK(code == ErrorCode::bad_input);
        CHECK(message.starts_with(input.path + ": has a column \"" + name + "\" already"));
    }
    write_parquet(input.path, *input_table()->Slice(1), 100);
    check_output(output, input);
    const auto [code, message] = error_of([&] { write_links(output, input, small_table(), small_result()); });
    CHECK(code == ErrorCode::bad_input);
    CHECK(message == input.path + ": has 3 rows now, but had 4 when it was read");
    CHECK(folder.files() == 1);
}

TEST_CASE("lists beside the rows of an array") {
    const Folder folder;
    for (const std::string& kind : kinds) {
        CAPTURE(kind);
        InputSpec input;
        input.path = "rows.npy";
        const auto columns = [&](const InputSpec& spec, IdColumn ids) {
            write_links({folder / kind, Layout::lists, true}, spec, small_table(std::move(ids)),
                        small_result());
            return read_back(folder / kind);
        };
        CHECK(columns(input, {})->ColumnNames() == std::vector<std::string>{"row", "targets", "weights"});
        input.groups_file = "topics.txt";
        const auto table = columns(input, std::vector<std::int64_t>{5, 6, 7, 8});
        CHECK(table->ColumnNames() == std::vector<std::string>{"row", "id", "group", "targets", "weights"});
        CHECK(text(table, "row") == "0\n1\n2\n3\n");
        CHECK(text(table, "id") == "5\n6\n7\n8\n");
        CHECK(text(table, "group") == "a\na\na\nnull\n");
        CHECK(table->schema()->GetFieldByName("targets")->type()->Equals(arrow::list(arrow::int64())));
    }
}

TEST_CASE("a graph of no rows") {
    const Folder folder;
    for (const std::string& kind : kinds) {
        CAPTURE(kind);
        Table table = small_table();
        table.vectors.rows = 0;
        InputSpec input;
        input.path = "rows.npy";
        for (const Layout layout : {Layout::edges, Layout::lists}) {
            write_links({folder / kind, layout, true}, input, table, {});
            CHECK(read_back(folder / kind)->num_rows() == 0);
        }
    }
}

TEST_CASE("what a callback throws comes out as it is") {
    const Folder folder;
    LinkResult result = small_result();
    Table table = small_table();
    constexpr std::int64_t rows = 4'000'000;
    table.vectors.rows = rows;
    result.graph.offsets.assign(rows + 1, 4);
    result.graph.offsets[0] = 0;
    InputSpec input;
    input.path = "rows.npy";
    JobControl control;
    control.on_progress = [](const Progress&) { throw std::out_of_range("mine"); };
    CHECK_THROWS_AS(write_links({folder / "a.parquet", Layout::lists}, input, table, result, control),
                    std::out_of_range);
    CHECK(folder.files() == 0);
}
