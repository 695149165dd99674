"""What Spark did: tasks and bytes of its stages, from its own books."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Stage:
    """A stage that ran.

    Attributes
    ----------
    id, tasks : int
    shuffle_write_bytes, shuffle_read_bytes : int
        After compression.
    run_seconds : float
        Of all its tasks together.
    """

    id: int
    tasks: int
    shuffle_write_bytes: int
    shuffle_read_bytes: int
    run_seconds: float


def _all_stages(spark: SparkSession) -> list[Stage]:
    context = spark.sparkContext
    if context.uiWebUrl is None:
        raise ValueError("spark.ui.enabled: got false, wants true: stages are asked of its REST interface")
    java: Any = context._jsc
    java.sc().listenerBus().waitUntilEmpty()
    address = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/stages?status=complete"
    with urllib.request.urlopen(address) as answer:
        stages = json.load(answer)
    return [
        Stage(
            id=stage["stageId"],
            tasks=stage["numCompleteTasks"],
            shuffle_write_bytes=stage["shuffleWriteBytes"],
            shuffle_read_bytes=stage["shuffleReadBytes"],
            run_seconds=stage["executorRunTime"] / 1000,
        )
        for stage in sorted(stages, key=lambda stage: stage["stageId"])
    ]


@contextmanager
def stages_since(spark: SparkSession) -> Iterator[list[Stage]]:
    """The stages of what is done within, filled in at its end."""
    before = max((stage.id for stage in _all_stages(spark)), default=-1)
    stages: list[Stage] = []
    yield stages
    stages.extend(stage for stage in _all_stages(spark) if stage.id > before)
