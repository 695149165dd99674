#pragma once

#include <grouplink/options.hpp>

namespace grouplink {

/// The weight of a link over a canonical distance (see Neighbors), as SPEC'd by the options; it never
/// grows with the distance.
///
/// angular (d in [0, 2], cos = 1 - d^2 / 2): 1 - d / 2, (1 + cos) / 2 or max(0, cos).
/// euclidean, manhattan: 1 / (1 + d). hamming (d in bits): 1 - d / dim. dot (d = -x.y): -d.
class WeightOf {
public:
    /// `dim` of the row's group matters to hamming only.
    WeightOf(const LinkOptions& options, double dim)
        : metric_(options.metric), similarity_(options.similarity), dim_(dim) {}

    float operator()(float distance) const;

private:
    Metric metric_;
    Similarity similarity_;
    double dim_;
};

}  // namespace grouplink
