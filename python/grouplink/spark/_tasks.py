"""What the workers do: functions from Arrow batches to Arrow batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark import TaskContext

from grouplink import _core
from grouplink.spark._batches import (
    Ordered,
    in_order,
    lengths_of,
    list_array,
    one_array,
    rows_as_they_come,
    slices,
)
from grouplink.spark._options import Options

Batches = Iterable[pa.RecordBatch]
MapBatches = Callable[[Batches], Iterator[pa.RecordBatch]]


def _threads() -> int:
    """Cores that Spark gives to the task."""
    context = TaskContext.get()
    return context.cpus() if context else 1


def survey(options: Options) -> MapBatches:
    """Count rows by group, dimension, status and whether their id is null."""

    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        told = options.in_task(_threads())
        for batch in batches:
            status = _core.status_of_rows(rows_as_they_come(batch.column("vec")), told)
            table = pa.table(
                {
                    "grp": batch.column("grp"),
                    "dim": pa.array(lengths_of(batch.column("vec"))),
                    "status": pa.array(status.astype(np.int32)),
                    "null_key": batch.column("null_key"),
                }
            )
            counts = table.group_by(["grp", "dim", "status", "null_key"]).aggregate([([], "count_all")])
            yield from counts.rename_columns(["grp", "dim", "status", "null_key", "rows"]).to_batches()

    return task


def statuses(options: Options) -> MapBatches:
    """What is wrong with each row by itself, besides its id, group and dimension."""

    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        told = options.in_task(_threads())
        for batch in batches:
            status = _core.status_of_rows(rows_as_they_come(batch.column("vec")), told)
            yield pa.RecordBatch.from_pydict(
                {
                    "key": batch.column("key"),
                    "grp": batch.column("grp"),
                    "dim": pa.array(lengths_of(batch.column("vec"))),
                    "status": pa.array(status.astype(np.int32)),
                }
            )

    return task


def small(options: Options) -> MapBatches:
    """Link many groups at once."""

    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        ordered = in_order(batches)
        if ordered is not None:
            yield from _whole_groups(ordered, options)

    return task


def ordinary(options: Options) -> Callable[[pa.Table], pa.Table]:
    """Link one group."""

    def task(table: pa.Table) -> pa.Table:
        ordered = in_order(table.select(["key", "grp", "vec"]).to_batches())
        assert ordered is not None
        return pa.Table.from_batches(_whole_groups(ordered, options))

    return task


def _whole_groups(ordered: Ordered, options: Options) -> Iterator[pa.RecordBatch]:
    found = _core.find(ordered.rows, ordered.groups(), options.in_task(_threads()))
    links = found.finish()
    keys, groups = ordered.keys, one_array(ordered.table["grp"])
    offsets, weights = links.offsets, pa.array(links.weights)
    cut = _core.cut_of(links) if options.cut_is_of_group and len(found.targets) else None
    # Weights before a link mode, for the quantile of all: which row has them does not matter.
    found_weights = pa.array(found.weights)
    found_offsets = np.pad(found.offsets, (0, len(keys) - len(found.rows)), "edge")
    for rows in slices(len(keys)):
        count = rows.stop - rows.start
        at = offsets[rows.start : rows.stop + 1]
        told = list_array(found_weights, found_offsets[rows.start : rows.stop + 1])
        yield pa.RecordBatch.from_pydict(
            {
                "grp": groups[rows.start : rows.stop],
                "key": keys[rows.start : rows.stop],
                "targets": list_array(keys.take(pa.array(links.targets[at[0] : at[-1]])), at - at[0]),
                "weights": list_array(weights, at),
                "cut": pa.array([cut] * count, pa.float64()),
                "found": told if options.cut_is_global else pa.nulls(count, told.type),
            }
        )


def tiles(options: Options) -> MapBatches:
    """Find the nearest rows of each row among those of some tiles of a group.

    Two rows of one tile meet in every task that has it; the task of slope 0 tells of them.
    """

    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        ordered = in_order(batches)
        if ordered is not None:
            found = _core.find(ordered.rows, ordered.groups(), options.in_tile(_threads()))
            yield from _candidates(ordered, found)

    return task


def _candidates(ordered: Ordered, found: _core.FoundLinks) -> Iterator[pa.RecordBatch]:
    table = ordered.table
    keys, groups, dims = ordered.keys, one_array(table["grp"]), one_array(table["dim"])
    tile = one_array(table["tile"]).to_numpy()
    tells_own = pc.equal(one_array(table["slope"]), 0).to_numpy(zero_copy_only=False)
    source = np.repeat(found.rows, np.diff(found.offsets))
    told = tells_own[source] | (tile[source] != tile[found.targets])
    counts = np.bincount(source[told], minlength=len(keys))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    # The rows of one group stand in their order, as the lists do.
    targets = found.targets[told]
    distances = pa.array(found.distances[told])
    for rows in slices(len(keys)):
        at = offsets[rows.start : rows.stop + 1]
        yield pa.RecordBatch.from_pydict(
            {
                "grp": groups[rows.start : rows.stop],
                "key": keys[rows.start : rows.stop],
                "dim": dims[rows.start : rows.stop],
                "targets": list_array(keys.take(pa.array(targets[at[0] : at[-1]])), at - at[0]),
                "distances": list_array(distances, at),
            }
        )
