"""The options of a job, checked once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grouplink import _core

#: Below every weight: float64's least number, as a threshold that keeps all links.
EVERYTHING = float(np.finfo(np.float64).min)


@dataclass(frozen=True)
class Limits:
    """What a task may hold and do; it decides which path a group takes, never what an exact search finds.

    A group is *small* up to `small_memory` and `small_work`: many of them share a task. It is *giant* past
    `task_memory` or `task_work`: it is cut into tiles. All others are *ordinary*, and run whole, one at a
    time.

    Attributes
    ----------
    task_memory : int
        Bytes of a Python worker while it links rows; see `worker_memory`. It takes some 200 MiB besides.
    task_work : float
        Pairs of rows times components that one task may score: 1e13 take half a minute on a core with
        AVX-512 VNNI, some minutes on one without.
    small_memory, small_work
        None: a 32nd of `task_memory`, a 1000th of `task_work`.

    Raises
    ------
    ValueError
        When a limit is not positive.
    """

    task_memory: int = 1 << 30
    task_work: float = 1e13
    small_memory: int | None = None
    small_work: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not value > 0:
                raise ValueError(f"{name}: got {value}, wants a number above 0")

    @property
    def most_small_memory(self) -> float:
        return self.task_memory / 32 if self.small_memory is None else self.small_memory

    @property
    def most_small_work(self) -> float:
        return self.task_work / 1000 if self.small_work is None else self.small_work


#: What a Python worker takes before it has rows: the interpreter, NumPy, Arrow, the engine.
WORKER_MEMORY = 200 << 20
_LEAST_TASK_MEMORY = 64 << 20


def default_limits(setting: Callable[[str], str | None]) -> Limits:
    """What tasks may hold where Spark bounds the memory of Python workers, else the defaults.

    Parameters
    ----------
    setting : callable
        The value of a setting of Spark, None where there is none.
    """
    room = _bytes_of(setting("spark.executor.pyspark.memory"))
    if room is None and (setting("spark.master") or "").startswith(("yarn", "k8s")):
        room = _bytes_of(setting("spark.executor.memoryOverhead"))
        if room is None:
            factor = float(setting("spark.executor.memoryOverheadFactor") or 0.1)
            room = max(384 << 20, int(factor * (_bytes_of(setting("spark.executor.memory")) or 1 << 30)))
    if room is None:
        return Limits()
    tasks = max(1, int(setting("spark.executor.cores") or 1) // int(setting("spark.task.cpus") or 1))
    return Limits(task_memory=max(_LEAST_TASK_MEMORY, room // tasks - WORKER_MEMORY))


def _bytes_of(size: str | None) -> int | None:
    """Of "512m", "2g"; a number alone is in MiB."""
    found = re.fullmatch(r"(\d+)([kmgt]?)b?", (size or "").strip().lower())
    if found is None:
        return None
    return int(found[1]) << {"k": 10, "": 20, "m": 20, "g": 30, "t": 40}[found[2]]


@dataclass(frozen=True)
class Options:
    """The options of `grouplink.link`, by name."""

    given: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _core.check_options(dict(self.given))

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    @property
    def cut_is_global(self) -> bool:
        """Whether the cut is known only when all links are found."""
        return bool(self["similarity_min_q"] > 0 and self["quantile_scope"] == "all")

    @property
    def cut_is_of_group(self) -> bool:
        return bool(self["similarity_min_q"] > 0 and self["quantile_scope"] == "group")

    def in_task(self, threads: int) -> dict[str, Any]:
        """What a task is told that has whole groups: all but a cut over groups of other tasks."""
        told = {**self.given, "on_bad_row": "drop", "threads": threads}
        if self.cut_is_global:
            told |= {"similarity_min": EVERYTHING, "similarity_min_q": 0.0}
        return told

    def in_tile(self, threads: int) -> dict[str, Any]:
        """What a task is told that has some tiles of a group: to find neighbors, exactly."""
        told = {**self.in_task(threads), "index": "flat", "links": "directed"}
        return told | {"similarity_min": EVERYTHING, "similarity_min_q": 0.0}
