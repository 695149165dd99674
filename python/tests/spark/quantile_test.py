"""Quantiles of weights on many machines are those of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from grouplink.spark._quantile import (
    between,
    count_bits,
    find_rank,
    from_ordered_bits,
    ordered_bits,
    quantiles,
    ranks_of,
)

WEIGHTS = {
    "one": [0.25],
    "ties": [0.5] * 7 + [0.25] * 5 + [0.75],
    "spread": np.random.default_rng(0).normal(size=1001) * np.logspace(-30, 30, 1001),
    "dense": 1 - np.random.default_rng(1).random(5000) * 1e-5,
}
SHARES = [0.0, 1e-3, 0.25, 0.5, 0.7321, 0.95, 1.0]


def wanted(values: Any, q: float) -> float:
    return float(np.quantile(np.asarray(values, np.float32).astype(np.float64), q))


def test_bits_are_in_the_order_of_values() -> None:
    values = np.array([-3e38, -1.0, -1e-40, 0.0, 1e-40, 0.5, 1.0, 3e38], np.float32)
    bits = ordered_bits(values)
    assert (np.diff(bits.astype(np.int64)) > 0).all()
    assert [from_ordered_bits(int(b)) for b in bits] == values.astype(np.float64).tolist()


def test_two_counts_tell_a_rank() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "grp": list(WEIGHTS) * 2,
            "weights": pa.array(
                [list(v)[:2] for v in WEIGHTS.values()] + [list(v)[2:] for v in WEIGHTS.values()],
                pa.list_(pa.float32()),
            ),
        }
    )
    highs: dict[Any, Any] = {}
    count_bits(batch, None, highs)
    for group, values in WEIGHTS.items():
        counts = highs[group, -1]
        assert counts.sum() == len(values)
        for q in SHARES:
            ranks, share = ranks_of(len(values), q)
            ends = []
            for rank in ranks:
                high, rest = find_rank(counts, rank)
                lows: dict[Any, Any] = {}
                count_bits(batch, {group: [high]}, lows)
                ends.append(from_ordered_bits(high << 16 | find_rank(lows[group, high], rest)[0]))
            assert between(ends, share) == wanted(values, q)


@pytest.mark.parametrize("q", SHARES)
def test_quantiles_of_a_frame(spark: Any, q: float) -> None:
    rows = [
        (group, np.asarray(part, np.float32).tolist())
        for group, v in WEIGHTS.items()
        for part in np.array_split(v, 3)
    ]
    frame = spark.createDataFrame([*rows, ("none", []), ("null", None)], "grp string, weights array<float>")
    assert quantiles(frame.repartition(3), q) == {group: wanted(v, q) for group, v in WEIGHTS.items()}
