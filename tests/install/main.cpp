// What a user's first program looks like: six vectors in two groups, one link a row. Built by each
// of the consumer projects beside this file.
#include <grouplink/link.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

int failures = 0;

void check(bool holds, const char* what) {
    if (holds) return;
    std::printf("wrong: %s\n", what);
    ++failures;
}

}  // namespace

int main() {
    std::printf("grouplink %s, headers %s\n", grouplink::version(), GROUPLINK_VERSION);
    check(std::strcmp(grouplink::version(), GROUPLINK_VERSION) == 0,
          "the library is not that of the headers");

    // Rows 0, 2, 4 are one group and 1, 3, 5 the other. Across groups rows 0 and 1 are the same.
    const std::vector<float> vectors{1.0F, 0.0F, 1.0F, 0.0F, 0.8F, 0.6F, 0.0F, 1.0F, 0.0F, 1.0F, 0.6F, 0.8F};
    const std::vector<std::int64_t> groups{7, 9, 7, 9, 7, 9};
    const auto column = grouplink::encode_groups(groups);
    const auto result = grouplink::build_links(grouplink::matrix_view(vectors, 2), column, {.n_nearest = 1});

    check(result.graph.rows() == 6, "not one row of links a row of the input");
    check(result.graph.targets == std::vector<std::int64_t>{2, 5, 0, 5, 2, 3},
          "not the nearest of the group");
    for (const float weight : result.graph.weights)
        check(weight > 0.5F && weight < 1.0F, "a weight out of range");

    // An exception has to be caught as what it is, across the library's border.
    bool caught = false;
    try {
        grouplink::build_links(grouplink::matrix_view(vectors, 2), column, {.n_nearest = 0});
    } catch (const grouplink::Error& error) {
        caught = error.code() == grouplink::ErrorCode::invalid_options;
    }
    check(caught, "n_nearest = 0 was not refused");
    return failures == 0 ? 0 : 1;
}
