#include <grouplink/error.hpp>
#include <grouplink/options.hpp>
#include <grouplink/report.hpp>
#include <grouplink/version.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace grouplink;

TEST_CASE("defaults are valid and are those of the step this replaces") {
    const LinkOptions options;
    validate(options);
    CHECK(options.n_nearest == 15);
    CHECK(options.similarity_min == 0.0);
    CHECK(options.similarity_min_q == 0.0);
    CHECK(options.metric == Metric::angular);
    CHECK(options.seed == 0);
}

TEST_CASE("each option out of its range has its message") {
    const auto message = [](const LinkOptions& options) -> std::string {
        try {
            validate(options);
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::invalid_options);
            return error.what();
        }
        return "";
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(message({.n_nearest = 0}) == "n_nearest: got 0, must be at least 1");
    CHECK(message({.n_nearest = -3}) == "n_nearest: got -3, must be at least 1");
    CHECK(message({.similarity_min = nan}) == "similarity_min: got nan, must be a finite number");
    CHECK(message({.similarity_min = infinity}) == "similarity_min: got inf, must be a finite number");
    CHECK(message({.similarity_min_q = 1.5}) ==
          "similarity_min_q: got 1.5, must be a quantile between 0 and 1");
    CHECK(message({.similarity_min_q = -0.1}) ==
          "similarity_min_q: got -0.1, must be a quantile between 0 and 1");
    CHECK(message({.similarity_min_q = nan}) ==
          "similarity_min_q: got nan, must be a quantile between 0 and 1");
    CHECK(message({.threads = -1}) == "threads: got -1, must be 0 (automatic) or more");
    CHECK(message({.metric = Metric::dot, .similarity = Similarity::cosine}) ==
          "similarity: \"cosine\" needs metric \"angular\", got \"dot\"");
    CHECK(message({.similarity_min = -5.0, .similarity_min_q = 1.0, .metric = Metric::dot}) == "");
}

TEST_CASE("names") {
    CHECK(name(Metric::manhattan) == "manhattan");
    CHECK(name(Similarity::half_cosine) == "half-cosine");
    CHECK(name(QuantileScope::group) == "group");
    CHECK(name(LinkMode::mutual) == "mutual");
    CHECK(name(IndexKind::automatic) == "auto");
    CHECK(name(BadRowPolicy::drop) == "drop");
    CHECK(name(RowStatus::wrong_dim) == "wrong_dim");
    CHECK(mapping_name({}) == "angular");
    CHECK(mapping_name({.similarity = Similarity::cosine}) == "cosine");
    CHECK(mapping_name({.metric = Metric::hamming}) == "hamming");
}

TEST_CASE("the library's version is the headers'") { CHECK(std::string(version()) == GROUPLINK_VERSION); }
