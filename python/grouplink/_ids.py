"""Names of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from grouplink import _core
from grouplink._arrow import arrow_of, column_place


def ids_of(ids: Any, rows: int) -> npt.NDArray[Any] | None:
    """An array of int64 or of str objects, one a row; None where there are none."""
    if ids is None:
        return None
    data = arrow_of(ids)
    if data is not None:
        ids = _core.ids_of_arrow(data, column_place(data, "ids"))
    array = as_ids(ids)
    if len(array) != rows:
        raise ValueError(f"ids: got {len(array)} for {rows} rows of vectors; there must be one a row")
    return array


def as_ids(ids: Any) -> npt.NDArray[Any]:
    array = ids.to_numpy() if hasattr(ids, "to_numpy") else ids
    if isinstance(array, np.ndarray) and array.dtype.kind in "iu":
        return array
    values = list(array)
    if all(isinstance(value, (int, np.integer)) for value in values):
        return np.array(values, np.int64)
    for row, value in enumerate(values):
        if not isinstance(value, str):
            raise TypeError(f"ids: row {row} is {value!r}, wants str throughout, or int throughout")
    names = np.empty(len(values), object)
    names[:] = values
    return names
