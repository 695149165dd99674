#pragma once

#include "cli/arguments.hpp"
#include "cli/progress.hpp"
#include "cli/run.hpp"

#include <grouplink/io.hpp>
#include <grouplink/link.hpp>

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

namespace grouplink::cli {

// What link, its shares and merge have in common.

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start);

/// Of this process, resident.
std::int64_t peak_memory();

/// The input, of whose vectors no more are read into memory than goes with a job's budget.
InputSpec with_spill(const LinkArguments& arguments);
InputSpec with_spill(InputSpec input, const LinkOptions& options, std::string folder);

/// The options, and what writing the output takes.
LinkOptions with_writing(const LinkArguments& arguments);

/// Does the job; where memory is short of its vectors, once more with these in a file.
template <typename Job>
auto within_budget(const InputSpec& input, Table& table, Job job) {
    return about_file(input.path, [&] {
        try {
            return job();
        } catch (const Error& error) {
            if (error.code() != ErrorCode::over_budget || table.vectors.file_backed) throw;
        }
        spill_vectors(table, input.spill.folder);
        return job();
    });
}

/// Throws what writing the reports would, before the work and not after it.
void check_reports(const LinkArguments& arguments);

/// What standard error and the reports tell of a job, line by line; empty where there is nothing to tell.
std::string recall_text(const Report& report);
std::string dropped_text(const Report& report);
std::string shared_id_text(const Table& table);

/// Adds to the report of a job what the command knows of it; reading took `read_seconds`.
void add_command(Report& report, const LinkArguments& arguments, double read_seconds);

/// Writes the links, and says what was done since `start`; reading took the first `read_seconds` of that.
void deliver(const LinkArguments& arguments, const Table& table, LinkResult result, Clock::time_point start,
             double read_seconds, ProgressLine& line, const JobControl& control);

/// What run_link does of one share.
void run_share(const LinkArguments& arguments, const std::stop_token& stop);

}  // namespace grouplink::cli
