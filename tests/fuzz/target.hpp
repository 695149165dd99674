#pragma once

#include <span>
#include <string>
#include <string_view>

/// What is fuzzed: functions of bytes, each the same under libFuzzer and in the replay of what was found.
namespace fuzz {

struct Target {
    std::string_view name;
    /// Takes any bytes. Returns when they were refused in a proper way, or accepted and what was read holds
    /// together; ends the process otherwise.
    void (*run)(std::string_view bytes);
    std::string_view dictionary{};  ///< file in dictionaries/, where there is one
};

std::span<const Target> targets();

/// Null where there is none.
const Target* find_target(std::string_view name);

/// A file in memory of this process alone; the folder goes when the process ends.
std::string scratch_path(std::string_view name);
void write_scratch(const std::string& path, std::string_view bytes);

/// Ends the process with a message where `holds` is false.
void require(bool holds, std::string_view what);

/// Calls `work`, and returns whether it went through. What it throws must be an Error of a file or of an
/// option, in one line of printable text.
template <typename Work>
bool accepted(Work&& work);

namespace detail {
bool judge_current_exception();
}

template <typename Work>
bool accepted(Work&& work) {
    try {
        work();
        return true;
    } catch (...) {
        return detail::judge_current_exception();
    }
}

// The targets, by what they read.
void fuzz_npy(std::string_view bytes);
void fuzz_fbin(std::string_view bytes);
void fuzz_fvecs(std::string_view bytes);
void fuzz_parquet(std::string_view bytes);
void fuzz_arrow(std::string_view bytes);
void fuzz_jsonl(std::string_view bytes);
void fuzz_sqlite(std::string_view bytes);
void fuzz_npz(std::string_view bytes);
void fuzz_csv(std::string_view bytes);
void fuzz_tsv(std::string_view bytes);
void fuzz_values_text(std::string_view bytes);
void fuzz_values_npy(std::string_view bytes);
void fuzz_values_csv(std::string_view bytes);
void fuzz_part(std::string_view bytes);
void fuzz_part_sealed(std::string_view bytes);
void fuzz_record(std::string_view bytes);
void fuzz_options(std::string_view bytes);
void fuzz_params(std::string_view bytes);
void fuzz_report(std::string_view bytes);

}  // namespace fuzz
