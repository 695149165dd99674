#!/usr/bin/env python3
import math
import unittest

from curves import front, seconds_at, spread


class Curves(unittest.TestCase):
    def test_front_leaves_out_what_another_point_beats(self):
        points = [(0.9, 2.0), (0.95, 1.0), (0.99, 4.0), (0.99, 3.0), (0.97, 5.0)]
        self.assertEqual(front(points), [(0.95, 1.0), (0.99, 3.0)])

    def test_between_two_settings(self):
        points = [(0.9, 1.0), (0.99, 4.0)]  # spread 1 and 2
        half = 1.0 - 10.0**-1.5
        self.assertAlmostEqual(seconds_at(points, half), 2.0)
        self.assertAlmostEqual(seconds_at(points, 0.99), 4.0)

    def test_outside_of_what_was_measured(self):
        points = [(0.9, 1.0), (0.99, 4.0)]
        self.assertEqual(seconds_at(points, 0.5), 1.0)
        self.assertIsNone(seconds_at(points, 0.995))
        self.assertIsNone(seconds_at([], 0.5))

    def test_nothing_is_read_between_a_setting_and_an_exact_one(self):
        self.assertEqual(seconds_at([(0.9, 1.0), (1.0, 9.0)], 0.91), 9.0)

    def test_spread_has_no_infinity(self):
        self.assertTrue(math.isfinite(spread(1.0)))


if __name__ == "__main__":
    unittest.main()
