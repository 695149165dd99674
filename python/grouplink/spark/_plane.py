"""Tiles of a giant group, and which of them meet in a task.

The pairs of n rows are to be scored by tasks that hold m rows each, n = q m. Tasks of two tiles of m / 2 rows
would copy each row to 2 n / m tasks. The lines of an affine plane do with half as many: let the tiles be the
q^2 points (x, y) of the plane over the integers modulo a prime q. Of its q^2 + q lines each has q points, and
any two points lie on exactly one. A task that takes a line holds m rows; each pair of tiles meets in one
task, and each row goes to q + 1 of them. Pairs within a tile are scored q + 1 times, which is 1 / q of the
whole work.
"""

from __future__ import annotations

MOST_ORDER = 997


def next_prime(least: int) -> int:
    """The least prime that is `least` at least."""
    number = max(2, least)
    while any(number % divisor == 0 for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number


def lines(order: int) -> int:
    """Lines of the plane: tasks of a giant group."""
    return order * order + order


def copies(order: int) -> int:
    """Lines through a point: tasks that each row goes to."""
    return order + 1


def line_of(order: int, x: int, y: int, slope: int) -> int:
    """The line through (x, y) with a slope from 0 to order; the last one is the vertical.

    Lines are numbered from 0 to lines(order) - 1.
    """
    return slope * order + (x if slope == order else (y - slope * x) % order)
