#include "page/layout.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace grouplink::page;

namespace {

double distance(const Point& a, const Point& b) { return std::hypot(a.x - b.x, a.y - b.y); }

void check_inside(const std::vector<Point>& points, double width, double height) {
    for (const Point& p : points) {
        CHECK(std::isfinite(p.x));
        CHECK(std::isfinite(p.y));
        CHECK(p.x >= 0);
        CHECK(p.x <= width);
        CHECK(p.y >= 0);
        CHECK(p.y <= height);
    }
}

}  // namespace

TEST_CASE("a path is laid out along the box, in its order") {
    std::vector<Edge> edges;
    for (std::size_t i = 0; i + 1 < 8; ++i) edges.push_back({i, i + 1, 1.0});
    const std::vector<Point> points = lay_out(8, edges, 300, 200, 10);
    check_inside(points, 300, 200);
    CHECK(distance(points[0], points[7]) > 250);
    for (std::size_t i = 0; i + 1 < 8; ++i) {
        CHECK(distance(points[i], points[i + 1]) < distance(points[0], points[7]) / 2);
    }
}

TEST_CASE("rows stay apart, also where nothing tells them apart") {
    for (const std::size_t nodes : {1U, 2U, 22U}) {
        const std::vector<Point> alone = lay_out(nodes, {}, 300, 200, 24);
        CHECK(alone.size() == nodes);
        check_inside(alone, 300, 200);
        std::vector<Edge> edges;
        for (std::size_t i = 0; i < nodes; ++i) {
            for (std::size_t j = i + 1; j < nodes; ++j) edges.push_back({i, j, 1.0});
        }
        const std::vector<Point> full = lay_out(nodes, edges, 300, 200, 24);
        check_inside(full, 300, 200);
        for (std::size_t i = 0; i < nodes; ++i) {
            for (std::size_t j = i + 1; j < nodes; ++j) CHECK(distance(full[i], full[j]) > 16);
        }
    }
    CHECK(lay_out(0, {}, 300, 200, 24).empty());
}

TEST_CASE("near ones are drawn nearer than far ones") {
    // Two clusters of three with a long edge between.
    const std::vector<Edge> edges{{0, 1, 0.6}, {1, 2, 0.6}, {0, 2, 0.6}, {3, 4, 0.6},
                                  {4, 5, 0.6}, {3, 5, 0.6}, {2, 3, 3.0}};
    const std::vector<Point> points = lay_out(6, edges, 300, 200, 10);
    CHECK(distance(points[0], points[1]) < distance(points[0], points[4]));
    CHECK(distance(points[3], points[4]) < distance(points[4], points[1]));
}
