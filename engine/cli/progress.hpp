#pragma once

#include <grouplink/link.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace grouplink::cli {

/// "knn   43%  52,000 rows/s  0:02 left", in at most `width` columns. `rows` is how many a whole
/// stage handles, or 0 when that is not known.
std::string progress_text(const Progress& progress, double elapsed_seconds, std::int64_t rows,
                          std::size_t width);

/// One line on standard error, rewritten in place, and blank again in the end. It writes no colour
/// and no escape sequence. A line that is not shown writes nothing.
class ProgressLine {
public:
    explicit ProgressLine(bool shown) : shown_(shown) {}
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void set_rows(std::int64_t rows) { rows_ = rows; }
    void update(const Progress& progress);
    void clear() noexcept;
    /// For JobControl; empty when nothing is shown. The line must outlive the job.
    std::function<void(const Progress&)> callback();

private:
    bool shown_;
    std::int64_t rows_ = 0;
    std::size_t drawn_ = 0;  ///< columns on the screen now
    std::string stage_;
    std::chrono::steady_clock::time_point stage_start_;
};

}  // namespace grouplink::cli
