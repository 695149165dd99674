#include "cli/signals.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

namespace grouplink::cli {
namespace {

constexpr std::array stop_signals{SIGINT, SIGTERM, SIGHUP};
constexpr int interrupted = 130;
constexpr char signal_came = 's';
constexpr char file_was_cut = 'f';
constexpr char time_to_end = 'e';

// A signal handler gets no argument of ours, so what handlers need has to stand here.
std::atomic<int> handler_pipe{-1};
std::atomic<bool> stop_is_requested{false};  ///< since a file was cut short
std::atomic<int> files_lost{0};
std::array<char, 4096> lost_path{};  ///< of the first

extern "C" void tell_waiter(int) {
    const int fault = errno;
    [[maybe_unused]] const ssize_t written = ::write(handler_pipe.load(), &signal_came, 1);
    errno = fault;
}

/// A line of /proc/self/maps: "7f00-7f80 r--p 00000000 08:01 1234    /data/rows.npy".
struct Mapping {
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    bool read_only = false;
    std::string_view path{};
};

std::uintptr_t take_hex(std::string_view& text) {
    std::uintptr_t value = 0;
    while (!text.empty()) {
        const char c = text.front();
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) break;
        value = value * 16 + static_cast<std::uintptr_t>(digit);
        text.remove_prefix(1);
    }
    return value;
}

Mapping parse_mapping(std::string_view line) {
    Mapping mapping;
    mapping.first = take_hex(line);
    if (!line.empty()) line.remove_prefix(1);
    mapping.last = take_hex(line);
    mapping.read_only = line.starts_with(" r--p ");
    if (const std::size_t path = line.find('/'); path != std::string_view::npos)
        mapping.path = line.substr(path);
    return mapping;
}

/// Puts zeros in the place of what a mapped file has no more, from `address` to the mapping's end; whether it
/// could. All of this can be done in a signal handler.
bool replace_lost(std::uintptr_t address) {
    const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) return false;
    std::array<char, 4096 + 128> line;  // NOLINT(cppcoreguidelines-pro-type-member-init): large, and written
    std::size_t size = 0;
    bool replaced = false;
    for (char c = 0; !replaced && ::read(maps, &c, 1) == 1;) {
        if (c != '\n') {
            if (size < line.size()) line[size++] = c;
            continue;
        }
        const Mapping mapping = parse_mapping({line.data(), size});
        size = 0;
        if (address < mapping.first || address >= mapping.last) continue;
        // Another thread, which met the same loss, may have been here before.
        if (!mapping.read_only || (mapping.path.empty() && files_lost.load() == 0)) break;
        if (!mapping.path.empty()) {
            const std::uintptr_t page = address & ~(static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)) - 1);
            if (files_lost.fetch_add(1) == 0) {
                std::memcpy(lost_path.data(), mapping.path.data(),
                            std::min(mapping.path.size(), lost_path.size() - 1));
            }
            // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of the system's
            if (::mmap(reinterpret_cast<void*>(page), mapping.last - page, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
                break;
            }
        }
        replaced = true;
    }
    ::close(maps);
    return replaced;
}

/// Nothing that a thread does with the zeros may go unstopped, so it waits until a stop is requested.
extern "C" void stop_at_loss(int number, siginfo_t* info, void*) {
    const int fault = errno;
    if (info->si_code <= 0 || !replace_lost(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
        ::signal(number, SIG_DFL);  // and it comes again
    } else {
        [[maybe_unused]] const ssize_t written = ::write(handler_pipe.load(), &file_was_cut, 1);
        while (!stop_is_requested.load()) ::sched_yield();
    }
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
    struct sigaction loss {};
    loss.sa_sigaction = stop_at_loss;
    loss.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &loss, nullptr);
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
    ::sigaction(SIGBUS, &action, nullptr);
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
        const bool first = source_.request_stop();
        if (what == file_was_cut) {
            stop_is_requested.store(true);
        } else if (!first) {
            ::_exit(interrupted);
        }
    }
}

std::string StopSignals::lost_file() { return files_lost.load() > 0 ? lost_path.data() : ""; }

}  // namespace grouplink::cli
