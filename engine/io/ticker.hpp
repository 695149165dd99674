#pragma once

#include "io/mapped_file.hpp"

#include <grouplink/error.hpp>
#include <grouplink/link.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace grouplink::io {

/// Progress and cancellation of one stage. Call at() every few milliseconds of work.
class Ticker {
public:
    /// `unit` as in Progress; at() counts in it.
    Ticker(const JobControl& control, std::string_view stage, std::int64_t total, std::string_view unit)
        : control_(control), stage_(stage), total_(total), unit_(unit) {}

    /// Of reading `file` from front to back, counted in bytes: what was read does not stay in memory.
    Ticker(const JobControl& control, std::string_view stage, const MappedFile& file)
        : Ticker(control, stage, static_cast<std::int64_t>(file.size()), "bytes") {
        file_ = &file;
        file.read_in_order();
    }

    /// Throws Error(cancelled) when a stop was requested.
    void at(std::int64_t done) {
        constexpr std::int64_t bytes_to_keep = std::int64_t{8} << 20;
        if (file_ && done >= given_back_ + bytes_to_keep) {
            file_->give_back();
            given_back_ = done;
        }
        if (control_.stop.stop_requested()) throw Error(ErrorCode::cancelled, "cancelled");
        if (!control_.on_progress) return;
        const auto now = std::chrono::steady_clock::now();
        if (now - last_ < std::chrono::milliseconds(100)) return;
        last_ = now;
        const double share = total_ > 0 ? static_cast<double>(done) / static_cast<double>(total_) : 0.0;
        control_.on_progress({stage_, std::clamp(share, 0.0, 1.0), total_, unit_});
    }

private:
    const JobControl& control_;
    std::string_view stage_;
    std::int64_t total_;
    std::string_view unit_;
    const MappedFile* file_ = nullptr;
    std::int64_t given_back_ = 0;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace grouplink::io
