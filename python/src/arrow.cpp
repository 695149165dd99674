#include "arrow.hpp"

#include "arrow_columns.hpp"
#include "rows.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>

namespace grouplink::python {
namespace {

template <typename Structure>
Structure& held(const nb::capsule& capsule, const char* name) {
    void* pointer = PyCapsule_GetPointer(capsule.ptr(), name);
    if (!pointer) throw nb::python_error();
    return *static_cast<Structure*>(pointer);
}

/// Of a structure that a producer filled in, or not.
void check(const ArrowSchema& schema) {
    if (!schema.release || !schema.format)
        throw Error(ErrorCode::bad_input, "Arrow data: the schema was consumed before");
}

[[noreturn]] void fail_stream(ArrowArrayStream& stream, int code) {
    const char* text = stream.get_last_error ? stream.get_last_error(&stream) : nullptr;
    throw Error(ErrorCode::bad_input, fmt::format("Arrow stream: {}", text ? text : std::strerror(code)));
}

}  // namespace

std::shared_ptr<ArrowData> ArrowData::of_stream(nb::capsule capsule) {
    auto& given = held<ArrowArrayStream>(capsule, "arrow_array_stream");
    if (!given.release) throw Error(ErrorCode::bad_input, "Arrow stream: it was consumed before");
    Owned<ArrowArrayStream> stream;
    stream.take(given);
    auto data = std::make_shared<ArrowData>();
    // The producer may be Python itself, or wait for threads that need the GIL.
    const nb::gil_scoped_release released;
    if (const int code = stream.get()->get_schema(stream.get(), data->schema_.get()))
        fail_stream(*stream.get(), code);
    check(*data->schema_.get());
    while (true) {
        auto batch = std::make_unique<Owned<ArrowArray>>();
        if (const int code = stream.get()->get_next(stream.get(), batch->get()))
            fail_stream(*stream.get(), code);
        if (!batch->get()->release) return data;
        data->batches_.push_back(std::move(batch));
    }
}

std::shared_ptr<ArrowData> ArrowData::of_array(nb::capsule schema, nb::capsule array) {
    auto data = std::make_shared<ArrowData>();
    auto& given_schema = held<ArrowSchema>(schema, "arrow_schema");
    auto& given_array = held<ArrowArray>(array, "arrow_array");
    check(given_schema);
    if (!given_array.release) throw Error(ErrorCode::bad_input, "Arrow data: the array was consumed before");
    data->schema_.take(given_schema);
    data->batches_.push_back(std::make_unique<Owned<ArrowArray>>());
    data->batches_.back()->take(given_array);
    return data;
}

std::int64_t ArrowData::rows() const {
    std::int64_t rows = 0;
    for (const auto& batch : batches_) rows += batch->get()->length;
    return rows;
}

std::vector<std::string> ArrowData::names() const {
    std::vector<std::string> names;
    if (!is_table()) return names;
    for (std::int64_t i = 0; i < schema_.get()->n_children; ++i) {
        const char* name = schema_.get()->children[i]->name;
        names.emplace_back(name ? name : "");
    }
    return names;
}

const ArrowSchema& ArrowData::column_schema(std::size_t place) const {
    return is_table() ? *schema_.get()->children[place] : *schema_.get();
}

std::vector<ArrowChunk> ArrowData::column(std::size_t place) const {
    std::vector<ArrowChunk> chunks;
    for (const auto& owned : batches_) {
        const ArrowArray& batch = *owned->get();
        if (batch.length == 0) continue;
        if (!is_table()) {
            chunks.push_back({schema_.get(), &batch, batch.offset, batch.length});
            continue;
        }
        const ArrowArray& child = *batch.children[place];
        const bool nulls = batch.null_count != 0 && batch.n_buffers > 0 && batch.buffers[0];
        chunks.push_back({schema_.get()->children[place], &child, child.offset + batch.offset, batch.length,
                          nulls ? &batch : nullptr, batch.offset});
    }
    return chunks;
}

void bind_arrow(nb::module_& module) {
    nb::class_<ArrowData>(module, "ArrowData")
        .def_prop_ro("is_table", &ArrowData::is_table)
        .def_prop_ro("names", &ArrowData::names)
        .def("__len__", &ArrowData::rows)
        .def("is_vectors",
             [](const ArrowData& data, std::size_t place) { return is_vectors(data.column_schema(place)); })
        .def("type_name",
             [](const ArrowData& data, std::size_t place) { return type_name(data.column_schema(place)); });
    module.def("arrow_of_stream", &ArrowData::of_stream, nb::arg("stream"));
    module.def("arrow_of_array", &ArrowData::of_array, nb::arg("schema"), nb::arg("array"));
    module.def("rows_of_arrow", &rows_of_arrow, nb::arg("data"), nb::arg("place"));
    module.def("groups_of_arrow", &groups_of_arrow, nb::arg("data"), nb::arg("place"));
    module.def("ids_of_arrow", &ids_of_arrow, nb::arg("data"), nb::arg("place"));
}

}  // namespace grouplink::python
