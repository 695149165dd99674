#pragma once

#include <grouplink/link.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace grouplink::cli {

/// How fast a stage goes, smoothed: the pace of late counts most, over a time that grows with the stage.
class Pace {
public:
    /// `before` of the stage, a share, was done by an earlier run, in a time that says nothing of this one.
    explicit Pace(double before = 0.0) : before_(before), done_(before) {}
    /// `done` of the stage, a share, after `seconds` of it; both only ever grow.
    void update(double done, double seconds);
    /// Share a second; 0 as long as nothing can be said.
    double share_per_second() const { return trusted() ? pace_ : 0.0; }
    /// From `seconds` of the stage on; nothing as long as it would jump about, or was too short.
    std::optional<double> seconds_left(double seconds) const;

private:
    bool trusted() const;

    double before_;
    double done_;
    double seconds_ = 0.0;
    double pace_ = 0.0;
};

/// "knn       43%  0:12  0:15 left  52,000 rows/s", in at most `width` columns: where there is less
/// room, what stands last is left out first.
std::string progress_text(const Progress& progress, const Pace& pace, double elapsed_seconds,
                          std::size_t width);

/// One line on standard error, rewritten in place as the job goes on, and by itself every second, so that
/// its clock shows that the job lives; blank again in the end. It writes no colour and no escape sequence.
/// A line that is not shown writes nothing.
class ProgressLine {
public:
    explicit ProgressLine(bool shown);
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void update(const Progress& progress);
    /// Ends it: nothing is shown from here on.
    void clear() noexcept;
    /// Once ended: "3.2 s (read 0.4, knn 2.7)", the stages in their order but for the shortest; empty
    /// where nothing was shown.
    std::string times_text() const;
    /// For JobControl; empty when nothing is shown. The line must outlive the job.
    std::function<void(const Progress&)> callback();

private:
    using Clock = std::chrono::steady_clock;

    void draw();
    void end_stage(Clock::time_point now);
    void tick(const std::stop_token& stop);

    bool shown_;
    std::vector<std::pair<std::string, double>> ended_;  ///< stages and their seconds
    std::mutex mutex_;
    std::condition_variable_any stopped_;
    std::string stage_;
    std::string unit_;
    Progress progress_;  ///< its texts are those above
    Pace pace_;
    Clock::time_point stage_start_;
    std::size_t drawn_ = 0;  ///< columns on the screen now
    std::jthread ticker_;
};

}  // namespace grouplink::cli
