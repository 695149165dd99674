#!/usr/bin/env python3
"""Spark against one machine: time, tasks and shuffled bytes, and whether the links are the same.

    python bench/spark.py VECTORS.npy ROWS.tsv [--master local[2]]

ROWS.tsv has the columns id and group. It runs the groups of the file, with the usual limits and with lower ones,
so that all paths are taken, then all rows as one group, cut into tiles.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import grouplink
from grouplink.spark import Limits, link_dataframe
from grouplink.spark._measure import stages_since


def rows_of(vectors: str, names: str) -> pa.Table:
    with open(names, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    array = np.load(vectors).astype(np.float32)
    dim = array.shape[1]
    lists = pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), dim).cast(pa.list_(pa.float32()))
    groups = pa.array([row["group"] for row in rows])
    return pa.table({"id": np.arange(len(rows)), "group": groups, "embedding": lists})


def run(spark: Any, table: pa.Table, folder: str, group: str | None, limits: Limits) -> None:
    path = str(Path(folder, "rows.parquet"))
    if not Path(path).exists():
        pq.write_table(table, path, row_group_size=10_000)
    frame = spark.read.parquet(path)
    with stages_since(spark) as stages:
        start = time.perf_counter()
        links = link_dataframe(
            frame, embedding="embedding", group=group, id="id", index="flat", limits=limits
        )
        counted = time.perf_counter() - start
        links.lists().write.mode("overwrite").parquet(str(Path(folder, "links.parquet")))
        all_of_it = time.perf_counter() - start
    print(f"  Spark {all_of_it:.1f} s, of which {counted:.1f} s to count")
    for name in ("small", "ordinary", "giant"):
        part = getattr(links.plan, name)
        if part.groups:
            planned = f"{(part.shuffle_bytes + part.merge_bytes) / 1e6:,.0f} MB planned"
            print(f"    {name}: {part.groups:,} groups, {part.rows:,} rows, {part.tasks:,} tasks, {planned}")
    for stage in stages:
        moved = (
            f"wrote {stage.shuffle_write_bytes / 1e6:,.1f} MB, read {stage.shuffle_read_bytes / 1e6:,.1f} MB"
        )
        print(f"    stage {stage.id}: {stage.tasks} tasks, {stage.run_seconds:.1f} s in them, {moved}")

    vectors = np.stack(table["embedding"].to_numpy())
    groups = None if group is None else table[group].to_numpy()
    start = time.perf_counter()
    single = grouplink.link(vectors, groups, index="flat", threads=2)
    print(f"  one process {time.perf_counter() - start:.1f} s")
    rows = pq.read_table(str(Path(folder, "links.parquet"))).sort_by("id")
    targets = rows["targets"].combine_chunks()
    weights = rows["weights"].combine_chunks().flatten().to_numpy()
    same = (
        np.array_equal(np.diff(single.offsets), targets.value_lengths().to_numpy())
        and np.array_equal(single.targets, targets.flatten().to_numpy())
        and single.weights.tobytes() == weights.tobytes()
    )
    print(f"  {len(single):,} links, {'the same' if same else 'NOT THE SAME'}")
    if not same:
        sys.exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("vectors")
    parser.add_argument("rows")
    parser.add_argument("--master", default="local[2]")
    options = parser.parse_args()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master(options.master)
        .config("spark.driver.memory", "2g")
        .config("spark.log.level", "ERROR")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    spark.range(2).repartition(2).mapInArrow(lambda batches: batches, "id long").count()  # workers start
    table = rows_of(options.vectors, options.rows)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{len(table):,} rows by group")
        run(spark, table, folder, "group", Limits())
        print("the same, three paths")
        run(spark, table, folder, "group", Limits(small_work=1e9, task_work=2e10))
        print("all rows as one group, in tiles")
        run(spark, table, folder, None, Limits(task_work=4e11))
    spark.stop()


if __name__ == "__main__":
    main()
