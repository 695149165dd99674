#include "io/ipc_messages.hpp"
#include "io/outputs.hpp"

#include <arrow/api.h>
#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>

#include <cmath>
#include <span>

using namespace grouplink;

namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;
using Row = std::optional<std::vector<std::optional<float>>>;

template <typename Builder, typename Values>
ArrayPointer array_of(const Values& values) {
    Builder builder;
    for (const auto& value : values) {
        REQUIRE((value ? builder.Append(*value) : builder.AppendNull()).ok());
    }
    return builder.Finish().ValueOrDie();
}

/// A list column of float32; `dim` of a fixed size, 0 for lists of any.
ArrayPointer lists_of(const std::vector<Row>& rows, int dim) {
    auto values = std::make_shared<arrow::FloatBuilder>();
    const auto fill = [&](auto& builder) {
        for (const Row& row : rows) {
            if (!row) {
                REQUIRE(builder.AppendNull().ok());
                continue;
            }
            REQUIRE(builder.Append().ok());
            for (const auto& value : *row)
                REQUIRE((value ? values->Append(*value) : values->AppendNull()).ok());
        }
        return builder.Finish().ValueOrDie();
    };
    if (dim > 0) {
        arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), values, dim);
        return fill(builder);
    }
    arrow::ListBuilder builder(arrow::default_memory_pool(), values);
    return fill(builder);
}

void write(const std::string& path, const std::vector<std::pair<std::string, ArrayPointer>>& columns) {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const auto& [name, array] : columns) {
        fields.push_back(arrow::field(name, array->type()));
        arrays.push_back(array);
    }
    const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
    const auto sink = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    if (!path.ends_with(".parquet")) {
        const bool stream = path.ends_with(".arrows");
        const auto writer = (stream ? arrow::ipc::MakeStreamWriter(sink, table->schema())
                                    : arrow::ipc::MakeFileWriter(sink, table->schema()))
                                .ValueOrDie();
        REQUIRE(writer->WriteTable(*table, 2).ok());
        REQUIRE(writer->Close().ok());
        REQUIRE(sink->Close().ok());
        return;
    }
    const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    // Row groups of two rows, so that columns come in several parts.
    REQUIRE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 2,
                                       parquet::default_writer_properties(), properties)
                .ok());
    REQUIRE(sink->Close().ok());
}

std::vector<float> row_of(const Table& table, std::int64_t row) {
    const auto* values = static_cast<const float*>(table.vectors.row(row));
    return {values, values + table.vectors.row_dim(row)};
}

std::string error_of(const InputSpec& input) {
    const auto [code, message] = test::error_of([&] { read_table(input); });
    CHECK(code == ErrorCode::bad_input);
    CHECK(message.find('\n') == std::string::npos);
    return message;
}

const std::vector<std::string> kinds{"t.parquet", "t.arrow", "t.arrows"};

const std::vector<Row> even{{{1, 2}}, {{3, 4}}, {{5, 6}}, {{7, 8}}, {{9, 10}}};

}  // namespace

TEST_CASE("lists of one length are dense, of any list type") {
    const test::Folder folder;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        for (const int dim : {0, 2}) {
            write(folder / file, {{"v", lists_of(even, dim)}});
            const Table table = read_table({.path = folder / file});
            CHECK(table.vectors.rows == 5);
            CHECK(table.vectors.dim == 2);
            CHECK(table.vectors.offsets == nullptr);
            CHECK(table.vectors.valid == nullptr);
            CHECK(row_of(table, 4) == std::vector<float>{9, 10});
        }
    }
}

TEST_CASE("slices of a column are read as what they show") {
    const test::Folder folder;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        write(folder / file, {{"v", lists_of(even, 2)->Slice(1, 3)}});
        const Table table = read_table({.path = folder / file});
        CHECK(table.vectors.rows == 3);
        CHECK(row_of(table, 0) == std::vector<float>{3, 4});
    }
}

TEST_CASE("rows of several lengths are ragged") {
    const test::Folder folder;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        write(folder / file,
              {{"v", lists_of({{{1, 2}}, {{3, 4}}, {{5}}, Row(std::in_place), {{6, 7, 8}}}, 0)}});
        const Table table = read_table({.path = folder / file});
        REQUIRE(table.vectors.offsets != nullptr);
        CHECK(row_of(table, 1) == std::vector<float>{3, 4});
        CHECK(row_of(table, 2) == std::vector<float>{5});
        CHECK(row_of(table, 3).empty());
        CHECK(row_of(table, 4) == std::vector<float>{6, 7, 8});
    }
}

TEST_CASE("null rows are marked, dense or not") {
    const test::Folder folder;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        for (const int dim : {0, 2}) {
            write(folder / file,
                  {{"v", lists_of({std::nullopt, {{1, 2}}, {{3, 4}}, std::nullopt, {{5, 6}}}, dim)}});
            const Table table = read_table({.path = folder / file});
            CHECK((table.vectors.offsets == nullptr) == (dim > 0));
            REQUIRE(table.vectors.valid != nullptr);
            for (const std::int64_t row : {0, 1, 2, 3, 4})
                CHECK(table.vectors.has_row(row) == (row != 0 && row != 3));
            CHECK(row_of(table, 2) == std::vector<float>{3, 4});
            CHECK(row_of(table, 4) == std::vector<float>{5, 6});
        }
    }
}

TEST_CASE("a missing component is NaN") {
    const test::Folder folder;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        for (const int dim : {0, 2}) {
            write(folder / file, {{"v", lists_of({{{1, 2}}, {{std::nullopt, 4}}, {{5, 6}}}, dim)}});
            const Table table = read_table({.path = folder / file});
            CHECK(std::isnan(row_of(table, 1)[0]));
            CHECK(row_of(table, 1)[1] == 4.0F);
            CHECK(row_of(table, 2) == std::vector<float>{5, 6});
        }
    }
}

TEST_CASE("groups and ids of every kind") {
    const test::Folder folder;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        using Texts = std::vector<std::optional<std::string>>;
        using Numbers = std::vector<std::optional<std::int64_t>>;
        const auto texts = array_of<arrow::StringBuilder>(Texts{"a", "b", std::nullopt, "a", ""});
        const auto numbers = array_of<arrow::Int64Builder>(Numbers{5, 4, 3, 2, -1});
        const auto coded = array_of<arrow::StringDictionaryBuilder>(Texts{"p", "q", "p", std::nullopt, "r"});
        write(folder / file, {{"v", lists_of(even, 2)}, {"t", texts}, {"n", numbers}, {"d", coded}});
        const auto read = [&](const std::string& group, const std::string& id = "") {
            return read_table({.path = folder / file, .group = group, .id = id});
        };
        CHECK(read("t").groups.codes == std::vector<std::int32_t>{0, 1, -1, 0, 2});
        CHECK(read("t").groups.keys == std::vector<std::string>{"a", "b", ""});
        CHECK(read("n").groups.keys == std::vector<std::string>{"5", "4", "3", "2", "-1"});
        CHECK(read("d").groups.codes == std::vector<std::int32_t>{0, 1, 0, -1, 2});
        const IdColumn ids = read("n", "n").ids;
        CHECK(std::get<std::vector<std::int64_t>>(ids) == std::vector<std::int64_t>{5, 4, 3, 2, -1});
        const std::string path = folder / file;
        CHECK(error_of({.path = path, .id = "t"}) ==
              path + ": column \"t\": row 2 is null; give each row an id");
        CHECK(error_of({.path = path, .group = "m"}).find("has no column \"m\"") != std::string::npos);
        CHECK(error_of({.path = path, .group = "v"}).find("groups are strings or integers") !=
              std::string::npos);
        CHECK(error_of({.path = path, .embedding = "t"}).find("these can: \"v\"") != std::string::npos);
    }
}

TEST_CASE("texts of some rows, across the parts of a table") {
    const test::Folder folder;
    using Text = std::optional<std::string>;
    using Number = std::optional<std::int64_t>;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        write(folder / file,
              {{"v", lists_of(even, 2)},
               {"text", array_of<arrow::StringBuilder>(std::vector<Text>{"a", "b", std::nullopt, "", "e"})},
               {"number", array_of<arrow::Int64Builder>(std::vector<Number>{1, 2, 3, 4, -5})}});
        const auto texts_of = [&](const std::string& column, const std::vector<std::int64_t>& rows) {
            const InputSpec input{.path = folder / file, .text = column};
            check_texts(input, 5);
            const StringColumn read = read_texts(input, rows);
            std::vector<std::string> texts;
            for (std::int64_t i = 0; i < read.size(); ++i) texts.emplace_back(read[i]);
            return texts;
        };
        using Texts = std::vector<std::string>;
        CHECK(texts_of("text", {0, 1, 2, 3, 4}) == Texts{"a", "b", "", "", "e"});
        CHECK(texts_of("text", {1, 4}) == Texts{"b", "e"});
        CHECK(texts_of("number", {3, 4}) == Texts{"4", "-5"});
        CHECK(test::error_of([&] { texts_of("v", {}); }).second.find("texts are strings or integers") !=
              std::string::npos);
        CHECK(test::error_of([&] { texts_of("txt", {}); }).second.find("did you mean \"text\"?") !=
              std::string::npos);
    }
}

TEST_CASE("the embedding is named where more than one column could be it") {
    const test::Folder folder;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        write(folder / file, {{"v", lists_of(even, 2)}, {"w", lists_of(even, 0)}});
        CHECK(error_of({.path = folder / file}).find("\"v\" and \"w\"") != std::string::npos);
        CHECK(read_table({.path = folder / file, .embedding = "w"}).vectors.rows == 5);
        write(folder / file,
              {{"n", array_of<arrow::Int64Builder>(std::vector<std::optional<std::int64_t>>{1})}});
        CHECK(error_of({.path = folder / file}).find("no column is a list") != std::string::npos);
    }
}

TEST_CASE("every cut of a file is an error in one line") {
    const test::Folder folder;
    write(folder / "t.parquet", {{"v", lists_of(even, 2)}});
    const std::string whole = test::read(folder / "t.parquet");
    for (std::size_t size = 0; size < whole.size(); size += 13) {
        test::put(folder / "cut.parquet", whole.substr(0, size));
        error_of({.path = folder / "cut.parquet"});
        test::put(folder / "cut.parquet", whole.substr(0, size) + "PAR1");
        error_of({.path = folder / "cut.parquet"});
    }
    test::put(folder / "cut.parquet", "this is not a table\n");
    CHECK(error_of({.path = folder / "cut.parquet"}).find("does not begin with PAR1") != std::string::npos);
}

TEST_CASE("what inspect tells of a table") {
    const test::Folder folder;
    for (const std::string& file : kinds) {
        CAPTURE(file);
        write(folder / file, {{"v", lists_of({{{1, 2}}, std::nullopt, {{3}}}, 0)},
                              {"w", lists_of({{{1, 2}}, std::nullopt, {{3, 4}}}, 2)}});
        const FileInfo info = inspect_file(folder / file);
        CHECK(info.rows == 3);
        REQUIRE(info.columns.size() == 2);
        CHECK(info.columns[0].type == "list<float32>");
        CHECK(info.columns[0].dims == std::pair<std::int64_t, std::int64_t>(1, 2));
        CHECK(info.columns[1].type == "fixed_size_list<float32>[2]");
        for (const ColumnInfo& column : info.columns) {
            CHECK(column.nulls == 1);
            CHECK(column.embedding);
        }
    }
}

TEST_CASE("every cut of Arrow IPC is an error in one line") {
    const test::Folder folder;
    for (const char* const kind : {"arrow", "arrows"}) {
        const std::string path = folder / (std::string("t.") + kind);
        const std::string cut = folder / (std::string("cut.") + kind);
        write(path, {{"v", lists_of(even, 2)}});
        const std::string whole = test::read(path);
        for (std::size_t size = 0; size < whole.size(); size += 8) {
            CAPTURE(size);
            test::put(cut, whole.substr(0, size));
            error_of({.path = cut});
            test::put(cut, whole.substr(0, size) + "ARROW1");
            error_of({.path = cut});
        }
        test::put(cut, "this is not a table\n");
        CHECK(error_of({.path = cut}).find("is no Arrow file") != std::string::npos);
        test::put(cut, "FEA1 and so on");
        CHECK(error_of({.path = cut}).find("Feather version 1") != std::string::npos);
    }
    write(folder / "t.arrows", {{"v", lists_of(even, 2)}});
    const std::string one = test::read(folder / "t.arrows");
    test::put(folder / "two.arrows", one + one);
    CHECK(error_of({.path = folder / "two.arrows"}).find("after the end of its stream") != std::string::npos);
}

TEST_CASE("Arrow IPC that was changed anywhere is read or refused") {
    const test::Folder folder;
    using Texts = std::vector<std::optional<std::string>>;
    for (const char* const kind : {"arrow", "arrows"}) {
        const std::string path = folder / (std::string("t.") + kind);
        write(path, {{"v", lists_of({{{1, 2}}, {{3, 4}}, std::nullopt, {{5, 6, 7}}}, 0)},
                     {"t", array_of<arrow::StringBuilder>(Texts{"a", "b", std::nullopt, "a"})},
                     {"d", array_of<arrow::StringDictionaryBuilder>(Texts{"p", "q", "p", "q"})}});
        const std::string whole = test::read(path);
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (const int mask : {1, 0x80, 0xFF}) {
                std::string changed = whole;
                changed[at] = static_cast<char>(changed[at] ^ mask);
                test::put(path, changed);
                try {
                    (void)read_table({.path = path, .group = "t", .id = "d"});
                    (void)inspect_file(path);
                } catch (const Error& error) {
                    CHECK(error.code() == ErrorCode::bad_input);
                    CHECK(std::string_view(error.what()).find('\n') == std::string_view::npos);
                }
            }
        }
    }
}

TEST_CASE("an Arrow file is what its footer lists, whatever stands before") {
    const test::Folder folder;
    using Texts = std::vector<std::optional<std::string>>;
    write(folder / "t.arrow",
          {{"v", lists_of(even, 2)},
           {"d", array_of<arrow::StringDictionaryBuilder>(Texts{"p", "q", "p", "q", "r"})}});
    const std::string file = test::read(folder / "t.arrow");
    const std::vector<std::int64_t> offsets = io::messages_of(arrow::Buffer(file), "t.arrow").offsets;
    REQUIRE(offsets.size() > 1);

    const auto with_offsets = [&](auto change) {
        std::string changed = file;
        for (const std::int64_t offset : offsets) {
            const std::int64_t now = change(offset);
            const std::size_t at = changed.rfind(std::string(reinterpret_cast<const char*>(&offset), 8));
            REQUIRE(at != std::string::npos);
            changed.replace(at, 8, reinterpret_cast<const char*>(&now), 8);
        }
        return changed;
    };
    const Table before = read_table({.path = folder / "t.arrow", .id = "d"});
    InputSpec input{.path = folder / "other.arrow", .id = "d"};
    for (const std::string& filling : {std::string(56, '\0'), std::string(72, 'x')}) {
        const std::int64_t more = std::ssize(filling);
        std::string padded = with_offsets([more](std::int64_t offset) { return offset + more; });
        padded.insert(8, filling);
        test::put(input.path, padded);
        const Table after = read_table(input);
        REQUIRE(after.vectors.rows == before.vectors.rows);
        for (std::int64_t row = 0; row < before.vectors.rows; ++row)
            CHECK(row_of(after, row) == row_of(before, row));
        CHECK(std::get<StringColumn>(after.ids).bytes == std::get<StringColumn>(before.ids).bytes);
    }
    for (const std::int64_t offset :
         {std::int64_t{0}, std::int64_t{-8}, std::int64_t{1} << 40, std::ssize(file) - 8}) {
        CAPTURE(offset);
        test::put(input.path, with_offsets([offset](std::int64_t) { return offset; }));
        error_of(input);
    }
}
