"""Which path each group takes, and in how many tasks: pure functions of group sizes."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

from grouplink.spark import _plane
from grouplink.spark._options import Limits

Key = Union[str, int]
Number = Any  # or a column of numbers: the same arithmetic holds on the executors

#: Tasks for each core where there is work for so many: the last one to end then holds up little.
TASKS_A_CORE = 3
#: A task of small groups is filled so far on average: groups go to tasks by chance.
FILLED = 0.5


@dataclass(frozen=True)
class Shape:
    """A group as the plan sees it.

    Attributes
    ----------
    rows : int
        Rows of the group that take part.
    dim : int
        Components of each.
    component : int
        Bytes of each: 4 or 8.
    links : int
        Neighbors of each row.
    """

    rows: int
    dim: int
    component: int
    links: int

    @property
    def work(self) -> float:
        """Components of all pairs."""
        return self.rows * (self.rows - 1) / 2 * self.dim

    @property
    def memory(self) -> float:
        """See `worker_memory`."""
        return float(worker_memory(self.rows, self.dim, self.component, self.links))


def worker_memory(rows: Number, dim: Number, component: int, links: Number) -> Number:
    """Bytes that a Python worker takes to link rows in one task.

    They come as Arrow batches and are put in order, which takes them twice; the engine has them as float32
    and int8, and keeps candidates, two places each; then links, twice: its own, and those handed on.
    """
    return rows * (dim * (2 * component + 5) + 16 * (links + 8) + 24 * links + 128)


#: Of a row in a shuffle, what is not its components: eight bytes a column, lengths, a short id and group.
ROW_OVERHEAD = 88


def row_bytes(dim: Number, component: int) -> Number:
    """Bytes of a row in a shuffle before compression: Spark has a bit for each component besides."""
    return dim * component + dim / 8 + ROW_OVERHEAD


def candidate_bytes(links: int) -> float:
    """Bytes of the candidates that a task of tiles has for a row: four for a distance, eight for an id."""
    return 12 * links + 2 * ROW_OVERHEAD


@dataclass(frozen=True)
class Ordinary:
    """A group that runs whole, and the task of those of its path that it goes to."""

    key: Key
    shape: Shape
    task: int


@dataclass(frozen=True)
class Giant:
    """A group in tiles: `order` squared of them, and `tasks` from the `first` of those of its path."""

    key: Key
    shape: Shape
    order: int
    first: int

    @property
    def tasks(self) -> int:
        return _plane.lines(self.order)


@dataclass(frozen=True)
class Path:
    """What one of the three paths comes to.

    Attributes
    ----------
    groups, rows, tasks : int
    shuffle_bytes : float
        Estimated bytes of rows that are sent to tasks, before compression.
    merge_bytes : float
        The same of candidates that are sent to be merged.
    work : float
        Pairs of rows times components that are scored.
    """

    groups: int = 0
    rows: int = 0
    tasks: int = 0
    shuffle_bytes: float = 0.0
    merge_bytes: float = 0.0
    work: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Groups by path. `small` ones are known by their totals alone; there may be any number of them."""

    small: Path
    ordinary: Path
    giant: Path
    ordinary_groups: tuple[Ordinary, ...] = ()
    giant_groups: tuple[Giant, ...] = ()

    @property
    def tasks(self) -> int:
        """Tasks that search."""
        return self.small.tasks + self.ordinary.tasks + self.giant.tasks


@dataclass(frozen=True)
class SmallTotals:
    """Sums over all groups that are small, and the rows in no group, which travel with them."""

    groups: int = 0
    rows: int = 0
    memory: float = 0.0
    work: float = 0.0
    shuffle_bytes: float = 0.0


def is_small(shape: Shape, limits: Limits) -> bool:
    return shape.memory <= limits.most_small_memory and shape.work <= limits.most_small_work


def is_giant(shape: Shape, limits: Limits) -> bool:
    return shape.rows > 2 and (shape.memory > limits.task_memory or shape.work > limits.task_work)


def make_plan(
    small: SmallTotals, others: Sequence[tuple[Key, Shape]], limits: Limits, parallelism: int
) -> Plan:
    """Choose tasks for all groups.

    Parameters
    ----------
    small : SmallTotals
    others : sequence of (key, shape)
        All groups that are not small.
    limits : Limits
    parallelism : int
        Tasks that the cluster runs at once.

    Raises
    ------
    ValueError
        When a group is too large for any number of tasks.
    """
    giants = [(key, shape) for key, shape in others if is_giant(shape, limits)]
    ordinary = [(key, shape) for key, shape in others if not is_giant(shape, limits)]
    ordinary_groups = _deal(ordinary, limits, parallelism)
    giant_groups = _lay_out(giants, limits)
    return Plan(
        small=Path(
            groups=small.groups,
            rows=small.rows,
            tasks=_small_tasks(small, limits, parallelism),
            shuffle_bytes=small.shuffle_bytes,
            work=small.work,
        ),
        ordinary=Path(
            groups=len(ordinary),
            rows=sum(shape.rows for _, shape in ordinary),
            tasks=1 + max((group.task for group in ordinary_groups), default=-1),
            shuffle_bytes=sum(s.rows * row_bytes(s.dim, s.component) for _, s in ordinary),
            work=sum(shape.work for _, shape in ordinary),
        ),
        giant=_path_of_giants(giant_groups),
        ordinary_groups=ordinary_groups,
        giant_groups=giant_groups,
    )


def _small_tasks(small: SmallTotals, limits: Limits, parallelism: int) -> int:
    if small.rows == 0:
        return 0
    fewest = max(small.memory / (FILLED * limits.task_memory), small.work / (FILLED * limits.task_work))
    most = max(1, small.groups)  # more would have nothing to do
    return max(1, math.ceil(fewest), min(TASKS_A_CORE * parallelism, most))


def _deal(groups: Sequence[tuple[Key, Shape]], limits: Limits, parallelism: int) -> tuple[Ordinary, ...]:
    """The costliest group first, each to the task that has least (Graham 1969)."""
    fewest = math.ceil(sum(shape.work for _, shape in groups) / limits.task_work)
    tasks = min(len(groups), max(fewest, TASKS_A_CORE * parallelism))
    loads = [(0.0, task) for task in range(tasks)]
    dealt = []
    for key, shape in sorted(groups, key=lambda group: (-group[1].work, str(group[0]))):
        load, task = heapq.heappop(loads)
        dealt.append(Ordinary(key, shape, task))
        heapq.heappush(loads, (load + shape.work + shape.dim, task))
    return tuple(dealt)


def order_of(shape: Shape, limits: Limits) -> int:
    """The order of the plane that a giant group is laid out on: the least at which no task has too much."""
    by_memory = shape.memory / limits.task_memory
    by_work = math.sqrt(shape.work / limits.task_work)
    order = _plane.next_prime(math.ceil(max(by_memory, by_work)))
    if order > _plane.MOST_ORDER:
        raise ValueError(
            f"a group of {shape.rows} rows of dim {shape.dim} would take {_plane.lines(order)} tasks, and "
            f"{_plane.lines(_plane.MOST_ORDER)} are the most; raise Limits(task_memory, task_work) or group "
            "by a finer column"
        )
    return order


def _lay_out(groups: Sequence[tuple[Key, Shape]], limits: Limits) -> tuple[Giant, ...]:
    laid = []
    first = 0
    for key, shape in sorted(groups, key=lambda group: (-group[1].work, str(group[0]))):
        laid.append(Giant(key, shape, order_of(shape, limits), first))
        first += laid[-1].tasks
    return tuple(laid)


def _path_of_giants(groups: Sequence[Giant]) -> Path:
    shuffle = merge = work = 0.0
    for group in groups:
        shape = group.shape
        copies = shape.rows * _plane.copies(group.order)
        shuffle += copies * row_bytes(shape.dim, shape.component)
        merge += copies * candidate_bytes(shape.links)
        task = Shape(math.ceil(shape.rows / group.order), shape.dim, shape.component, shape.links)
        work += group.tasks * task.work
    return Path(
        groups=len(groups),
        rows=sum(group.shape.rows for group in groups),
        tasks=sum(group.tasks for group in groups),
        shuffle_bytes=shuffle,
        merge_bytes=merge,
        work=work,
    )
