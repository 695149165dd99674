#include "target.hpp"

#include <grouplink/error.hpp>

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>

namespace fuzz {
namespace {

constexpr auto all_targets = std::to_array<Target>({
    {"arrow", fuzz_arrow},
    {"csv", fuzz_csv, "links.dict"},
    {"fbin", fuzz_fbin},
    {"fvecs", fuzz_fvecs},
    {"jsonl", fuzz_jsonl, "json.dict"},
    {"npy", fuzz_npy, "npy.dict"},
    {"npz", fuzz_npz, "npy.dict"},
    {"options", fuzz_options, "options.dict"},
    {"params", fuzz_params, "json.dict"},
    {"parquet", fuzz_parquet},
    {"part", fuzz_part},
    {"part_sealed", fuzz_part_sealed, "json.dict"},
    {"record", fuzz_record, "json.dict"},
    {"report", fuzz_report},
    {"sqlite", fuzz_sqlite, "sql.dict"},
    {"tsv", fuzz_tsv, "links.dict"},
    {"values_csv", fuzz_values_csv},
    {"values_npy", fuzz_values_npy, "npy.dict"},
    {"values_text", fuzz_values_text},
});

class Folder {
public:
    Folder() {
        // Memory where the system has a file system of it: each run writes some files.
        const bool memory = ::access("/dev/shm", W_OK) == 0;
        path_ = (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) +
                "/grouplink-fuzz-XXXXXX";
        if (!::mkdtemp(path_.data())) throw std::runtime_error("no scratch folder: " + path_);
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace

std::span<const Target> targets() { return all_targets; }

const Target* find_target(std::string_view name) {
    const auto found = std::find_if(all_targets.begin(), all_targets.end(),
                                    [name](const Target& target) { return target.name == name; });
    return found == all_targets.end() ? nullptr : &*found;
}

std::string scratch_path(std::string_view name) {
    static const Folder folder;
    return folder.path() + '/' + std::string(name);
}

void write_scratch(const std::string& path, std::string_view bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    require(file.good(), "the scratch file cannot be written");
}

void require(bool holds, std::string_view what) {
    if (holds) return;
    std::fprintf(stderr, "fuzz: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

bool detail::judge_current_exception() {
    using grouplink::ErrorCode;
    try {
        throw;
    } catch (const grouplink::Error& error) {
        const std::string_view text = error.what();
        const bool proper = error.code() == ErrorCode::bad_input ||
                            error.code() == ErrorCode::invalid_options || error.code() == ErrorCode::io ||
                            error.code() == ErrorCode::over_budget;
        if (!proper) require(false, "an error of another kind: " + std::string(text));
        const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
        if (text.empty() || std::any_of(text.begin(), text.end(), control)) {
            require(false, "an error that is not one line: " + std::string(text));
        }
    } catch (const std::bad_alloc&) {
        require(false, "out of memory for a small file");
    } catch (const std::exception& exception) {
        require(false, std::string("an exception that is no Error: ") + exception.what());
    }
    return false;
}

}  // namespace fuzz
