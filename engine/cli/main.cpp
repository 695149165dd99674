#include "cli/run.hpp"
#include "cli/streams.hpp"

#include <cxxabi.h>
#include <execinfo.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <typeinfo>
#include <vector>

namespace {

constexpr int no_memory = 4;

/// Destructors of some libraries allocate, and cannot say that they failed.
[[noreturn]] void end_without_memory() {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    if (type == nullptr || *type != typeid(std::bad_alloc)) std::abort();
    grouplink::cli::print_error("grouplink: out of memory\n");
    ::_exit(no_memory);
}

}  // namespace

int main(int argc, char** argv) {
    grouplink::cli::hold_standard_streams();
    // A reader that went away is an error of the write, not the end of the process; so is a file that grows
    // past what the process may write.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    std::set_terminate(end_without_memory);
    // Has the C library load what it unwinds its own frames with, for which there may be no memory later.
    void* frame = nullptr;
    ::backtrace(&frame, 1);
    try {
        const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
        return grouplink::cli::run(arguments);
    } catch (const std::exception&) {
        grouplink::cli::print_error("grouplink: out of memory\n");
        return no_memory;
    }
}
