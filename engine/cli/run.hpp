#pragma once

#include "cli/arguments.hpp"

#include <grouplink/error.hpp>

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace grouplink::cli {

/// Runs the command that the arguments (without the program's name) ask for and returns its exit
/// code. What went wrong stands on standard error, in one line.
int run(std::span<const std::string> arguments) noexcept;

void run_link(const LinkArguments& arguments, const std::stop_token& stop);
void run_explain(const ExplainArguments& arguments, const std::stop_token& stop);
void run_inspect(const InspectArguments& arguments, const std::stop_token& stop);
void run_convert(const ConvertArguments& arguments, const std::stop_token& stop);
void run_merge(const MergeArguments& arguments, const std::stop_token& stop);
/// Whether all holds.
bool run_verify(const VerifyArguments& arguments, const std::stop_token& stop);

/// Calls `work`, and names the file in what it says about rows: the library does not know where
/// they came from.
template <typename Work>
auto about_file(const std::string& path, Work&& work) {
    try {
        return std::forward<Work>(work)();
    } catch (const Error& error) {
        const std::string_view text = error.what();
        const bool about_rows =
            error.code() == ErrorCode::bad_input || error.code() == ErrorCode::over_budget;
        if (!about_rows || text.starts_with(path)) throw;
        throw Error(error.code(), path + ": " + std::string(text));
    }
}

}  // namespace grouplink::cli
