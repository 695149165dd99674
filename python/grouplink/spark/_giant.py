"""Giant groups: tiles to tasks, candidates to neighbors, neighbors to links."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from grouplink.spark import _tasks
from grouplink.spark._columns import Rows
from grouplink.spark._options import Options
from grouplink.spark._place import keys_of_partitions
from grouplink.spark._plan import Plan

_MOST_LINKS = (1 << 31) - 1


def neighbors(spark: SparkSession, rows: Rows, plan: Plan, options: Options) -> DataFrame:
    """The nearest rows of each row of a giant group: `grp`, `key`, `dim` and `near`, nearest first.

    Each row goes to the tasks of all lines through its tile (see `_plane`). What these find is put together
    by distance, then by id: the canonical distance of two rows depends on nothing but the two, so that the k
    nearest of all are those of one machine.
    """
    lookup = F.broadcast(_lookup(spark, rows, plan))
    order = F.col("order")
    tile = F.pmod(F.xxhash64("key"), order * order)
    x, y = F.pmod(F.col("tile"), order), F.floor(F.col("tile") / order)
    line = F.col("slope") * order + F.when(F.col("slope") == order, x).otherwise(
        F.pmod(y - F.col("slope") * x, order)
    )
    places = F.broadcast(_places(spark, plan.giant.tasks))
    tiled = (
        rows.frame.join(lookup, "grp")
        .withColumn("tile", tile.cast("int"))
        .withColumn("slope", F.explode(F.sequence(F.lit(0), order)))
        .withColumn("task", (F.col("first") + line).cast("int"))
        .join(places, "task")
        .select("grp", "key", "vec", "dim", "tile", "slope", "place")
        .repartition(plan.giant.tasks, "place")
    )
    target = T.ArrayType(rows.key_type)
    schema = T.StructType().add("grp", rows.group_type).add("key", rows.key_type).add("dim", T.IntegerType())
    candidates = tiled.drop("place").mapInArrow(
        _tasks.tiles(options), schema.add("targets", target).add("distances", T.ArrayType(T.FloatType()))
    )
    near = T.StructType().add("distance", T.FloatType()).add("target", rows.key_type)
    # Both arrays are collected in the order in which rows come.
    zipped = F.arrays_zip(F.flatten("distances"), F.flatten("targets")).cast(T.ArrayType(near))
    most = min(options["n_nearest"], _MOST_LINKS)
    return (
        candidates.groupBy("grp", "key")
        .agg(
            F.any_value("dim").alias("dim"),
            F.collect_list("distances").alias("distances"),
            F.collect_list("targets").alias("targets"),
        )
        .select("grp", "key", "dim", F.slice(F.sort_array(zipped), 1, most).alias("near"))
    )


def _lookup(spark: SparkSession, rows: Rows, plan: Plan) -> DataFrame:
    schema = T.StructType().add("grp", rows.group_type)
    for name in ("dim", "order", "first"):
        schema = schema.add(name, T.IntegerType())
    return spark.createDataFrame(
        [(group.key, group.shape.dim, group.order, group.first) for group in plan.giant_groups], schema
    )


def _places(spark: SparkSession, tasks: int) -> DataFrame:
    schema = T.StructType().add("task", T.IntegerType()).add("place", T.IntegerType())
    return spark.createDataFrame(list(enumerate(keys_of_partitions(tasks).tolist())), schema)


def weight(distance: Column, dim: Column, options: Options) -> Column:
    """The weight of a canonical distance, to the bit what the engine makes of it."""
    d = distance.cast("double")
    one = F.lit(1.0)
    metric, similarity = options["metric"], options["similarity"]
    if metric == "angular" and similarity == "angular":
        result = one - d / 2
    elif metric == "angular" and similarity == "half-cosine":
        result = one - d * d / 4
    elif metric == "angular":
        result = F.greatest(F.lit(0.0), one - d * d / 2)
    elif metric == "hamming":
        result = one - d / dim.cast("double")
    elif metric == "dot":
        result = F.lit(0.0) - d
    else:
        result = one / (one + d)
    return result.cast("float")


def weights(near: Column, options: Options) -> Column:
    """The same of all neighbors of a row."""
    return F.transform(near, lambda link: weight(link["distance"], F.col("dim"), options))


def above(near: Column, cut: Column, options: Options) -> Column:
    """The neighbors of a row that are linked to at a cut."""
    return F.filter(near, lambda link: weight(link["distance"], F.col("dim"), options).cast("double") >= cut)


def apply_mode(frame: DataFrame, rows: Rows, mode: str) -> DataFrame:
    """Links of `near` in a link mode. A cut may be made before or after: both directions weigh the same."""
    if mode == "directed":
        return frame
    link = T.StructType().add("distance", T.FloatType()).add("target", rows.key_type)
    # Every row stands for itself as well, so that one whose links all go is not lost.
    self_link = F.array(F.struct(F.lit(None), F.col("key")).cast(link))
    pairs = (
        frame.withColumn("link", F.explode(F.concat(self_link, "near")))
        .withColumn("a", F.least("key", "link.target"))
        .withColumn("b", F.greatest("key", "link.target"))
        .groupBy("grp", "a", "b")
        .agg(
            F.count(F.lit(1)).alias("directions"),
            F.any_value("link.distance").alias("distance"),
            F.any_value("dim").alias("dim"),
            F.any_value("cut").alias("cut"),
        )
    )
    if mode == "mutual":
        pairs = pairs.where((F.col("a") == F.col("b")) | (F.col("directions") == 2))
    both = F.array(_end("a", "b"), _end("b", "a"))
    one = F.array(_end("a", "a"))
    ends = pairs.select(
        "grp", "dim", "cut", F.explode(F.when(F.col("a") == F.col("b"), one).otherwise(both)).alias("end")
    )
    links = F.when(F.isnotnull("end.distance"), F.struct("end.distance", "end.target"))
    return (
        ends.select("grp", "dim", "cut", F.col("end.key").alias("key"), links.alias("link"))
        .groupBy("grp", "key")
        .agg(
            F.any_value("dim").alias("dim"),
            F.any_value("cut").alias("cut"),
            F.sort_array(F.collect_list("link")).alias("near"),
        )
    )


def _end(key: str, target: str) -> Column:
    return F.struct(F.col(key).alias("key"), F.col("distance"), F.col(target).alias("target"))
