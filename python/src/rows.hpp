#pragma once

#include <grouplink/groups.hpp>
#include <grouplink/matrix.hpp>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace grouplink::python {

namespace nb = nanobind;

/// Embeddings as the engine takes them, and what keeps their memory.
struct Rows {
    MatrixView view;
    std::shared_ptr<const void> memory;  ///< of values that are no Python object
    nb::object owner;                    ///< the array that they were borrowed from
    std::vector<std::int64_t> offsets;   ///< of ragged rows, where they had to be made
    std::vector<std::uint8_t> valid;     ///< where some rows have no embedding
};

/// Borrows a matrix of float16, float32, float64 or int8.
Rows rows_of_array(nb::ndarray<nb::ro, nb::ndim<2>, nb::c_contig, nb::device::cpu> array);

/// Borrows the components of rows one behind another: row i has [offsets[i], offsets[i + 1]). `valid` has a
/// byte a row, 0 where there is no embedding.
Rows rows_of_parts(nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu> components,
                   nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> offsets,
                   nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> valid);

void bind_rows(nb::module_& module);

}  // namespace grouplink::python
