"""What a job takes: tasks, bytes and hours, before there is a cluster."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from grouplink.spark import _plane
from grouplink.spark._options import Limits
from grouplink.spark._plan import Plan, Shape, SmallTotals, is_small, make_plan, row_bytes


@dataclass(frozen=True)
class Cluster:
    """Executors, and what they do in a second.

    Attributes
    ----------
    executors, cores : int
        Executors, and the cores of each; a core runs a task.
    score : float
        Components of pairs that a core scores in a second: 3.5e11 with AVX-512 VNNI, 3e10 with AVX2.
    move : float
        Bytes that an executor shuffles in a second: written, sent, read and made Arrow.
    """

    executors: int = 1
    cores: int = 4
    score: float = 1e11
    move: float = 100e6

    @property
    def slots(self) -> int:
        return self.executors * self.cores


@dataclass(frozen=True)
class Size:
    """What a job takes.

    Attributes
    ----------
    plan : Plan
    shuffle_bytes : float
        All that is written for others to read.
    hours : float
        Estimated, of the cluster.
    """

    plan: Plan
    shuffle_bytes: float
    hours: float


def size_of_job(
    groups: Iterable[tuple[int, int]],
    dim: int,
    *,
    n_nearest: int = 15,
    component: int = 4,
    limits: Limits | None = None,
    cluster: Cluster | None = None,
) -> Size:
    """Plan a job from the sizes of its groups.

    Parameters
    ----------
    groups : iterable of (int, int)
        Rows of a group, and how many groups have so many.
    dim : int
    n_nearest : int
    component : int
        Bytes of a component: 4 or 8.
    limits : Limits, optional
    cluster : Cluster, optional

    Examples
    --------
    >>> size_of_job([(1_000_000, 1)], 384).plan.giant.tasks
    56
    """
    limits = limits or Limits()
    cluster = cluster or Cluster()
    small = SmallTotals()
    others: list[tuple[str, Shape]] = []
    for rows, count in groups:
        shape = Shape(rows, dim, component, max(0, min(n_nearest, rows - 1)))
        if not is_small(shape, limits):
            others.extend((f"{rows}-{number}", shape) for number in range(count))
            continue
        small = SmallTotals(
            groups=small.groups + count,
            rows=small.rows + count * rows,
            memory=small.memory + count * shape.memory,
            work=small.work + count * shape.work,
            shuffle_bytes=small.shuffle_bytes + count * rows * row_bytes(dim, component),
        )
    plan = make_plan(small, others, limits, cluster.slots)
    paths = (plan.small, plan.ordinary, plan.giant)
    shuffle = sum(path.shuffle_bytes + path.merge_bytes for path in paths)
    seconds = shuffle / (cluster.executors * cluster.move)
    for path in paths:
        if path.tasks:
            rounds = math.ceil(path.tasks / cluster.slots)
            seconds += rounds * path.work / path.tasks / cluster.score
    return Size(plan, shuffle, seconds / 3600)


#: Groups (rows of each, how many), dim, cluster and limits of the README's table.
_CASES: list[tuple[str, list[tuple[int, int]], int, Cluster, Limits]] = [
    ("10 M in groups of 20", [(20, 500_000)], 384, Cluster(executors=4), Limits()),
    ("100 M in groups of 50,000", [(50_000, 2000)], 384, Cluster(executors=16), Limits()),
    ("1 M in one group", [(1_000_000, 1)], 384, Cluster(executors=4), Limits()),
    ("10 M in one group", [(10_000_000, 1)], 384, Cluster(executors=32), Limits()),
    ("10 M in one group", [(10_000_000, 1)], 1536, Cluster(executors=64), Limits(4 << 30, 1e14)),
    ("100 M in one group", [(100_000_000, 1)], 384, Cluster(executors=400), Limits(8 << 30, 2e15)),
]


def sizing_table() -> str:
    """The table in the README, in Markdown."""
    lines = [
        "| rows | dim | executors x cores | task memory | tasks | copies of a row | shuffled | hours |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rows, groups, dim, cluster, limits in _CASES:
        size = size_of_job(groups, dim, limits=limits, cluster=cluster)
        copies = max([_plane.copies(group.order) for group in size.plan.giant_groups], default=1)
        lines.append(
            f"| {rows} | {dim:,} | {cluster.executors} x {cluster.cores} | {limits.task_memory >> 30} GiB "
            f"| {size.plan.tasks:,} | {copies} | {_bytes_text(size.shuffle_bytes)} | {size.hours:.2g} |"
        )
    return "\n".join(lines)


def _bytes_text(count: float) -> str:
    return f"{count / 1e9:,.0f} GB" if count < 1e12 else f"{count / 1e12:,.1f} TB"
