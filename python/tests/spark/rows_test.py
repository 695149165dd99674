"""Rows that cannot be linked, ids and groups of all kinds, embeddings of all types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from grouplink.spark import Limits, link_dataframe

from .support import LOW, Table, check, collected, lists_of, make_table, on_one_machine, with_bad_rows

TABLE = make_table(seed=11)
BAD = with_bad_rows(TABLE)


def link(frame: Any, **options: Any) -> Any:
    return link_dataframe(
        frame, **{"embedding": "embedding", "group": "site", "id": "id", "limits": LOW, **options}
    )


@pytest.mark.on_both
@pytest.mark.parametrize("mode", ["directed", "symmetric"])
def test_bad_rows_are_dropped(spark: Any, mode: str) -> None:
    report = check(spark, BAD, on_bad_row="drop", links=mode, similarity_min_q=0.2).report()
    assert all(report["row_status"].values())


@pytest.mark.parametrize("metric", ["angular", "euclidean"])
def test_bad_rows_are_named(spark: Any, metric: str) -> None:
    with pytest.raises(ValueError) as said:
        on_one_machine(BAD.sorted(), metric=metric)
    with pytest.raises(ValueError) as told:
        link(BAD.frame(spark), metric=metric)
    assert str(told.value) == str(said.value)


def test_ragged_groups(spark: Any) -> None:
    vectors = [v if g in ("group 1", "group 44") else v[:9] for v, g in zip(TABLE.vectors, TABLE.groups)]
    check(spark, replace(TABLE, vectors=vectors))


def test_ids_of_text_and_groups_of_integers(spark: Any) -> None:
    letters = ["ä", "z", "Z", "\U0001f600", "\uffee", "b"]
    ids = [f"{letters[n % 6]}{n}" for n in TABLE.ids]
    groups = [int(group.split()[1]) - 20 for group in TABLE.groups]
    check(spark, replace(TABLE, ids=ids, groups=groups), links="symmetric")


def test_ids_of_negative_integers(spark: Any) -> None:
    check(spark, replace(TABLE, ids=[n - 3000 for n in TABLE.ids]), links="mutual")


def test_doubles_that_are_no_floats(spark: Any) -> None:
    vectors = [[x * np.pi for x in v] for v in TABLE.vectors]
    table = replace(TABLE, vectors=vectors)
    wanted = on_one_machine(table.sorted(), np.float64)
    links = link(table.frame(spark, pa.float64()))
    assert collected(links) == lists_of(table.sorted(), wanted)


def test_vectors_of_ml_and_small_integers(spark: Any) -> None:
    from pyspark.ml.functions import array_to_vector

    table = replace(TABLE, vectors=[[float(round(x)) or 1.0 for x in v] for v in TABLE.vectors])
    wanted = lists_of(table.sorted(), on_one_machine(table.sorted()))
    frame = table.frame(spark)
    assert collected(link(frame.withColumn("embedding", array_to_vector("embedding")))) == wanted
    assert collected(link(frame.withColumn("embedding", frame.embedding.cast("array<tinyint>")))) == wanted


def test_null_vectors_of_ml(spark: Any) -> None:
    from pyspark.ml.linalg import Vectors, VectorUDT
    from pyspark.sql import types as T

    schema = T.StructType().add("id", T.LongType()).add("embedding", VectorUDT())
    rows = [
        (1, Vectors.dense([1.0, 2.0])),
        (2, None),
        (3, Vectors.sparse(2, [1], [2.0])),
        (4, Vectors.dense([1.0])),
    ]
    links = link(spark.createDataFrame(rows, schema), group=None, on_bad_row="drop")
    assert {row["id"]: row["targets"] for row in links.lists().collect()} == {1: [3], 2: [], 3: [1], 4: []}


def test_no_rows(spark: Any) -> None:
    frame = TABLE.frame(spark).limit(0)
    for options in ({}, {"similarity_min_q": 0.5}, {"group": None}):
        links = link(frame, **options)
        assert links.lists().count() == links.edges().count() == 0
        report = links.report()
        assert (report["rows"], report["links"], report["cut"]) == (0, 0, 0.0)


def test_no_row_takes_part(spark: Any) -> None:
    table = Table([3, 1, 2], [None, None, None], [[1.0], [2.0], None])
    links = check(spark, table, on_bad_row="drop", similarity_min_q=0.5, quantile_scope="group")
    assert links.report()["row_status"]["null_group"] == 3


def test_groups_of_one_row(spark: Any) -> None:
    check(spark, Table([3, 1, 2], ["a", "b", "c"], [[1.0], [2.0], [3.0]]))


@pytest.mark.parametrize("options", [{}, {"limits": Limits()}], ids=["tiles", "whole"])
def test_ids_stand_once_in_a_group(spark: Any, options: dict[str, Any]) -> None:
    ids = list(TABLE.ids)
    in_giant = [row for row, group in enumerate(TABLE.groups) if group == "group 43"]
    ids[in_giant[0]] = ids[in_giant[1]]
    links = link(replace(TABLE, ids=ids).frame(spark), **options)
    with pytest.raises(Exception, match="stands at 2 rows of group 'group 43'; ids must be distinct"):
        links.edges().count()


def test_ids_may_stand_in_several_groups(spark: Any) -> None:
    table = Table([1, 2, 1, 2], ["a", "a", "b", "b"], [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [2.0, 1.0]])
    rows = link(table.frame(spark)).lists().collect()
    assert sorted((row["site"], row["id"], row["targets"]) for row in rows) == [
        ("a", 1, [2]),
        ("a", 2, [1]),
        ("b", 1, [2]),
        ("b", 2, [1]),
    ]


def test_ids_are_there(spark: Any) -> None:
    frame = spark.createDataFrame(
        [(1, [1.0]), (None, [2.0]), (None, [2.0])], "id long, embedding array<double>"
    )
    with pytest.raises(ValueError, match="id: 2 rows have a null in column 'id'"):
        link(frame, group=None)


@pytest.mark.parametrize(
    "options, error, said",
    [
        (
            {"embedding": "embeding"},
            ValueError,
            "embedding: there is no column 'embeding'.*did you mean 'embedding'",
        ),
        ({"id": "nope"}, ValueError, "id: there is no column 'nope'"),
        ({"embedding": "site"}, TypeError, "embedding: column 'site' is of type string, wants array<float>"),
        ({"group": "embedding"}, TypeError, "group: column 'embedding' is of type array<float>"),
        ({"id": "embedding"}, TypeError, "id: column 'embedding'"),
        ({"n_nearest": 0}, ValueError, "n_nearest"),
        ({"metric": "cosine"}, ValueError, "metric"),
        ({"similarity_min_q": 2}, ValueError, "similarity_min_q"),
        ({"n_nearest": "many"}, TypeError, "n_nearest"),
    ],
)
def test_mistakes_are_told_before_anything_runs(spark: Any, options: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        link(TABLE.frame(spark), **options)
