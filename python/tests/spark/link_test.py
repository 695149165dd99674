"""Links on Spark are those of one machine, whatever the metric, the mode, the thresholds and the path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from grouplink import _core
from grouplink.spark import Limits, _giant, link_dataframe
from grouplink.spark._options import Options
from grouplink.spark._place import keys_of_partitions, spark_hash

from .support import LOW, check, make_table

METRICS = [{"metric": name} for name in ("angular", "euclidean", "manhattan", "hamming", "dot")]
SIMILARITIES = [{"metric": "angular", "similarity": name} for name in ("half-cosine", "cosine")]
MODES = ["directed", "mutual", "symmetric"]
CUTS: list[dict[str, Any]] = [
    {},
    {"similarity_min": 0.4, "similarity_min_q": 0.3, "quantile_scope": "all"},
    {"similarity_min": 0.4, "similarity_min_q": 0.6, "quantile_scope": "group"},
]
TABLE = make_table()


def named(options: dict[str, Any]) -> str:
    return "-".join(str(value) for value in options.values()) or "no-cut"


@pytest.mark.parametrize("cut", CUTS, ids=named)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("metric", METRICS, ids=named)
def test_equals_one_machine(spark: Any, metric: dict[str, Any], mode: str, cut: dict[str, Any]) -> None:
    links = check(spark, TABLE, n_nearest=7, links=mode, **metric, **cut)
    paths = (links.plan.small, links.plan.ordinary, links.plan.giant)
    assert [path.groups for path in paths] == [40, 3, 2]
    assert {group.order for group in links.plan.giant_groups} == {2, 3}


@pytest.mark.parametrize("similarity", SIMILARITIES, ids=named)
def test_similarities_of_angles(spark: Any, similarity: dict[str, Any]) -> None:
    check(spark, TABLE, links="symmetric", similarity_min_q=0.3, **similarity)


@pytest.mark.on_both
@pytest.mark.parametrize("mode, cut", list(zip(MODES, CUTS[::-1])), ids=str)
def test_equals_one_machine_on_a_cluster(spark: Any, mode: str, cut: dict[str, Any]) -> None:
    check(spark, make_table(seed=3, giants=(800,)), links=mode, **cut)


@pytest.mark.on_both
def test_tasks_run_where_they_should(spark: Any) -> None:
    where = spark.range(64).select(F.spark_partition_id()).distinct().count()
    assert where > 1
    for tasks in (1, 2, 30, 301):
        keys = keys_of_partitions(tasks)
        assert len(set(keys.tolist())) == tasks
        frame = spark.createDataFrame(list(enumerate(keys.tolist())), "task int, place int")
        placed = frame.repartition(tasks, "place").select("task", F.spark_partition_id().alias("at"))
        assert all(row["task"] == row["at"] for row in placed.collect())


def test_hash_is_that_of_spark(spark: Any) -> None:
    numbers = [0, 1, 2, 41, -1, 2**31 - 1, -(2**31)]
    frame = spark.createDataFrame([(n,) for n in numbers], "n int").select(F.hash("n").alias("hash"))
    assert [row["hash"] for row in frame.collect()] == spark_hash(numbers).tolist()


@pytest.mark.parametrize("mapping", METRICS + SIMILARITIES, ids=named)
def test_weights_are_those_of_the_engine(spark: Any, mapping: dict[str, Any]) -> None:
    draw = np.random.default_rng(2)
    vectors = (
        draw.normal(size=(150, 5)).astype(np.float32) * np.logspace(-3, 3, 150, dtype=np.float32)[:, None]
    )
    vectors[75:] = vectors[:75] + np.float32(1e-3) * draw.normal(size=(75, 5)).astype(np.float32)
    found = _core.find(_core.rows_of_array(vectors), _core.single_group(150), {"n_nearest": 149, **mapping})
    pairs = [(float(d), i) for i, d in enumerate(found.distances)]
    frame = spark.createDataFrame(pairs, "distance float, at int")
    options = Options({"similarity": "angular", **mapping})
    made = frame.select("at", _giant.weight(F.col("distance"), F.lit(5), options).alias("weight")).collect()
    weights = np.array([row["weight"] for row in sorted(made)], np.float32)
    assert weights.tobytes() == found.weights.tobytes()


@pytest.mark.parametrize("n_nearest", [1, 40, 100_000])
def test_few_and_many_neighbors(spark: Any, n_nearest: int) -> None:
    check(spark, TABLE, n_nearest=n_nearest)


def test_all_rows_as_one_group(spark: Any) -> None:
    table = make_table(seed=5, giants=())
    rows = table.frame(spark).drop("site")
    tiled = link_dataframe(rows, embedding="embedding", id="id", limits=LOW)
    whole = link_dataframe(rows, embedding="embedding", id="id")
    assert tiled.plan.giant.groups == whole.plan.small.groups == 1
    assert sorted(tiled.lists().collect()) == sorted(whole.lists().collect())
    assert tiled.lists().columns == ["id", "targets", "weights"]


@pytest.mark.parametrize("index", ["ivf", "hnsw", "partition"])
def test_an_approximate_group_runs_whole(spark: Any, index: str) -> None:
    table = make_table(seed=6, giants=(1300,))
    whole = Limits(small_work=12 * 40 * 39 / 2)
    assert check(spark, table, limits=whole, index=index, seed=7, n_nearest=5).plan.ordinary.groups == 4
    with pytest.raises(ValueError, match="group 'group 43' of 1300 rows is cut into tiles"):
        check(spark, table, index=index)


def test_edges_are_the_lists_link_by_link(spark: Any) -> None:
    links = link_dataframe(TABLE.frame(spark), embedding="embedding", group="site", id="id", limits=LOW)
    edges = [tuple(row) for row in links.edges().collect()]
    lists = links.lists().collect()
    assert links.edges().columns == ["source", "target", "weight"]
    assert links.lists().columns == ["id", "site", "targets", "weights"]
    assert sorted(edges) == sorted(
        (row["id"], target, weight) for row in lists for target, weight in zip(row["targets"], row["weights"])
    )
