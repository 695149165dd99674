"""Recall against time: which settings of a method are worth having."""

import math

EXACT = 0.99995  # from here on a method counts as exact


def front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those (recall, seconds) that no other point beats in both, by rising recall and seconds."""
    kept = []
    for recall, seconds in sorted(points, key=lambda point: (-point[0], point[1])):
        if not kept or seconds < kept[-1][1]:
            kept.append((recall, seconds))
    return kept[::-1]


def spread(recall: float) -> float:
    """The scale of the plots: each step of 1 is ten times fewer misses."""
    return -math.log10(1.0 - min(recall, EXACT))
