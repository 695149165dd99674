"""Rows to the very task that they are meant for.

Spark sends a row to partition pmod(hash(column), partitions), where hash is Murmur3 (x86, 32 bits, seed 42).
So a number whose hash leads to each partition is looked for, and rows carry that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def spark_hash(numbers: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """`pyspark.sql.functions.hash` of int columns."""
    with np.errstate(over="ignore"):
        word = np.atleast_1d(np.asarray(numbers, np.int32)).view(np.uint32)
        word = _rotate(word * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)
        mixed = _rotate(np.uint32(42) ^ word, 13) * np.uint32(5) + np.uint32(0xE6546B64)
        mixed ^= np.uint32(4)  # bytes of the number
        mixed = (mixed ^ (mixed >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        mixed ^= mixed >> np.uint32(16)
    result: npt.NDArray[np.int32] = mixed.view(np.int32)
    return result


def keys_of_partitions(partitions: int) -> npt.NDArray[np.int32]:
    """For each of `partitions` partitions a number whose hash leads to it; all are distinct."""
    keys = np.full(partitions, -1, np.int32)
    first, step = 0, max(1024, 4 * partitions)
    while (keys < 0).any():
        numbers = np.arange(first, first + step, dtype=np.int32)
        places = spark_hash(numbers).astype(np.int64) % partitions
        found, at = np.unique(places, return_index=True)
        unseen = keys[found] < 0
        keys[found[unseen]] = numbers[at[unseen]]
        first += step
    return keys


def _rotate(word: npt.NDArray[np.uint32], bits: int) -> Any:
    return (word << np.uint32(bits)) | (word >> np.uint32(32 - bits))
