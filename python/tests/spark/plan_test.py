"""The path of each group, tiles and tasks: no Spark is needed for these."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from grouplink.spark import _plane
from grouplink.spark._options import WORKER_MEMORY, Limits, default_limits
from grouplink.spark._plan import Shape, SmallTotals, is_giant, is_small, make_plan, order_of


def shape(rows: int, dim: int = 384) -> Shape:
    return Shape(rows, dim, 4, 15)


@pytest.mark.parametrize("order", [2, 3, 5, 7])
def test_any_two_tiles_meet_in_one_task(order: int) -> None:
    points = [(x, y) for x in range(order) for y in range(order)]
    of_line = Counter()
    met = Counter()
    for slope in range(order + 1):
        tasks: dict[int, list[tuple[int, int]]] = {}
        for x, y in points:
            tasks.setdefault(_plane.line_of(order, x, y, slope), []).append((x, y))
        for line, on_it in tasks.items():
            of_line[line] += len(on_it)
            met.update((a, b) for a in on_it for b in on_it)
    assert sorted(of_line) == list(range(_plane.lines(order)))
    assert set(of_line.values()) == {order}
    assert all(met[a, b] == (_plane.copies(order) if a == b else 1) for a in points for b in points)


@pytest.mark.parametrize(
    "settings, memory",
    [
        ({"spark.master": "local[2]"}, 1 << 30),
        ({"spark.master": "spark://host:7077", "spark.executor.memory": "64g"}, 1 << 30),
        ({"spark.executor.pyspark.memory": "8g", "spark.executor.cores": "4"}, (2 << 30) - WORKER_MEMORY),
        (
            {"spark.executor.pyspark.memory": "8192", "spark.executor.cores": "4", "spark.task.cpus": "2"},
            (4 << 30) - WORKER_MEMORY,
        ),
        ({"spark.master": "yarn", "spark.executor.memoryOverhead": "1gb"}, (1 << 30) - WORKER_MEMORY),
        ({"spark.master": "yarn", "spark.executor.memory": "2g"}, (384 << 20) - WORKER_MEMORY),
        (
            {
                "spark.master": "k8s://host",
                "spark.executor.memory": "10g",
                "spark.executor.memoryOverheadFactor": "0.4",
            },
            (4 << 30) - WORKER_MEMORY,
        ),
        ({"spark.master": "yarn", "spark.executor.cores": "8"}, 64 << 20),
    ],
)
def test_tasks_have_what_spark_leaves_to_python(settings: dict[str, str], memory: int) -> None:
    assert default_limits(settings.get) == Limits(task_memory=memory)


def test_orders_are_primes() -> None:
    assert [_plane.next_prime(n) for n in (0, 2, 3, 4, 8, 14, 90)] == [2, 2, 3, 5, 11, 17, 97]


def test_paths_go_by_memory_and_work() -> None:
    limits = Limits()
    assert [is_small(shape(rows), limits) for rows in (1, 1000, 5000, 8000)] == [True, True, True, False]
    assert not is_giant(shape(100_000), limits)
    assert is_giant(shape(300_000), limits)  # by work
    assert is_giant(shape(50_000, dim=40_000), limits)  # by memory
    assert not is_small(shape(1000, dim=40_000), limits)


def test_a_task_of_tiles_holds_what_a_task_may() -> None:
    limits = Limits()
    for rows in (250_000, 1_000_000, 5_000_000, 20_000_000):
        giant = shape(rows)
        order = order_of(giant, limits)
        part = shape(math.ceil(rows / order))
        assert part.memory <= limits.task_memory * 1.001
        assert part.work <= limits.task_work * 1.001


def test_ordinary_groups_are_dealt_by_cost() -> None:
    groups = [(f"g{n}", shape(10_000 + 1000 * n)) for n in range(60)]
    plan = make_plan(SmallTotals(), groups, Limits(), parallelism=4)
    loads = Counter()
    for group in plan.ordinary_groups:
        loads[group.task] += group.shape.work
    assert set(loads) == set(range(12))
    assert max(loads.values()) < 1.4 * min(loads.values())
    assert plan.ordinary.tasks == 12 and plan.tasks == 12


def test_small_groups_fill_tasks() -> None:
    limits = Limits()
    by_cores = SmallTotals(groups=10_000, rows=100_000, memory=1e6, work=1e6)
    assert make_plan(by_cores, [], limits, 8).small.tasks == 24
    by_memory = SmallTotals(groups=10_000_000, rows=10**8, memory=1e3 * limits.task_memory, work=1e6)
    assert make_plan(by_memory, [], limits, 8).small.tasks == 2000
    by_groups = SmallTotals(groups=3, rows=9, memory=9.0, work=9.0)
    assert make_plan(by_groups, [], limits, 8).small.tasks == 3
    no_group = SmallTotals(groups=0, rows=7)
    assert make_plan(no_group, [], limits, 8).small.tasks == 1
    assert make_plan(SmallTotals(), [], limits, 8).tasks == 0


def test_giant_groups_have_tasks_of_their_own() -> None:
    plan = make_plan(SmallTotals(), [("a", shape(300_000)), ("b", shape(900_000))], Limits(), 8)
    first, second = plan.giant_groups
    assert first.key == "b" and first.first == 0 and second.first == first.tasks
    assert plan.giant.tasks == first.tasks + second.tasks
    pairs_once = first.shape.work + second.shape.work
    assert pairs_once < plan.giant.work < 1.55 * pairs_once


def test_a_group_past_all_limits_is_refused() -> None:
    with pytest.raises(ValueError, match="raise Limits"):
        order_of(shape(10**9), Limits(task_work=1e9))


@pytest.mark.parametrize("wrong", [{"task_memory": 0}, {"task_work": -1.0}, {"small_work": float("nan")}])
def test_limits_are_above_zero(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}: got"):
        Limits(**wrong)  # type: ignore[arg-type]
