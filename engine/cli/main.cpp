#include "cli/run.hpp"
#include "cli/streams.hpp"

#include <csignal>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    grouplink::cli::hold_standard_streams();
    // A reader that went away is an error of the write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
        return grouplink::cli::run(arguments);
    } catch (const std::exception&) {
        grouplink::cli::print_error("grouplink: out of memory\n");
        return 4;
    }
}
