"""One look at all rows before any search: what is wrong with them, and the size of each group."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from grouplink import ROW_STATUSES
from grouplink.spark import _tasks
from grouplink.spark._columns import Rows
from grouplink.spark._options import Limits, Options
from grouplink.spark._plan import Key, Shape, SmallTotals, row_bytes, worker_memory

_OK = ROW_STATUSES.index("ok")
_BY_GROUP = ("null_embedding", "wrong_dim", "non_finite", "zero_norm")


@dataclass(frozen=True)
class Survey:
    """What is known before any search.

    Attributes
    ----------
    rows, groups : int
    row_status : dict
        Rows of each of `grouplink.ROW_STATUSES`.
    null_ids : int
        Rows without an id.
    links_found : int
        Links that n_nearest lets through, before any threshold.
    small : SmallTotals
    others : tuple of (key, Shape)
        Groups that are not small.
    """

    rows: int
    groups: int
    row_status: dict[str, int]
    null_ids: int
    links_found: int
    small: SmallTotals
    others: tuple[tuple[Key, Shape], ...]

    @property
    def bad_rows(self) -> int:
        return self.rows - self.row_status["ok"]


def group_sizes(rows: Rows, options: Options) -> DataFrame:
    """A row for each group: `grp`, `rows`, `valid`, `dim`, and how many rows have each fault.

    No vector is shuffled: workers count them where they are read. A group's dimension is the most common one
    of its embeddings, the smaller of two equally common.
    """
    counts = rows.frame.select("grp", "vec", F.isnull("key").alias("null_key")).mapInArrow(
        _tasks.survey(options),
        f"grp {rows.group_type.simpleString()}, dim long, status int, null_key boolean, rows long",
    )
    by_dim = counts.groupBy("grp", "dim").agg(
        F.sum("rows").alias("rows"),
        F.sum(F.when(F.col("null_key"), F.col("rows")).otherwise(0)).alias("null_ids"),
        *[
            _rows_where("status", ROW_STATUSES.index(name), name)
            for name in ("ok", "non_finite", "zero_norm")
        ],
    )
    has_dim = F.col("dim") > 0
    most = F.max(F.when(has_dim, F.struct("rows", -F.col("dim"), "ok", "non_finite", "zero_norm")))
    by_group = by_dim.groupBy("grp").agg(
        F.sum("rows").alias("rows"),
        F.sum("null_ids").alias("null_ids"),
        F.sum(F.when(has_dim, 0).otherwise(F.col("rows"))).alias("null_embedding"),
        most.cast("struct<rows:long,minus_dim:long,ok:long,non_finite:long,zero_norm:long>").alias("most"),
    )
    has_group = F.isnotnull("grp")

    def of_group(value: Column) -> Column:
        return F.coalesce(F.when(has_group, value), F.lit(0))

    return by_group.select(
        "grp",
        "rows",
        "null_ids",
        of_group(F.col("most.ok")).alias("valid"),
        of_group(-F.col("most.minus_dim")).alias("dim"),
        of_group(F.col("null_embedding")).alias("null_embedding"),
        of_group(F.col("rows") - F.col("null_embedding") - F.col("most.rows")).alias("wrong_dim"),
        of_group(F.col("most.non_finite")).alias("non_finite"),
        of_group(F.col("most.zero_norm")).alias("zero_norm"),
    )


def _rows_where(column: str, value: int, name: str) -> Column:
    return F.sum(F.when(F.col(column) == value, F.col("rows")).otherwise(0)).alias(name)


def look(rows: Rows, options: Options, limits: Limits) -> Survey:
    """Run the survey: a job that reads all rows once, and brings the larger groups alone to the driver."""
    component = rows.component
    sizes = group_sizes(rows, options)
    valid = F.col("valid").cast("double")
    dim = F.col("dim")
    links = F.greatest(F.lit(0), F.least(F.lit(options["n_nearest"]).cast("long"), F.col("valid") - 1))
    memory = worker_memory(valid, dim, component, links)
    work = F.greatest(F.lit(0.0), valid * (valid - 1) / 2) * dim
    sizes = sizes.withColumns({"links": links, "memory": memory, "work": work})
    sizes = sizes.withColumn(
        "is_small",
        F.isnull("grp")
        | ((F.col("memory") <= limits.most_small_memory) & (F.col("work") <= limits.most_small_work)),
    )
    small = F.col("is_small")
    shuffle = F.col("rows") * row_bytes(dim, component)

    def total(value: Column | str, where: Column | None = None) -> Column:
        column = F.col(value) if isinstance(value, str) else value
        return F.coalesce(F.sum(column if where is None else F.when(where, column)), F.lit(0))

    totals = sizes.agg(
        total("rows").alias("rows"),
        F.count("grp").alias("groups"),
        total("valid").alias("ok"),
        total("rows", F.isnull("grp")).alias("null_group"),
        *[total(name).alias(name) for name in _BY_GROUP],
        total("null_ids").alias("null_ids"),
        total(F.col("links") * F.col("valid")).alias("links_found"),
        F.count(F.when(small, F.col("grp"))).alias("small_groups"),
        total("rows", small).alias("small_rows"),
        total("memory", small).alias("small_memory"),
        total("work", small).alias("small_work"),
        total(shuffle, small).alias("small_shuffle"),
        F.collect_list(F.when(~small, F.struct("grp", "valid", "dim", "links"))).alias("others"),
    ).collect()[0]
    return Survey(
        rows=totals["rows"],
        groups=totals["groups"],
        row_status={name: totals[name] for name in ROW_STATUSES},
        null_ids=totals["null_ids"],
        links_found=totals["links_found"],
        small=SmallTotals(
            groups=totals["small_groups"],
            rows=totals["small_rows"],
            memory=float(totals["small_memory"]),
            work=float(totals["small_work"]),
            shuffle_bytes=float(totals["small_shuffle"]),
        ),
        others=tuple(
            (group["grp"], Shape(group["valid"], group["dim"], component, group["links"]))
            for group in totals["others"]
        ),
    )
