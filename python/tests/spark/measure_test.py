"""Tasks and shuffled bytes are those that the plan says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from grouplink.spark import Limits, link_dataframe, size_of_job
from grouplink.spark._measure import stages_since

DIM = 64
SIZES = {"small": (12, 100), "ordinary": (400, 6), "giant": (2000, 1)}
LIMITS = Limits(small_work=DIM * 20 * 19 / 2, task_work=DIM * 420 * 419 / 2)


def frame_of(spark: Any, paths: list[str]) -> Any:
    sizes = [rows for path in paths for rows in [SIZES[path][0]] * SIZES[path][1]]
    draw = np.random.default_rng(0)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(draw.normal(size=len(groups) * DIM).astype(np.float32)), DIM
    )
    table = pa.table(
        {
            "id": np.arange(len(groups)),
            "site": pa.array(groups).cast(pa.string()),
            "embedding": vectors.cast(pa.list_(pa.float32())),
        }
    )
    return spark.createDataFrame(table).repartition(2).persist()


@pytest.mark.parametrize("paths", [["small"], ["ordinary"], ["giant"], list(SIZES)], ids="-".join)
def test_shuffled_bytes_and_tasks(spark: Any, paths: list[str]) -> None:
    frame = frame_of(spark, paths)
    rows = frame.count()
    links = link_dataframe(frame, embedding="embedding", group="site", id="id", limits=LIMITS, parallelism=4)
    with stages_since(spark) as stages:
        links.lists().write.format("noop").mode("overwrite").save()
    plan = links.plan
    for path in SIZES:
        taken = getattr(plan, path)
        assert (taken.tasks > 0) == (path in paths)
        if path in paths and (path == "giant" or len(paths) == 1):  # the last stage is of all paths
            assert taken.tasks in [stage.tasks for stage in stages]
    print([(stage.tasks, stage.shuffle_write_bytes) for stage in stages], plan)
    measured = sum(stage.shuffle_write_bytes for stage in stages)
    planned = sum(p.shuffle_bytes + p.merge_bytes for p in (plan.small, plan.ordinary, plan.giant))
    assert measured == pytest.approx(planned, rel=0.15)
    assert sum(stage.shuffle_read_bytes for stage in stages) == pytest.approx(measured, rel=0.01)

    of_sizes = size_of_job([SIZES[path] for path in paths], DIM, limits=LIMITS).plan
    assert (of_sizes.giant, of_sizes.ordinary.groups) == (plan.giant, plan.ordinary.groups)
    assert of_sizes.small.shuffle_bytes == pytest.approx(plan.small.shuffle_bytes, rel=0.02)
    assert sum(p.rows for p in (of_sizes.small, of_sizes.ordinary, of_sizes.giant)) == rows
    frame.unpersist()


def test_no_vector_is_shuffled_to_count(spark: Any) -> None:
    frame = frame_of(spark, ["ordinary"])
    frame.count()
    with stages_since(spark) as stages:
        link_dataframe(frame, embedding="embedding", group="site", id="id", limits=LIMITS)
    assert 0 < sum(stage.shuffle_write_bytes for stage in stages) < 10_000
    frame.unpersist()
