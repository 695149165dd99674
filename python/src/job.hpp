#pragma once

#include <grouplink/error.hpp>
#include <grouplink/job.hpp>

#include <nanobind/nanobind.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace grouplink::python {

namespace nb = nanobind;

/// What the engine's threads tell the thread that waits for them.
class Bulletin {
public:
    struct News {
        std::string stage;
        std::int64_t done = 0;
        std::int64_t total = 0;
    };

    void tell(const Progress& progress);
    void tell_done();
    void wait_done();
    /// Waits for news for a while. What came, if anything, and whether the job is done.
    std::pair<std::optional<News>, bool> wait(std::chrono::milliseconds most);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<News> news_;
    bool done_ = false;
};

/// Waits for the job, calling progress(stage, done, total) from this thread if it is not None. An exception
/// of it, or of a signal's handler, such as KeyboardInterrupt, stops the job and comes out when it has ended.
void follow(Bulletin& bulletin, std::stop_source& stop, const nb::object& progress);

/// job(control) on a thread of its own, while this one sees to signals and progress. The GIL is held by
/// neither as long as there is nothing to call.
template <typename Job>
auto run_job(const nb::object& progress, Job job) {
    using Result = decltype(job(std::declval<const JobControl&>()));
    Bulletin bulletin;
    std::stop_source stop;
    JobControl control{{}, stop.get_token()};
    if (!progress.is_none()) {
        control.on_progress = [&](const Progress& told) { bulletin.tell(told); };
    }
    std::optional<Result> result;
    std::exception_ptr thrown;
    {
        std::jthread worker([&] {
            try {
                result.emplace(job(control));
            } catch (...) {
                thrown = std::current_exception();
            }
            bulletin.tell_done();
        });
        follow(bulletin, stop, progress);
    }
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
}

}  // namespace grouplink::python
