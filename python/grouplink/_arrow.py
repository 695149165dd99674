"""Columns of anything that speaks the Arrow C data interface; pyarrow is not needed."""

from __future__ import annotations

import difflib
from typing import Any

from grouplink import _core


def arrow_of(data: Any) -> _core.ArrowData | None:
    """What an object gives through the Arrow PyCapsule protocol; None where it does not speak it.

    pandas does so by pyarrow alone, which may be missing; its objects are read as arrays.
    """
    if is_pandas(data):
        return None
    if hasattr(data, "__arrow_c_stream__"):
        return _core.arrow_of_stream(data.__arrow_c_stream__())
    if hasattr(data, "__arrow_c_array__"):
        return _core.arrow_of_array(*data.__arrow_c_array__())
    return None


def is_pandas(data: Any) -> bool:
    return type(data).__module__.partition(".")[0] == "pandas"


def place_of(names: list[str], name: str, what: str) -> int:
    """The place of a column."""
    if name in names:
        return names.index(name)
    near = difflib.get_close_matches(name, names, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f'{what}: there is no column "{name}"; there are {", ".join(names)}{meant}')


def vectors_place(data: _core.ArrowData, name: str | None) -> int:
    """The place of the embeddings: the column of that name, else the only one of lists of floats."""
    if not data.is_table:
        return 0
    names = data.names
    if name is not None:
        return place_of(names, name, "embedding")
    places = [place for place in range(len(names)) if data.is_vectors(place)]
    if len(places) == 1:
        return places[0]
    found = ", ".join(names[place] for place in places)
    columns = ", ".join(f"{names[place]} ({data.type_name(place)})" for place in range(len(names)))
    raise ValueError(
        f"embedding: got {len(places)} columns of float lists ({found}), name one of them"
        if places
        else f"embedding: no column of float lists among {columns}"
    )


def column_place(data: _core.ArrowData, what: str) -> int:
    """The place of the only column of what was given for groups or ids."""
    if data.is_table and len(data.names) != 1:
        raise ValueError(f"{what}: got a table of {len(data.names)} columns, wants one column")
    return 0
