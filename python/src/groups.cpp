#include "groups.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace grouplink::python {
namespace {

std::string_view text_of(PyObject* value) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(value, &size);
    if (!text) throw nb::python_error();
    return {text, static_cast<std::size_t>(size)};
}

/// Strings, integers, booleans and None; a float NaN is what pandas and NumPy have for None.
GroupColumn groups_of_values(nb::sequence values) {
    GroupEncoder encoder;
    std::int64_t row = 0;
    for (nb::handle value : values) {
        PyObject* object = value.ptr();
        if (object == Py_None || (PyFloat_Check(object) && std::isnan(PyFloat_AS_DOUBLE(object)))) {
            encoder.push_null();
        } else if (PyUnicode_Check(object)) {
            encoder.push(text_of(object));
        } else if (PyBool_Check(object)) {
            encoder.push(object == Py_True ? "true" : "false");
        } else if (PyIndex_Check(object)) {
            const nb::object whole = nb::steal(PyNumber_Index(object));
            if (!whole.is_valid()) throw nb::python_error();
            int overflow = 0;
            const long long number = PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow);
            if (overflow != 0) {
                const nb::str digits(whole);
                encoder.push(text_of(digits.ptr()));
            } else {
                encoder.push(static_cast<std::int64_t>(number));
            }
        } else {
            throw nb::type_error(
                fmt::format("groups: row {} is a {}, wants str, int or None", row, Py_TYPE(object)->tp_name)
                    .c_str());
        }
        ++row;
    }
    return encoder.finish();
}

GroupColumn groups_of_integers(
    nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> values) {
    const nb::gil_scoped_release released;
    return encode_groups(std::span(values.data(), values.shape(0)));
}

/// codes[i] is a place in `keys`, or below 0 for no group. Keys may be alike, and are put in the order of
/// their first rows.
GroupColumn groups_of_codes(nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> codes,
                            nb::sequence keys) {
    const GroupColumn dictionary = groups_of_values(keys);
    constexpr std::int32_t unseen = -1;
    std::vector<std::int32_t> place(dictionary.keys.size(), unseen);
    GroupColumn groups;
    groups.codes.reserve(codes.shape(0));
    for (std::size_t row = 0; row < codes.shape(0); ++row) {
        const std::int64_t code = codes.data()[row];
        if (code >= std::ssize(dictionary.codes)) {
            throw Error(ErrorCode::bad_input,
                        fmt::format("groups: the code of row {} is {}, but must be below the {} keys", row,
                                    code, dictionary.codes.size()));
        }
        const std::int32_t key = code < 0 ? -1 : dictionary.codes[static_cast<std::size_t>(code)];
        if (key < 0) {
            groups.codes.push_back(-1);
            continue;
        }
        std::int32_t& at = place[static_cast<std::size_t>(key)];
        if (at == unseen) {
            at = static_cast<std::int32_t>(groups.keys.size());
            groups.keys.push_back(dictionary.keys[static_cast<std::size_t>(key)]);
        }
        groups.codes.push_back(at);
    }
    return groups;
}

}  // namespace

void bind_groups(nb::module_& module) {
    nb::class_<GroupColumn>(module, "Groups")
        .def("__len__", [](const GroupColumn& groups) { return groups.codes.size(); })
        .def_ro("keys", &GroupColumn::keys)
        .def_prop_ro("codes", [](nb::handle_t<GroupColumn> self) {
            auto& codes = nb::cast<GroupColumn&>(self).codes;
            return nb::ndarray<nb::numpy, std::int32_t, nb::ndim<1>>(codes.data(), {codes.size()}, self);
        });
    module.def("groups_of_values", &groups_of_values, nb::arg("values"));
    module.def("groups_of_integers", &groups_of_integers, nb::arg("values"));
    module.def("groups_of_codes", &groups_of_codes, nb::arg("codes"), nb::arg("keys"));
    module.def("single_group", &single_group, nb::arg("rows"));
}

}  // namespace grouplink::python
