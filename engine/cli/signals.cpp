#include "cli/signals.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace grouplink::cli {
namespace {

constexpr std::array stop_signals{SIGINT, SIGTERM, SIGHUP};
constexpr int interrupted = 130;
constexpr char signal_came = 's';
constexpr char time_to_end = 'e';

// A signal handler gets no argument of ours, so the pipe's end has to stand here.
std::atomic<int> handler_pipe{-1};

extern "C" void tell_waiter(int) {
    const int fault = errno;
    [[maybe_unused]] const ssize_t written = ::write(handler_pipe.load(), &signal_came, 1);
    errno = fault;
}

sigset_t set_of_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : stop_signals) {
        struct sigaction now {};
        if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) sigaddset(&set, number);
    }
    return set;
}

}  // namespace

// Blocking the signals and waiting for them with sigwait() would do, were it not for threads that
// libraries start before main(), as OpenBLAS does: these have nothing blocked, and the kernel gives
// them the signal. Hence a handler, which any thread may run, and a pipe to the one that acts.
StopSignals::StopSignals() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Error(ErrorCode::io, fmt::format("pipe: {}", std::generic_category().message(errno)));
    }
    reading_ = ends[0];
    writing_ = ends[1];
    // A handler must not wait, however many signals come.
    ::fcntl(writing_, F_SETFL, O_NONBLOCK);
    handler_pipe.store(writing_);

    const sigset_t signals = set_of_signals();
    struct sigaction action {};
    action.sa_handler = tell_waiter;
    action.sa_flags = SA_RESTART;
    for (const int number : stop_signals) {
        if (sigismember(&signals, number) == 1) ::sigaction(number, &action, nullptr);
    }
    waiter_ = std::thread([this, signals] {
        ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
        wait();
    });
    // The threads that the job will start inherit this, so that none of their calls is interrupted.
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

StopSignals::~StopSignals() {
    [[maybe_unused]] const ssize_t written = ::write(writing_, &time_to_end, 1);
    waiter_.join();
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    const sigset_t signals = set_of_signals();
    for (const int number : stop_signals) {
        if (sigismember(&signals, number) == 1) ::sigaction(number, &action, nullptr);
    }
    handler_pipe.store(-1);
    ::close(reading_);
    ::close(writing_);
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void StopSignals::wait() {
    for (;;) {
        char what = 0;
        const ssize_t got = ::read(reading_, &what, 1);
        if (got == -1 && errno == EINTR) continue;
        if (got != 1 || what == time_to_end) return;
        if (!source_.request_stop()) ::_exit(interrupted);
    }
}

}  // namespace grouplink::cli
