"""Groups in any form, as the engine takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from grouplink import _core
from grouplink._arrow import arrow_of, column_place, is_pandas


def groups_of(groups: Any, rows: int) -> _core.Groups:
    """Takes groups as `grouplink.link` does; None is one group of all rows."""
    if groups is None:
        return _core.single_group(rows)
    if isinstance(groups, _core.Groups):
        return groups
    if is_pandas(groups):
        return _groups_of_pandas(groups)
    if isinstance(groups, np.ndarray):
        return _groups_of_array(groups)
    data = arrow_of(groups)
    if data is not None:
        return _core.groups_of_arrow(data, column_place(data, "groups"))
    if isinstance(groups, (str, bytes)):
        raise TypeError(
            f"groups: got {groups!r}, wants a group for each row; link_table takes names of columns"
        )
    return _core.groups_of_values(groups if isinstance(groups, (list, tuple)) else list(groups))


def _groups_of_pandas(groups: Any) -> _core.Groups:
    categories = getattr(groups, "cat", groups)
    if hasattr(categories, "codes") and hasattr(categories, "categories"):
        codes = np.ascontiguousarray(categories.codes, dtype=np.int64)
        return _core.groups_of_codes(codes, categories.categories.tolist())
    if not groups.hasnans:
        return _groups_of_array(groups.to_numpy())
    return _core.groups_of_values(groups.astype(object).where(groups.notna(), None).tolist())


def _groups_of_array(array: Any) -> _core.Groups:
    if array.ndim != 1:
        raise ValueError(f"groups: got an array of {array.ndim} dimensions, wants 1: a group for each row")
    if array.dtype.kind == "i" or (array.dtype.kind == "u" and array.dtype.itemsize < 8):
        return _core.groups_of_integers(np.ascontiguousarray(array, dtype=np.int64))
    return _core.groups_of_values(array.tolist())
