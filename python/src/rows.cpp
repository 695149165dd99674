#include "rows.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace grouplink::python {
namespace {

ElementType element_type(nb::dlpack::dtype type) {
    const auto is = [&](nb::dlpack::dtype_code code, int bits) {
        return type.code == static_cast<std::uint8_t>(code) && type.bits == bits && type.lanes == 1;
    };
    if (is(nb::dlpack::dtype_code::Float, 16)) return ElementType::float16;
    if (is(nb::dlpack::dtype_code::Float, 32)) return ElementType::float32;
    if (is(nb::dlpack::dtype_code::Float, 64)) return ElementType::float64;
    if (is(nb::dlpack::dtype_code::Int, 8)) return ElementType::int8;
    throw nb::type_error("vectors: wants components of float16, float32, float64 or int8");
}

}  // namespace

Rows rows_of_array(nb::ndarray<nb::ro, nb::ndim<2>, nb::c_contig, nb::device::cpu> array) {
    Rows rows;
    rows.view = {.values = array.data(),
                 .type = element_type(array.dtype()),
                 .rows = static_cast<std::int64_t>(array.shape(0)),
                 .dim = static_cast<std::int64_t>(array.shape(1))};
    rows.owner = nb::cast(array);
    return rows;
}

Rows rows_of_parts(nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu> components,
                   nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> offsets,
                   nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> valid) {
    const auto count = static_cast<std::int64_t>(valid.shape(0));
    const auto size = static_cast<std::int64_t>(components.shape(0));
    Rows rows;
    rows.offsets.assign(offsets.data(), offsets.data() + offsets.shape(0));
    rows.valid.assign(valid.data(), valid.data() + valid.shape(0));
    if (std::ssize(rows.offsets) != count + 1 || rows.offsets.front() < 0 || rows.offsets.back() > size ||
        !std::is_sorted(rows.offsets.begin(), rows.offsets.end())) {
        throw Error(
            ErrorCode::bad_input,
            fmt::format("vectors: {} offsets for {} rows of {} components; they must rise from 0 to there",
                        rows.offsets.size(), count, size));
    }
    rows.view = {.values = components.data(),
                 .type = element_type(components.dtype()),
                 .rows = count,
                 .offsets = rows.offsets.data(),
                 .valid = rows.valid.data()};
    rows.owner = nb::cast(components);
    return rows;
}

void bind_rows(nb::module_& module) {
    nb::class_<Rows>(module, "Rows")
        .def("__len__", [](const Rows& rows) { return rows.view.rows; })
        .def_prop_ro("dim", [](const Rows& rows) { return rows.view.offsets ? 0 : rows.view.dim; })
        .def_prop_ro("address",
                     [](const Rows& rows) { return reinterpret_cast<std::uintptr_t>(rows.view.values); })
        .def_prop_ro("dtype", [](const Rows& rows) {
            switch (rows.view.type) {
                case ElementType::float16: return "float16";
                case ElementType::float32: return "float32";
                case ElementType::float64: return "float64";
                case ElementType::int8: break;
            }
            return "int8";
        });
    module.def("rows_of_array", &rows_of_array, nb::arg("array"));
    module.def("rows_of_parts", &rows_of_parts, nb::arg("components"), nb::arg("offsets"), nb::arg("valid"));
}

}  // namespace grouplink::python
