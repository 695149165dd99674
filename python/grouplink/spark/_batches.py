"""Arrow batches of rows to what the engine takes, in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from grouplink import _core

ROWS_A_BATCH = 8192


@dataclass
class Ordered:
    """Rows by id, ascending.

    Attributes
    ----------
    table : pyarrow.Table
        All columns but `vec`.
    rows : grouplink._core.Rows
    """

    table: pa.Table
    rows: _core.Rows

    @property
    def keys(self) -> pa.Array:
        return one_array(self.table["key"])

    def groups(self) -> _core.Groups:
        column = one_array(self.table["grp"]).dictionary_encode()
        codes = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        return _core.groups_of_codes(codes, column.dictionary.to_pylist())


def one_array(column: Any) -> pa.Array:
    """Of a column in chunks."""
    joined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(joined, pa.ChunkedArray):  # of no chunks, or past what one array holds
        return pa.concat_arrays(joined.chunks) if joined.num_chunks else pa.array([], joined.type)
    return joined


def components_of(lists: pa.Array) -> npt.NDArray[Any]:
    """Components of all rows one behind another; a null is a NaN, which no row may have."""
    values = lists.flatten()
    if values.null_count:
        values = pc.fill_null(values, float("nan"))
    array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return array


def lengths_of(lists: Any) -> npt.NDArray[np.int64]:
    """Components of each row, 0 where it has no embedding."""
    lengths = one_array(pc.fill_null(pc.list_value_length(lists), 0))
    array: npt.NDArray[np.int64] = lengths.to_numpy(zero_copy_only=False).astype(np.int64)
    return array


def rows_as_they_come(lists: pa.Array) -> _core.Rows:
    """Rows in the order of the array."""
    lengths = lengths_of(lists)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return _core.rows_of_parts(components_of(lists), offsets, (lengths > 0).astype(np.uint8))


def in_order(batches: Iterable[pa.RecordBatch]) -> Ordered | None:
    """Put rows in the order of their ids; None where there are none.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Columns `key`, `grp`, `vec` and any others. Where `dim` is one of them, rows of another length are
        taken for rows without an embedding.

    Raises
    ------
    ValueError
        When an id stands at two rows of a group.
    """
    parts = [batch for batch in batches if batch.num_rows > 0]
    if not parts:
        return None
    names = [name for name in parts[0].schema.names if name != "vec"]
    table = pa.Table.from_batches([part.select(names) for part in parts])
    lists = [part.column("vec") for part in parts]
    parts.clear()
    order = pc.sort_indices(table["key"]).to_numpy()
    lengths = np.concatenate([lengths_of(chunk) for chunk in lists])
    wanted = lengths == table["dim"].to_numpy() if "dim" in names else lengths > 0
    table = table.take(pa.array(order))
    _check_distinct(table)
    return Ordered(table, _rows_in_order(lists, lengths, wanted, order))


def _rows_in_order(
    lists: list[pa.Array],
    lengths: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.bool_],
    order: npt.NDArray[Any],
) -> _core.Rows:
    """Each chunk is let go of when its components are copied."""
    kept = np.where(wanted, lengths, 0)
    starts = np.empty(len(order) + 1, np.int64)  # where the components of each row go, rows as they came
    offsets = np.concatenate([[0], np.cumsum(kept[order])])
    starts[order] = offsets[:-1]
    dtype = np.float64 if lists[0].type.value_type == pa.float64() else np.float32
    components = np.empty(int(offsets[-1]), dtype)
    row = 0
    lists.reverse()
    while lists:
        chunk = lists.pop()
        count = len(chunk)
        _scatter(
            components_of(chunk),
            lengths[row : row + count],
            wanted[row : row + count],
            starts[row : row + count],
            components,
        )
        row += count
    return _core.rows_of_parts(components, offsets, wanted[order].astype(np.uint8))


def _scatter(
    values: npt.NDArray[Any],
    lengths: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.int64],
    out: npt.NDArray[Any],
) -> None:
    """Copy the wanted rows, which stand one behind another in `values`, to where they start in `out`."""
    firsts = np.cumsum(lengths) - lengths
    for dim in np.unique(lengths[wanted]):
        rows = np.flatnonzero(wanted & (lengths == dim))
        within = np.arange(dim)
        if dim * len(lengths) == len(values) and (starts[rows] % dim == 0).all() and len(out) % dim == 0:
            out.reshape(-1, dim)[starts[rows] // dim] = values.reshape(-1, dim)[rows]
        else:
            out[starts[rows, None] + within] = values[firsts[rows, None] + within]


def _check_distinct(table: pa.Table) -> None:
    keys = one_array(table["key"])
    if len(keys) < 2 or not pc.any(pc.equal(keys[1:], keys[:-1])).as_py():
        return
    counts = table.filter(pc.is_valid(table["grp"])).group_by(["grp", "key"]).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1))
    if repeated.num_rows:
        first = repeated.slice(0, 1).to_pylist()[0]
        raise ValueError(
            f"id: {first['key']!r} stands at {first['count_all']} rows of group {first['grp']!r}; ids must "
            "be distinct within a group, for they put its rows in order"
        )


def list_array(values: pa.Array, offsets: npt.NDArray[Any]) -> pa.Array:
    """Lists over values[offsets[0]], ...; offsets must fit in 32 bits once the first is taken off."""
    first, last = int(offsets[0]), int(offsets[-1])
    return pa.ListArray.from_arrays(
        pa.array((offsets - first).astype(np.int32)), values.slice(first, last - first)
    )


def slices(rows: int) -> Iterator[slice]:
    """Ranges of a moderate number of rows."""
    for first in range(0, rows, ROWS_A_BATCH):
        yield slice(first, min(first + ROWS_A_BATCH, rows))
