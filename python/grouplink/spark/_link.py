"""`grouplink.spark.link_dataframe`, the whole of it on one page."""

from __future__ import annotations

from typing import Literal

from pyspark.sql import Column, DataFrame, GroupedData, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from grouplink.spark import _giant, _tasks
from grouplink.spark._bad_rows import describe
from grouplink.spark._columns import Rows, rows_of
from grouplink.spark._links import SparkLinks
from grouplink.spark._options import Limits, Options, default_limits
from grouplink.spark._place import keys_of_partitions
from grouplink.spark._plan import Plan, make_plan
from grouplink.spark._quantile import quantiles
from grouplink.spark._survey import look


def link_dataframe(
    df: DataFrame,
    *,
    embedding: str,
    id: str,
    group: str | None = None,
    n_nearest: int = 15,
    metric: Literal["angular", "euclidean", "manhattan", "hamming", "dot"] = "angular",
    similarity: Literal["angular", "half-cosine", "cosine"] = "angular",
    similarity_min: float = 0.0,
    similarity_min_q: float = 0.0,
    quantile_scope: Literal["all", "group"] = "all",
    links: Literal["directed", "mutual", "symmetric"] = "directed",
    index: Literal["auto", "flat", "ivf", "hnsw", "partition"] = "auto",
    recall_target: float = 0.95,
    nlist: int | None = None,
    nprobe: int | None = None,
    hnsw_m: int | None = None,
    ef_construction: int | None = None,
    ef_search: int | None = None,
    passes: int | None = None,
    fanout: int | None = None,
    refinements: int | None = None,
    on_bad_row: Literal["error", "drop"] = "error",
    seed: int = 0,
    limits: Limits | None = None,
    parallelism: int | None = None,
) -> SparkLinks:
    """Link each row to its most similar rows of the same group, on all executors.

    What comes out is what `grouplink.link` makes of the rows in the order of their ids, byte for byte,
    however the DataFrame is partitioned. Groups take one of three paths by their size:

    - *small* ones travel together, as many to a task as fill it (`repartition`, `mapInArrow`);
    - *ordinary* ones run whole, one at a time (`applyInArrow`), dealt to tasks by what they cost;
    - *giant* ones are cut into tiles. Tasks take some tiles each, so that every two tiles meet in one task,
      and what they find is merged by distance and id. Giant groups are searched exactly under any `index`
      "auto" or "flat"; the other indexes need a group in one task.

    Parameters
    ----------
    df : DataFrame
    embedding : str
        Column of array<float>, array<double>, array<tinyint> or `pyspark.ml` vectors. Rows of a group have
        one length; groups may differ.
    id : str
        Column of strings or integers that names rows and puts them in order, which decides between equally
        near ones. Within a group ids must be distinct.
    group : str, optional
        Column of strings or integers; without it all rows are one group.
    n_nearest, metric, similarity, ..., on_bad_row, seed
        As in `grouplink.link`.
    limits : Limits, optional
        What one task may hold and do. By default it has a core's share of the memory that Spark leaves to
        Python, 1 GiB where Spark does not say.
    parallelism : int, optional
        Tasks that run at once; None: as many as Spark says.

    Returns
    -------
    SparkLinks
        All rows have been read once, to count them; links are searched when a DataFrame of them is used. With
        `similarity_min_q` they are searched here, and kept until `SparkLinks.unpersist`.

    Raises
    ------
    ValueError
        For an option out of its range, a column that is not there, ids that are null or not distinct, bad
        rows under ``on_bad_row="error"``, and a giant group under an index that is not exact.
    TypeError
        For a column or an option of another type.

    Notes
    -----
    `df` is read once to count, and once more for each path that has groups: `DataFrame.persist` it where that
    is dear. It must give the same rows each time.
    """
    options = Options(
        {
            "n_nearest": n_nearest,
            "metric": metric,
            "similarity": similarity,
            "similarity_min": similarity_min,
            "similarity_min_q": similarity_min_q,
            "quantile_scope": quantile_scope,
            "links": links,
            "index": index,
            "recall_target": recall_target,
            "nlist": nlist,
            "nprobe": nprobe,
            "hnsw_m": hnsw_m,
            "ef_construction": ef_construction,
            "ef_search": ef_search,
            "passes": passes,
            "fanout": fanout,
            "refinements": refinements,
            "on_bad_row": on_bad_row,
            "seed": seed,
        }
    )
    spark = df.sparkSession
    limits = limits or default_limits(lambda name: spark.conf.get(name, None))
    rows = rows_of(df, embedding, id, group)
    survey = look(rows, options, limits)
    if survey.null_ids:
        raise ValueError(f"id: {survey.null_ids} rows have a null in column {id!r}; ids put rows in order")
    if on_bad_row == "error" and survey.bad_rows:
        raise ValueError(describe(rows, options, survey))
    plan = make_plan(survey.small, survey.others, limits, parallelism or _parallelism(spark))
    _check_index(plan, options)

    kept: list[DataFrame] = []
    try:
        lists, cut = _links(spark, rows, plan, options, kept)
    except BaseException:
        for frame in kept:
            frame.unpersist()
        raise
    return SparkLinks(lists, rows, plan, survey, options, cut, kept)


def _links(
    spark: SparkSession, rows: Rows, plan: Plan, options: Options, kept: list[DataFrame]
) -> tuple[DataFrame, float | None]:
    """Links of all rows, as `_schema` has them, and the cut where it is the same for all groups.

    What is found before a quantile is known is persisted, and put in `kept`.
    """
    whole = _whole_groups(spark, rows, plan, options)
    near = _giant.neighbors(spark, rows, plan, options) if plan.giant_groups else None
    cut: float | None = None if options.cut_is_of_group else options["similarity_min"]
    if near is not None and (options.cut_is_global or options.cut_is_of_group):
        kept.append(near := near.persist())
    if options.cut_is_global:
        kept.append(whole := whole.persist())
        cut = _cut(whole, near, options)
        whole = _above(whole, cut)
    if near is None:
        return whole, cut
    giant = _giant_links(near, rows, _giant_cuts(spark, near, rows, options, cut), options)
    return whole.unionByName(giant), cut


def _parallelism(spark: SparkSession) -> int:
    try:
        return int(spark.sparkContext.defaultParallelism)
    except Exception:  # Spark Connect has no context
        return int(spark.conf.get("spark.sql.shuffle.partitions") or 200)


def _check_index(plan: Plan, options: Options) -> None:
    if not plan.giant_groups or options["index"] in ("auto", "flat"):
        return
    group = plan.giant_groups[0]
    raise ValueError(
        f"index: got {options['index']!r}, but group {group.key!r} of {group.shape.rows} rows is cut into "
        'tiles, which are searched exactly; use "auto" or "flat", or raise Limits(task_memory, task_work)'
    )


def _schema(rows: Rows) -> T.StructType:
    return (
        T.StructType()
        .add("grp", rows.group_type)
        .add("key", rows.key_type)
        .add("targets", T.ArrayType(rows.key_type))
        .add("weights", T.ArrayType(T.FloatType()))
        .add("cut", T.DoubleType())
        .add("found", T.ArrayType(T.FloatType()))
    )


def _whole_groups(spark: SparkSession, rows: Rows, plan: Plan, options: Options) -> DataFrame:
    """Links of groups that run in one task each: `_schema`."""
    schema = _schema(rows)
    larger = [group.key for group in plan.ordinary_groups] + [group.key for group in plan.giant_groups]
    small = rows.frame
    if larger:
        keys = spark.createDataFrame([(key,) for key in larger], T.StructType().add("grp", rows.group_type))
        small = small.join(F.broadcast(keys), "grp", "left_anti")
    links = []
    if plan.small.tasks or not larger:
        # Rows in no group go anywhere, without their vectors.
        no_group = F.isnull("grp")
        small = small.withColumn("vec", F.when(~no_group, F.col("vec"))).repartition(
            max(1, plan.small.tasks), F.col("grp"), F.when(no_group, F.col("key"))
        )
        links.append(small.mapInArrow(_tasks.small(options), schema))
    if plan.ordinary_groups:
        links.append(_ordinary_groups(spark, rows, plan).applyInArrow(_tasks.ordinary(options), schema))
    if not links:
        return spark.createDataFrame([], schema)
    return links[0] if len(links) == 1 else links[0].unionByName(links[1])


def _ordinary_groups(spark: SparkSession, rows: Rows, plan: Plan) -> GroupedData:
    """Rows of ordinary groups, in the task of their group.

    The partitions that rows are sent to are those that grouping asks for, so that they are shuffled once.
    """
    keys = keys_of_partitions(plan.ordinary.tasks)
    schema = T.StructType().add("grp", rows.group_type).add("place", T.IntegerType())
    places = [(group.key, int(keys[group.task])) for group in plan.ordinary_groups]
    lookup = F.broadcast(spark.createDataFrame(places, schema))
    return rows.frame.join(lookup, "grp").repartition(plan.ordinary.tasks, "place").groupBy("place", "grp")


def _cut(whole: DataFrame, near: DataFrame | None, options: Options) -> float:
    """The quantile of all links found, or similarity_min where that is more."""
    one = F.lit("").alias("grp")
    found = whole.select(one, F.col("found").alias("weights"))
    if near is not None:
        found = found.unionByName(near.select(one, _giant.weights(F.col("near"), options).alias("weights")))
    of_all = quantiles(found, options["similarity_min_q"]).get("", options["similarity_min"])
    return float(max(options["similarity_min"], of_all))


def _above(whole: DataFrame, cut: float) -> DataFrame:
    """The links that weigh no less than a cut; a row's stand by weight."""
    links = F.filter(
        F.arrays_zip("targets", "weights"), lambda link: link["weights"].cast("double") >= F.lit(cut)
    )
    return (
        whole.withColumn("links", links)
        .withColumns({"targets": F.col("links.targets"), "weights": F.col("links.weights")})
        .drop("links")
    )


def _giant_cuts(
    spark: SparkSession, near: DataFrame, rows: Rows, options: Options, cut: float | None
) -> DataFrame:
    """`near` with a column `cut`: the same for all groups, or each group's own."""
    if cut is not None:
        return near.withColumn("cut", F.lit(float(cut)))
    text = F.col("grp").cast("string")
    weights = _giant.weights(F.col("near"), options).alias("weights")
    cuts = quantiles(near.select(text.alias("grp"), weights), options["similarity_min_q"])
    least = float(options["similarity_min"])
    schema = T.StructType().add("text", T.StringType()).add("cut", T.DoubleType())
    lookup = spark.createDataFrame([(group, max(least, of)) for group, of in cuts.items()], schema)
    joined = near.withColumn("text", text).join(F.broadcast(lookup), "text", "left").drop("text")
    return joined.withColumn("cut", F.coalesce("cut", F.lit(least)))


def _giant_links(near: DataFrame, rows: Rows, with_cut: DataFrame, options: Options) -> DataFrame:
    """Links of giant groups: `_schema`."""
    above = with_cut.withColumn("near", _giant.above(F.col("near"), F.col("cut"), options))
    linked = _giant.apply_mode(above, rows, options["links"])
    own_cut: Column = F.col("cut") if options.cut_is_of_group else F.lit(None).cast("double")
    return linked.select(
        "grp",
        "key",
        F.col("near.target").alias("targets"),
        _giant.weights(F.col("near"), options).alias("weights"),
        own_cut.alias("cut"),
        F.lit(None).cast("array<float>").alias("found"),
    )
