#!/usr/bin/env python3
import math
import unittest

from curves import front, spread


class Curves(unittest.TestCase):
    def test_front_leaves_out_what_another_point_beats(self):
        points = [(0.9, 2.0), (0.95, 1.0), (0.99, 4.0), (0.99, 3.0), (0.97, 5.0)]
        self.assertEqual(front(points), [(0.95, 1.0), (0.99, 3.0)])

    def test_spread_has_no_infinity(self):
        self.assertTrue(math.isfinite(spread(1.0)))


if __name__ == "__main__":
    unittest.main()
