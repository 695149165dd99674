"""What is said of rows that cannot be linked, in the words of the engine."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F
from pyspark.sql import types as T

from grouplink import ROW_STATUSES
from grouplink.spark import _tasks
from grouplink.spark._columns import Rows
from grouplink.spark._options import Options
from grouplink.spark._survey import Survey, group_sizes

_NAMED = 3  # rows of a status, as many as a message names


def describe(rows: Rows, options: Options, survey: Survey) -> str:
    """One line: how many rows there are of each status, and the first of them.

    Rows are numbered from 0 in the order of their ids. It takes some more jobs, which nobody waits for but
    one who has bad rows.
    """
    looked = rows.frame.mapInArrow(
        _tasks.statuses(options),
        T.StructType()
        .add("key", rows.key_type)
        .add("grp", rows.group_type)
        .add("dim", T.LongType())
        .add("status", T.IntegerType()),
    )
    dims = group_sizes(rows, options).select(F.col("grp").alias("of"), F.col("dim").alias("group_dim"))
    number = {name: ROW_STATUSES.index(name) for name in ROW_STATUSES}
    judged = looked.join(dims, F.col("grp") == F.col("of"), "left").withColumn(
        "status",
        F.when(F.isnull("grp"), number["null_group"])
        .when(F.col("dim") == 0, number["null_embedding"])
        .when(F.col("dim") != F.col("group_dim"), number["wrong_dim"])
        .otherwise(F.col("status")),
    )
    texts = []
    for name in ROW_STATUSES:
        count = survey.row_status[name]
        if name == "ok" or count == 0:
            continue
        first = judged.where(F.col("status") == number[name]).orderBy("key").limit(_NAMED).collect()
        texts.append(
            f"{count} {name} ({_where(name, count, first, _places(rows, [row['key'] for row in first]))})"
        )
    return (
        f"{survey.bad_rows} of {survey.rows} rows cannot be linked: {', '.join(texts)}; mend them, or leave "
        'them without links: on_bad_row="drop"'
    )


def _places(rows: Rows, keys: list[Any]) -> list[int]:
    """How many ids stand before each."""
    counts = rows.frame.agg(*[F.count(F.when(F.col("key") < F.lit(key), 1)) for key in keys]).collect()[0]
    return list(counts)


def _where(name: str, count: int, first: list[Any], places: list[int]) -> str:
    if name == "wrong_dim":
        row = first[0]
        return f'row {places[0]} has dim {row["dim"]}, its group "{row["grp"]}" has {row["group_dim"]}'
    more = ", ..." if count > len(first) else ""
    return f"{'rows' if len(first) > 1 else 'row'} {', '.join(map(str, places))}{more}"
