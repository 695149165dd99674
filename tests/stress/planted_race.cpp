// A race on purpose, in the engine's own workers: what the thread sanitizer does not report here, it would
// not report elsewhere.

#include "parallel/workers.hpp"

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

int main() {
    // One worker goes up and one down. The sanitizer may miss two accesses of the very same moment, and the
    // two meet at one place only: all others they touch well apart in time, with nothing between that orders
    // them.
    constexpr std::size_t places = 10'000;
    std::vector<std::int64_t> counts(places);
    std::atomic<int> running{0};
    grouplink::parallel::for_blocks(2, 1, 2, {}, "test", [&](std::int64_t first, std::int64_t, int) {
        // Both units run at once, or the scheduler's lock would stand between them; relaxed, it orders
        // nothing.
        running.fetch_add(1, std::memory_order_relaxed);
        while (running.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
        for (std::size_t i = 0; i < places; ++i) ++counts[first == 0 ? i : places - 1 - i];
    });
    std::int64_t sum = 0;
    for (const std::int64_t count : counts) sum += count;
    std::printf("%lld\n", static_cast<long long>(sum));
    return 0;
}
