#include "cli/progress.hpp"

#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace grouplink::cli {
namespace {

std::string duration_text(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::ceil(std::min(seconds, 1e9)));
    const auto hours = whole / 3600;
    if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, whole / 60 % 60, whole % 60);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string progress_text(const Progress& progress, double elapsed_seconds, std::int64_t rows,
                          std::size_t width) {
    const double done = std::isfinite(progress.done) ? std::clamp(progress.done, 0.0, 1.0) : 0.0;
    // Estimates from less than this jump about.
    const bool estimates = done >= 0.01 && elapsed_seconds >= 0.25;
    std::string text = fmt::format("{:<9}", progress.stage);
    text += fmt::format("{:3.0f}%", std::floor(done * 100.0));
    if (estimates && rows > 0) {
        const double rate = static_cast<double>(rows) * done / elapsed_seconds;
        text += fmt::format("  {} rows/s", count_text(std::llround(rate)));
    } else {
        text += fmt::format("  {:.1f} s", elapsed_seconds);
    }
    if (estimates) {
        text += fmt::format("  {} left", duration_text(elapsed_seconds * (1.0 - done) / done));
    }
    return shorten(text, width);
}

void ProgressLine::update(const Progress& progress) {
    if (!shown_) return;
    const auto now = std::chrono::steady_clock::now();
    if (stage_ != progress.stage) {
        stage_ = progress.stage;
        stage_start_ = now;
    }
    const double elapsed = std::chrono::duration<double>(now - stage_start_).count();
    // In the last column some terminals go to the next line, which cannot be taken back.
    const std::size_t room = std::max<std::size_t>(terminal_width(), 2) - 1;
    const std::string text = progress_text(progress, elapsed, rows_, room);
    const std::size_t columns = display_width(text);
    const std::size_t rest = std::min(drawn_, room) - std::min(columns, std::min(drawn_, room));
    print_error(fmt::format("\r{}{:{}}\r{}", text, "", rest, rest > 0 ? text : ""));
    drawn_ = columns;
}

void ProgressLine::clear() noexcept {
    if (drawn_ == 0) return;
    const std::size_t room = std::max<std::size_t>(terminal_width(), 2) - 1;
    print_error("\r");
    for (std::size_t i = 0; i < std::min(drawn_, room); ++i) print_error(" ");
    print_error("\r");
    drawn_ = 0;
}

std::function<void(const Progress&)> ProgressLine::callback() {
    if (!shown_) return {};
    return [this](const Progress& progress) { update(progress); };
}

}  // namespace grouplink::cli
