// A race on purpose, in the engine's own workers: what the thread sanitizer does not report here, it would
// not report elsewhere.

#include "parallel/workers.hpp"

#include <cstdio>

int main() {
    std::int64_t sum = 0;
    grouplink::parallel::for_blocks(4000, 1, 4, {}, "test",
                                    [&sum](std::int64_t first, std::int64_t, int) { sum += first; });
    std::printf("%lld\n", static_cast<long long>(sum));
    return 0;
}
