"""The exact quantile of weights that lie on many machines, as `numpy.quantile` has it.

Weights are float32. Put in order, their bits are 32-bit integers: one pass counts them by the high half,
which tells the high halves of the two order statistics wanted, and one more counts those by the low half.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_BUCKETS = 1 << 16


def ordered_bits(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.uint32]:
    """The bits of floats, in the order of their values."""
    bits = np.ascontiguousarray(weights, np.float32).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))


def from_ordered_bits(ordered: int) -> float:
    """The float of such bits."""
    bits = ordered & 0x7FFFFFFF if ordered >> 31 else ~ordered & 0xFFFFFFFF
    return float(np.array([bits], np.uint32).view(np.float32)[0])


def count_bits(
    batch: pa.RecordBatch,
    low_of: dict[str, list[int]] | None,
    counted: dict[tuple[str, int], npt.NDArray[np.int64]],
) -> None:
    """Add a batch of `grp` and `weights` to counts by high bits, or, of those in `low_of`, by low bits."""
    lists = batch.column("weights")
    values = lists.flatten()
    bits = ordered_bits(values.to_numpy(zero_copy_only=False))
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    groups = batch.column("grp").dictionary_encode()
    codes = np.repeat(groups.indices.to_numpy(), lengths)
    for code, group in enumerate(groups.dictionary.to_pylist()):
        own = bits if len(groups.dictionary) == 1 else bits[codes == code]
        if low_of is None:
            _add(counted, (group, -1), own >> 16)
            continue
        for high in low_of.get(group, []):
            _add(counted, (group, high), own[own >> 16 == high] & 0xFFFF)


def _add(
    counted: dict[tuple[str, int], npt.NDArray[np.int64]], at: tuple[str, int], bits: npt.NDArray[Any]
) -> None:
    counts = np.bincount(bits, minlength=_BUCKETS)
    counted[at] = counted[at] + counts if at in counted else counts


def ranks_of(count: int, q: float) -> tuple[list[int], float]:
    """The ranks between which the quantile lies, one or two of them, and its share of the way between."""
    place = q * (count - 1)
    below = math.floor(place)
    share = place - below
    return ([below] if share == 0.0 else [below, below + 1]), share


def between(ends: list[float], share: float) -> float:
    """Linear interpolation towards the nearer end, as NumPy has it: equal ends give that very number."""
    low, high = ends[0], ends[-1]
    return low + (high - low) * share if share < 0.5 else high - (high - low) * (1.0 - share)


def find_rank(counts: npt.NDArray[np.int64], rank: int) -> tuple[int, int]:
    """The bucket of a rank, and the rank within it."""
    ends = np.cumsum(counts)
    bucket = int(np.searchsorted(ends, rank, side="right"))
    return bucket, rank - int(ends[bucket] - counts[bucket])


def quantiles(frame: DataFrame, q: float) -> dict[str, float]:
    """The quantile of all weights of each group.

    Parameters
    ----------
    frame : DataFrame
        `grp`, a string, and `weights`, an array of floats. It is read twice.
    q : float
        From 0 to 1.

    Returns
    -------
    dict
        By group; groups without weights are not in it.
    """
    wanted: dict[str, list[tuple[int, int]]] = {}
    shares: dict[str, float] = {}
    for (group, _), counts in _histograms(frame, None).items():
        ranks, shares[group] = ranks_of(int(counts.sum()), q)
        wanted[group] = [find_rank(counts, rank) for rank in ranks]
    lows = _histograms(frame, {group: sorted({high for high, _ in at}) for group, at in wanted.items()})
    found = {}
    for group, at in wanted.items():
        ends = [from_ordered_bits(high << 16 | find_rank(lows[group, high], rank)[0]) for high, rank in at]
        found[group] = between(ends, shares[group])
    return found


def _histograms(
    frame: DataFrame, low_of: dict[str, list[int]] | None
) -> dict[tuple[str, int], npt.NDArray[np.int64]]:
    counted = (
        frame.mapInArrow(_counts(low_of), "grp string, high int, bits int, links long")
        .groupBy("grp", "high", "bits")
        .agg(F.sum("links").alias("links"))
    )
    histograms: dict[tuple[str, int], Any] = {}
    for row in counted.toLocalIterator():
        counts = histograms.setdefault((row["grp"], row["high"]), np.zeros(_BUCKETS, np.int64))
        counts[row["bits"]] = row["links"]
    return histograms


def _counts(
    low_of: dict[str, list[int]] | None,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Count weights by the high 16 bits of their order, or those of some high bits by the low 16.

    Parameters
    ----------
    low_of : dict, optional
        For each group the high bits whose weights are counted by their low bits.
    """

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counted: dict[tuple[str, int], Any] = {}
        for batch in batches:
            count_bits(batch, low_of, counted)
        for (group, high), counts in counted.items():
            bits = np.flatnonzero(counts)
            yield pa.RecordBatch.from_pydict(
                {
                    "grp": pa.array([group] * len(bits), pa.string()),
                    "high": pa.array([high] * len(bits), pa.int32()),
                    "bits": pa.array(bits.astype(np.int32)),
                    "links": pa.array(counts[bits].astype(np.int64)),
                }
            )

    return task
