// A race on purpose, in the engine's own workers: what the thread sanitizer does not report here, it would
// not report elsewhere.

#include "parallel/workers.hpp"

#include <atomic>
#include <cstdio>
#include <thread>

int main() {
    std::int64_t sum = 0;
    std::atomic<int> running{0};
    grouplink::parallel::for_blocks(2, 1, 2, {}, "test", [&](std::int64_t first, std::int64_t, int) {
        // Both units run at once, or the scheduler's lock would stand between them; relaxed, it orders
        // nothing.
        running.fetch_add(1, std::memory_order_relaxed);
        while (running.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
        sum += first;
    });
    std::printf("%lld\n", static_cast<long long>(sum));
    return 0;
}
