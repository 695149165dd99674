#include "cli/run.hpp"

#include "cli/params.hpp"
#include "cli/raw.hpp"
#include "cli/signals.hpp"
#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <variant>

namespace grouplink::cli {
namespace {

enum class ExitCode : int {
    failed = 1,
    usage = 2,
    bad_input = 3,
    memory = 4,
    io = 5,
    interrupted = 130,
};

ExitCode exit_code(ErrorCode code) {
    switch (code) {
        case ErrorCode::internal: return ExitCode::failed;
        case ErrorCode::invalid_options: return ExitCode::usage;
        case ErrorCode::bad_input: return ExitCode::bad_input;
        case ErrorCode::over_budget: return ExitCode::memory;
        case ErrorCode::io: return ExitCode::io;
        case ErrorCode::cancelled: return ExitCode::interrupted;
    }
    return ExitCode::failed;
}

/// What the library says when it was asked to stop.
constexpr std::string_view cancelled = "cancelled";

int complain(ExitCode code, std::string_view message) {
    print_error(fmt::format("grouplink: {}\n", printable(message)));
    return static_cast<int>(code);
}

int execute(const Arguments& arguments, const StopSignals& signals) {
    if (const auto* link = std::get_if<LinkArguments>(&arguments)) run_link(*link, signals.token());
    if (const auto* explain = std::get_if<ExplainArguments>(&arguments))
        run_explain(*explain, signals.token());
    if (const auto* convert = std::get_if<ConvertArguments>(&arguments))
        run_convert(*convert, signals.token());
    if (const auto* merge = std::get_if<MergeArguments>(&arguments)) run_merge(*merge, signals.token());
    if (const auto* inspect = std::get_if<InspectArguments>(&arguments))
        run_inspect(*inspect, signals.token());
    if (const auto* verify = std::get_if<VerifyArguments>(&arguments)) {
        if (!run_verify(*verify, signals.token())) return static_cast<int>(ExitCode::failed);
    }
    return 0;
}

/// Whatever else is said of a file that was cut short comes of the zeros in its place.
void check_lost() {
    const std::string file = StopSignals::lost_file();
    if (file.empty()) return;
    throw Error(
        ErrorCode::io,
        fmt::format("{}: was cut short while it was read, or its disk failed; run again once it is whole",
                    file));
}

/// The exit code of what ran to its end.
int execute(const Arguments& arguments) {
    if (const auto* text = std::get_if<PrintArguments>(&arguments)) {
        print(text->text);
        return 0;
    }
    const StopSignals signals;
    try {
        const int code = execute(arguments, signals);
        check_lost();
        return code;
    } catch (...) {
        check_lost();
        throw;
    }
}

int run_or_complain(std::span<const std::string> arguments) {
    try {
        return execute(validate_arguments(with_params(parse_raw(arguments))));
    } catch (const Error& error) {
        std::string text = error.what();
        if (text.starts_with(cancelled)) text.replace(0, cancelled.size(), "interrupted");
        return complain(exit_code(error.code()), text);
    } catch (const std::bad_alloc&) {
        return complain(ExitCode::memory, "out of memory");
    } catch (const std::system_error& error) {
        // Threads are what there can be too few of.
        const bool memory = error.code() == std::errc::resource_unavailable_try_again ||
                            error.code() == std::errc::not_enough_memory;
        return complain(memory ? ExitCode::memory : ExitCode::failed,
                        fmt::format("the system refuses: {}", error.what()));
    } catch (const std::exception& error) {
        return complain(ExitCode::failed, fmt::format("internal fault: {}", error.what()));
    } catch (...) {
        return complain(ExitCode::failed, "internal fault");
    }
}

}  // namespace

int run(std::span<const std::string> arguments) noexcept {
    try {
        return run_or_complain(arguments);
    } catch (...) {
        // Not even the memory for a message.
        print_error("grouplink: out of memory\n");
        return static_cast<int>(ExitCode::memory);
    }
}

}  // namespace grouplink::cli
