#include "links/similarity.hpp"

#include <algorithm>

namespace grouplink {

float WeightOf::operator()(float distance) const {
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

}  // namespace grouplink
