#pragma once

#include <stop_token>
#include <string>
#include <thread>

namespace grouplink::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP request a stop, and a second one ends the process at
/// once with exit code 130. Those that the process was started to ignore stay ignored. A file that is cut
/// short while it is mapped, which raises SIGBUS where it is read, requests a stop too: what is missing then
/// reads as zeros, and everything done after that is under a requested stop. To be made before any thread is
/// started, and but once.
class StopSignals {
public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    std::stop_token token() const { return source_.get_token(); }
    /// The file that was cut short, if one was.
    static std::string lost_file();

private:
    void wait();

    std::stop_source source_;
    int reading_ = -1;
    int writing_ = -1;
    std::thread waiter_;
};

}  // namespace grouplink::cli
