#include "cli/progress.hpp"

#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <new>
#include <string_view>
#include <system_error>

namespace grouplink::cli {
namespace {

std::string duration_text(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e9));
    const auto hours = whole / 3600;
    if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, whole / 60 % 60, whole % 60);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string rate_text(double rate, std::string_view unit) {
    if (unit == "bytes") return fmt::format("{}/s", bytes_text(std::llround(rate)));
    return fmt::format("{} {}/s", count_text(std::llround(rate)), unit);
}

double share_of(const Progress& progress) {
    return std::isfinite(progress.done) ? std::clamp(progress.done, 0.0, 1.0) : 0.0;
}

}  // namespace

void Pace::update(double done, double seconds) {
    const double passed = seconds - seconds_;
    if (passed <= 0.0) return;
    // What was before counts for less the longer ago it is; the first seconds count whole.
    const double memory = std::max(2.0, seconds / 3.0);
    const double weight = seconds_ == 0.0 ? 1.0 : -std::expm1(-passed / memory);
    pace_ += weight * ((done - done_) / passed - pace_);
    done_ = done;
    seconds_ = seconds;
}

bool Pace::trusted() const {
    // Later, less of the stage will do: 2 % after a second, 0.2 % after ten.
    return seconds_ >= 1.0 && (done_ - before_) * seconds_ >= 0.02 * (1.0 - before_) && pace_ > 0.0;
}

std::optional<double> Pace::seconds_left(double seconds) const {
    if (!trusted()) return std::nullopt;
    const double left = (1.0 - done_) / pace_ - (seconds - seconds_);
    return left < 0.0 ? std::nullopt : std::optional(left);
}

std::string progress_text(const Progress& progress, const Pace& pace, double elapsed_seconds,
                          std::size_t width) {
    std::string text = fmt::format("{:<9} {:3.0f}%", progress.stage, std::floor(share_of(progress) * 100.0));
    std::array<std::string, 3> more{duration_text(elapsed_seconds)};
    if (const auto left = pace.seconds_left(elapsed_seconds))
        more[1] = duration_text(std::ceil(*left)) + " left";
    const double rate = pace.share_per_second() * static_cast<double>(progress.total);
    if (rate > 0.0) more[2] = rate_text(rate, progress.unit);
    for (const std::string& part : more) {
        if (part.empty()) continue;
        if (display_width(text) + 2 + display_width(part) > width) break;
        text += "  " + part;
    }
    return shorten(text, width);
}

ProgressLine::ProgressLine(bool shown) : shown_(shown) {
    if (!shown_) return;
    try {
        ticker_ = std::jthread([this](const std::stop_token& stop) { tick(stop); });
    } catch (const std::system_error&) {
        // Without a thread of its own it moves with the job alone.
    }
}

void ProgressLine::tick(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        stopped_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
        if (stop.stop_requested() || stage_.empty()) continue;
        try {
            draw();
        } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the next one may be drawn
        }
    }
}

void ProgressLine::update(const Progress& progress) {
    const std::lock_guard lock(mutex_);
    if (!shown_) return;
    const auto now = Clock::now();
    if (stage_ != progress.stage || progress.done < progress_.done || progress.before != progress_.before) {
        end_stage(now);
        stage_ = progress.stage;
        stage_start_ = now;
        pace_ = Pace(progress.before);
    }
    unit_ = progress.unit;
    progress_ = {stage_, progress.done, progress.total, unit_, progress.before};
    pace_.update(share_of(progress), std::chrono::duration<double>(now - stage_start_).count());
    draw();
}

void ProgressLine::end_stage(Clock::time_point now) {
    if (stage_.empty()) return;
    if (ended_.empty() || ended_.back().first != stage_) ended_.emplace_back(stage_, 0.0);
    ended_.back().second += std::chrono::duration<double>(now - stage_start_).count();
    stage_.clear();
}

std::string ProgressLine::times_text() const {
    double total = 0.0;
    std::string stages;
    for (const auto& [stage, seconds] : ended_) {
        total += seconds;
        if (seconds >= 0.05) stages += fmt::format("{}{} {:.1f}", stages.empty() ? "" : ", ", stage, seconds);
    }
    if (ended_.empty()) return {};
    return fmt::format("{:.1f} s{}", total, stages.empty() ? "" : fmt::format(" ({})", stages));
}

void ProgressLine::draw() {
    const double elapsed = std::chrono::duration<double>(Clock::now() - stage_start_).count();
    // In the last column some terminals go to the next line, which cannot be taken back.
    const std::size_t room = std::max<std::size_t>(terminal_width(), 2) - 1;
    const std::string text = progress_text(progress_, pace_, elapsed, room);
    const std::size_t columns = display_width(text);
    const std::size_t rest = std::min(drawn_, room) - std::min(columns, std::min(drawn_, room));
    print_error(fmt::format("\r{}{:{}}\r{}", text, "", rest, rest > 0 ? text : ""));
    drawn_ = columns;
}

void ProgressLine::clear() noexcept {
    ticker_.request_stop();
    if (ticker_.joinable()) ticker_.join();
    const std::lock_guard lock(mutex_);
    shown_ = false;
    try {
        end_stage(Clock::now());
    } catch (const std::bad_alloc&) {
        // Then that stage is not in the sum.
    }
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
