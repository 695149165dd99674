#pragma once

#include <grouplink/link.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

/// What tests hold the engine against: brute force in long double, written as plainly as can be, and
/// nothing of the engine's.
namespace oracle {

/// Rows kept in double, with views of them in any element type.
struct Rows {
    std::vector<std::vector<double>> values;  ///< may be ragged
    std::vector<std::uint8_t> valid;          ///< empty: all

    std::int64_t size() const { return static_cast<std::int64_t>(values.size()); }
};

/// The rows as the engine takes them, rounded to `type`; `ragged` gives offsets even if all are alike.
class Packed {
public:
    Packed(Rows& rows, grouplink::ElementType type, bool ragged = false);
    const grouplink::MatrixView& view() const { return view_; }

private:
    std::vector<unsigned char> bytes_;
    std::vector<std::int64_t> offsets_;
    grouplink::MatrixView view_;
};

Rows gaussian_rows(std::int64_t rows, std::int64_t dim, std::mt19937_64& random);
/// Points round `clusters` centers, `spread` of the centers' own distance away.
Rows clustered_rows(std::int64_t rows, std::int64_t dim, std::int64_t clusters, double spread,
                    std::mt19937_64& random);

/// The distance by its textbook formula; minus the inner product under dot.
double distance(const std::vector<double>& x, const std::vector<double>& y, grouplink::Metric metric);
double weight(double distance, std::int64_t dim, const grouplink::LinkOptions& options);

/// Checks the whole result, links of a row in any mode and under any threshold; "" or what is wrong.
/// `ok` says which rows take part. Distances within `tolerance` (relative, and absolute below 1) count
/// as equal.
std::string check(const Rows& rows, const grouplink::GroupColumn& groups, const std::vector<bool>& ok,
                  const grouplink::LinkOptions& options, const grouplink::CsrGraph& graph,
                  double tolerance = 1e-6);

}  // namespace oracle
