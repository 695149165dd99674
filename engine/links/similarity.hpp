#pragma once

#include <grouplink/options.hpp>

#include <algorithm>

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

    /// Here, for loops over links to be made of it.
    float operator()(float distance) const {
        const auto d = static_cast<double>(distance);
        double weight = 0.0;
        switch (metric_) {
            case Metric::angular:
                switch (similarity_) {
                    case Similarity::angular: weight = 1.0 - d / 2; break;
                    case Similarity::half_cosine: weight = 1.0 - d * d / 4; break;
                    case Similarity::cosine: weight = std::max(0.0, 1.0 - d * d / 2); break;
                }
                break;
            case Metric::euclidean:
            case Metric::manhattan: weight = 1.0 / (1.0 + d); break;
            case Metric::hamming: weight = 1.0 - d / dim_; break;
            case Metric::dot: weight = 0.0 - d; break;  // not -d: no link weighs minus zero
        }
        return static_cast<float>(weight);
    }

private:
    Metric metric_;
    Similarity similarity_;
    double dim_;
};

}  // namespace grouplink
