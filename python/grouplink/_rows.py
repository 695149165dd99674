"""Embeddings in any form, as the engine takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from grouplink import _core
from grouplink._arrow import arrow_of, vectors_place

_DTYPES = (np.float16, np.float32, np.float64, np.int8)


def rows_of(vectors: Any) -> _core.Rows:
    """Takes embeddings as `grouplink.link` does; without a copy where they can be read as they lie."""
    if isinstance(vectors, _core.Rows):
        return vectors
    if isinstance(vectors, np.ndarray) and vectors.dtype != object:
        return _rows_of_array(vectors)
    data = arrow_of(vectors)
    if data is not None:
        return _core.rows_of_arrow(data, vectors_place(data, None))
    if hasattr(vectors, "__array__") and not isinstance(vectors, np.ndarray):
        vectors = np.asarray(vectors)  # a tensor, or a column of pandas
        if vectors.dtype != object:
            return _rows_of_array(vectors)
    return _rows_of_sequence(vectors)


def _rows_of_array(array: npt.NDArray[Any]) -> _core.Rows:
    if array.ndim != 2:
        raise ValueError(f"vectors: got an array of {array.ndim} dimensions, wants 2: rows x components")
    return _core.rows_of_array(_plain(array))


def _plain(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """C-contiguous, in the byte order of the machine; the array itself where it is that already."""
    if array.dtype.newbyteorder("=") not in _DTYPES:
        raise TypeError(
            f"vectors: got components of {array.dtype}, wants float16, float32, float64 or int8; "
            "convert them with .astype(numpy.float32)"
        )
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _rows_of_sequence(vectors: Iterable[Any]) -> _core.Rows:
    """Of a list of arrays, lists or None, which may be ragged: copied into one array."""
    parts = [None if _is_null(row) else np.asarray(row) for row in vectors]
    present = [part for part in parts if part is not None and part.size > 0]
    for number, part in enumerate(parts):
        if part is not None and part.ndim != 1:
            raise ValueError(f"vectors: row {number} has {part.ndim} dimensions, wants 1: its components")
    dtype: np.dtype[Any] = np.result_type(*present) if present else np.dtype(np.float32)
    if dtype.kind in "iu" and dtype != np.int8:
        dtype = np.dtype(np.float64)  # of a list of Python's integers
    components = _plain(np.concatenate(present).astype(dtype) if present else np.empty(0, np.float32))
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([0 if part is None else part.size for part in parts], out=offsets[1:])
    valid = np.array([part is not None for part in parts], np.uint8)
    return _core.rows_of_parts(components, offsets, valid)


def _is_null(row: Any) -> bool:
    return row is None or (isinstance(row, float) and row != row)
