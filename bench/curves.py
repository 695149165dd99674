"""Recall against time: which settings of a method are worth having, and what a given recall takes."""

import math

EXACT = 0.99995  # from here on a method counts as exact, and nothing is read between it and what is below


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


def seconds_at(points: list[tuple[float, float]], recall: float) -> float | None:
    """What a method takes to reach a recall, along its front: between two settings, the logarithm of the
    time is taken as linear on the scale of `spread`; below the lowest, that one's time; above the highest,
    None. Between a setting that misses something and an exact one there is nothing: the exact one's."""
    edge = front(points)
    for place, (reached, seconds) in enumerate(edge):
        if reached < recall:
            continue
        if place == 0 or reached >= EXACT:
            return seconds
        below, less = edge[place - 1]
        share = (spread(recall) - spread(below)) / (spread(reached) - spread(below))
        return math.exp(math.log(less) + share * (math.log(seconds) - math.log(less)))
    return None
