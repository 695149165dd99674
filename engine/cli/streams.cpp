#include "cli/streams.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace grouplink::cli {
namespace {

/// 0, or the error that stopped the writing.
int write_all(int stream, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t written = ::write(stream, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            pollfd ready{.fd = stream, .events = POLLOUT, .revents = 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

}  // namespace

void hold_standard_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
        // open() takes the lowest free number, which is this one, as all below it are held. Opened
        // the wrong way round, so that its use fails.
        const int mode = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (::open("/dev/null", mode) == -1) return;
    }
}

void print(std::string_view text) {
    if (const int fault = write_all(STDOUT_FILENO, text); fault != 0) {
        throw Error(ErrorCode::io,
                    fmt::format("standard output: {}", std::generic_category().message(fault)));
    }
}

void print_error(std::string_view text) noexcept { write_all(STDERR_FILENO, text); }

bool error_is_terminal() {
    const char* const kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nothing sets it
    return ::isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

std::size_t terminal_width() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

}  // namespace grouplink::cli
