#include "page/layout.hpp"

#include <algorithm>
#include <cmath>

namespace grouplink::page {
namespace {

constexpr int majorizations = 200;
constexpr int pushes = 60;
constexpr double pi = 3.14159265358979323846;

/// Lengths of the shortest paths; of parts that no path joins, somewhat more than the longest.
std::vector<double> path_lengths(std::size_t nodes, std::span<const Edge> edges) {
    constexpr double none = 1e9;
    std::vector<double> lengths(nodes * nodes, none);
    for (std::size_t i = 0; i < nodes; ++i) lengths[i * nodes + i] = 0.0;
    for (const Edge& edge : edges) {
        double& there = lengths[edge.a * nodes + edge.b];
        there = std::min(there, edge.length);
        lengths[edge.b * nodes + edge.a] = there;
    }
    for (std::size_t via = 0; via < nodes; ++via) {
        for (std::size_t i = 0; i < nodes; ++i) {
            for (std::size_t j = 0; j < nodes; ++j) {
                lengths[i * nodes + j] =
                    std::min(lengths[i * nodes + j], lengths[i * nodes + via] + lengths[via * nodes + j]);
            }
        }
    }
    double longest = 1.0;
    for (const double length : lengths) longest = length < none ? std::max(longest, length) : longest;
    for (double& length : lengths) length = std::min(length, longest * 1.2);
    return lengths;
}

void majorize(std::vector<Point>& points, const std::vector<double>& lengths) {
    const std::size_t nodes = points.size();
    for (std::size_t i = 0; i < nodes; ++i) {
        Point sum;
        double weights = 0.0;
        for (std::size_t j = 0; j < nodes; ++j) {
            if (j == i) continue;
            const double wanted = lengths[i * nodes + j];
            const double weight = 1.0 / (wanted * wanted);
            const double dx = points[i].x - points[j].x;
            const double dy = points[i].y - points[j].y;
            const double stretch = wanted / std::max(std::hypot(dx, dy), 1e-9);
            sum.x += weight * (points[j].x + dx * stretch);
            sum.y += weight * (points[j].y + dy * stretch);
            weights += weight;
        }
        if (weights > 0.0) points[i] = {sum.x / weights, sum.y / weights};
    }
}

/// Turns the points so that they spread most along x, and centres them.
void turn(std::vector<Point>& points) {
    Point centre;
    for (const Point& p : points) centre = {centre.x + p.x, centre.y + p.y};
    const auto count = static_cast<double>(points.size());
    centre = {centre.x / count, centre.y / count};
    double xx = 0.0;
    double yy = 0.0;
    double xy = 0.0;
    for (Point& p : points) {
        p = {p.x - centre.x, p.y - centre.y};
        xx += p.x * p.x;
        yy += p.y * p.y;
        xy += p.x * p.y;
    }
    const double angle = 0.5 * std::atan2(2.0 * xy, xx - yy);
    const double c = std::cos(angle);
    const double s = std::sin(angle);
    for (Point& p : points) p = {c * p.x + s * p.y, c * p.y - s * p.x};
}

void fit(std::vector<Point>& points, double width, double height) {
    const auto [left, right] = std::minmax_element(points.begin(), points.end(),
                                                   [](const Point& a, const Point& b) { return a.x < b.x; });
    const auto [top, bottom] = std::minmax_element(points.begin(), points.end(),
                                                   [](const Point& a, const Point& b) { return a.y < b.y; });
    const Point from{left->x, top->y};
    const Point size{right->x - left->x, bottom->y - top->y};
    for (Point& p : points) {
        p.x = size.x > 1e-6 ? (p.x - from.x) / size.x * width : width / 2;
        p.y = size.y > 1e-6 ? (p.y - from.y) / size.y * height : height / 2;
    }
}

void push_apart(std::vector<Point>& points, double width, double height, double gap) {
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = i + 1; j < points.size(); ++j) {
            double dx = points[j].x - points[i].x;
            double dy = points[j].y - points[i].y;
            double distance = std::hypot(dx, dy);
            if (distance >= gap) continue;
            if (distance < 1e-6) {  // in the same place: any direction, but not the same for all
                dx = std::cos(static_cast<double>(i + j));
                dy = std::sin(static_cast<double>(i + j));
                distance = 1.0;
            }
            const double step = 0.5 * (gap - std::min(distance, gap)) / distance;
            points[i] = {points[i].x - dx * step, points[i].y - dy * step};
            points[j] = {points[j].x + dx * step, points[j].y + dy * step};
        }
    }
    for (Point& p : points) p = {std::clamp(p.x, 0.0, width), std::clamp(p.y, 0.0, height)};
}

}  // namespace

std::vector<Point> lay_out(std::size_t nodes, std::span<const Edge> edges, double width, double height,
                           double gap) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < nodes; ++i) {
        const double angle = 2.0 * pi * static_cast<double>(i) / static_cast<double>(nodes);
        points.push_back({std::cos(angle), std::sin(angle)});
    }
    if (nodes == 0) return points;
    const std::vector<double> lengths = path_lengths(nodes, edges);
    for (int i = 0; i < majorizations; ++i) majorize(points, lengths);
    turn(points);
    fit(points, width, height);
    for (int i = 0; i < pushes; ++i) push_apart(points, width, height, gap);
    return points;
}

}  // namespace grouplink::page
