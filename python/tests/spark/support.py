"""Tables, and what one machine makes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

import grouplink
from grouplink.spark import Limits, SparkLinks, link_dataframe

#: Of 12 components: groups of 40 rows are small, those of more than 150 giant.
LOW = Limits(small_work=12 * 40 * 39 / 2, task_work=12 * 150 * 149 / 2)


@dataclass(frozen=True)
class Table:
    """Rows in an order of no meaning; None stands for what a row has not."""

    ids: list[Any]
    groups: list[Any]
    vectors: list[Any]

    def sorted(self) -> Table:
        order = sorted(range(len(self.ids)), key=self.ids.__getitem__)
        return Table(*([column[i] for i in order] for column in (self.ids, self.groups, self.vectors)))

    def frame(self, spark: Any, components: pa.DataType | None = None) -> Any:
        id_type = pa.string() if isinstance(self.ids[0], str) else pa.int64()
        present = [group for group in self.groups if group is not None]
        group_type = pa.int64() if present and isinstance(present[0], int) else pa.string()
        table = pa.table(
            {
                "id": pa.array(self.ids, id_type),
                "site": pa.array(self.groups, group_type),
                "embedding": pa.array(self.vectors, pa.list_(components or pa.float32())),
            }
        )
        return spark.createDataFrame(table).repartition(3)


def make_table(seed: int = 0, dim: int = 12, giants: tuple[int, ...] = (400, 170)) -> Table:
    """Many tiny groups, some ordinary, one of each of `giants`; some rows equal, or equally near."""
    draw = np.random.default_rng(seed)
    sizes = [*draw.integers(1, 9, 40), 60, 90, 41, *giants]
    groups = [f"group {number}" for number, size in enumerate(sizes) for _ in range(size)]
    vectors = np.round(draw.normal(size=(len(groups), dim)) * 2) / 2
    vectors[draw.random(len(groups)) < 0.5] += draw.normal(size=dim) / 7
    vectors[:, 0] += 0.25  # none is all zeros
    again = draw.random(len(groups)) < 0.05
    vectors[again] = vectors[np.maximum(0, np.flatnonzero(again) - 1)]
    order = draw.permutation(len(groups))
    ids = draw.permutation(10 * len(groups))[: len(groups)]
    return Table(
        [int(ids[i]) for i in order],
        [groups[i] for i in order],
        [vectors[i].astype(np.float32).tolist() for i in order],
    )


def with_bad_rows(table: Table) -> Table:
    """The same with rows of each fault in groups of each size, and null groups."""
    draw = np.random.default_rng(1)
    vectors, groups = list(table.vectors), list(table.groups)
    dim = len(vectors[0])
    faults: list[Any] = [
        None,
        [],
        [1.0] * (dim + 1),
        [1.0] * (dim - 1) + [float("nan")],
        [float("inf")] * dim,
        [1.0, None, *[2.0] * (dim - 2)],
        [0.0] * dim,
    ]
    for row in np.flatnonzero(draw.random(len(vectors)) < 0.12):
        vectors[row] = faults[draw.integers(len(faults))]
    for row in np.flatnonzero(draw.random(len(vectors)) < 0.03):
        groups[row] = None
    return replace(table, vectors=vectors, groups=groups)


def on_one_machine(table: Table, components: Any = np.float32, **options: Any) -> grouplink.Links:
    rows = [
        None if v is None else np.array([np.nan if x is None else x for x in v], components)
        for v in table.vectors
    ]
    return grouplink.link(rows, table.groups, **options)


def lists_of(table: Table, links: grouplink.Links) -> dict[Any, tuple[list[Any], bytes]]:
    lists = {}
    for row, name in enumerate(table.ids):
        place = slice(links.offsets[row], links.offsets[row + 1])
        lists[name] = ([table.ids[target] for target in links.targets[place]], links.weights[place].tobytes())
    return lists


def collected(links: SparkLinks) -> dict[Any, tuple[list[Any], bytes]]:
    rows = links.lists().collect()
    lists = {row["id"]: (row["targets"], np.array(row["weights"], np.float32).tobytes()) for row in rows}
    assert len(lists) == len(rows)
    return lists


def check(spark: Any, table: Table, *, limits: Limits = LOW, **options: Any) -> SparkLinks:
    """Links on Spark are those of one machine, byte for byte, and so are their counts and cut."""
    wanted = on_one_machine(table.sorted(), **options)
    links = link_dataframe(
        table.frame(spark),
        embedding="embedding",
        group="site",
        id="id",
        limits=limits,
        parallelism=2,
        **options,
    )
    with links.persist():
        assert collected(links) == lists_of(table.sorted(), wanted)
        report = links.report()
    for name in ("rows", "row_status", "links_found", "links", "cut"):
        assert report[name] == wanted.report[name], name
    return links
