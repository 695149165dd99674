"""All rows of WordNet, the three paths at once. Left out where the data is not there."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import grouplink
from grouplink.spark import Limits, link_dataframe

#: Groups up to 2,300 rows are small, those of more than 7,200 giant.
LIMITS = Limits(small_work=1e9, task_work=1e10)


@pytest.fixture(scope="module")
def rows(wordnet: Path) -> tuple[Any, list[str]]:
    with (wordnet / "wordnet.tsv").open(newline="", encoding="utf-8") as file:
        groups = [row["group"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return np.load(wordnet / "wordnet-384.f16.npy").astype(np.float32), groups


def test_wordnet(spark: Any, rows: tuple[Any, list[str]], tmp_path: Path) -> None:
    vectors, groups = rows
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    table = pa.table(
        {"id": np.arange(len(groups)), "group": groups, "embedding": lists.cast(pa.list_(pa.float32()))}
    )
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=20_000)
    frame = spark.read.parquet(str(tmp_path / "rows.parquet"))
    links = link_dataframe(
        frame, embedding="embedding", group="group", id="id", index="flat", similarity_min=0.3, limits=LIMITS
    )
    assert min(links.plan.small.groups, links.plan.ordinary.groups, links.plan.giant.groups) > 3
    links.lists().write.parquet(str(tmp_path / "links.parquet"))

    wanted = grouplink.link(vectors, groups, index="flat", similarity_min=0.3)
    found = pq.read_table(tmp_path / "links.parquet").sort_by("id").combine_chunks()
    assert found["id"].to_pylist() == list(range(len(groups)))
    for name, values in (("targets", wanted.targets), ("weights", wanted.weights)):
        column = found[name].combine_chunks()
        assert np.array_equal(column.value_lengths().to_numpy(), np.diff(wanted.offsets))
        assert column.flatten().to_numpy().tobytes() == values.tobytes()
