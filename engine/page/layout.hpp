#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace grouplink::page {

struct Point {
    double x = 0.0;
    double y = 0.0;
};

struct Edge {
    std::size_t a = 0;
    std::size_t b = 0;
    double length = 1.0;  ///< wished for, above 0
};

/// Places `nodes` points, a few dozens at most, so that paths along edges have about their lengths on the
/// plane (stress majorization: Gansner, Koren and North, 2004); then fits them into the box, the longest way
/// across, and pushes those apart that are nearer than `gap`.
std::vector<Point> lay_out(std::size_t nodes, std::span<const Edge> edges, double width, double height,
                           double gap);

}  // namespace grouplink::page
