#pragma once

#include "io/atomic_file.hpp"
#include "io/mapped_file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace grouplink::io {

/// Where the journal of an output is.
std::string journal_path(const OutputPlace& output);

/// Removes what killed processes left of this output's temporary files.
void remove_leftovers(const OutputPlace& output) noexcept;

/// A journal: a header with a manifest, then records, each under a checksum. It is open, and locked against
/// other processes where the file system has locks.
class JournalFile {
public:
    /// Opens the file; where there is none, creates it, or returns nothing. Throws Error(io): another process
    /// has it, or the system refuses; not a regular file.
    static std::optional<JournalFile> open(const std::string& path, bool create);

    /// Empty where nothing of it can be used. Throws Error(bad_input) for a file that is no journal, or one
    /// of another format.
    const std::string& manifest() const { return manifest_; }

    /// The next record, from the first on; nothing once there are no more that check out.
    std::optional<std::string> next();
    /// Whether there is one that checks out, at the place of the next.
    bool holds_record() const { return record_at(end_).has_value(); }
    /// The file ends before the record that next() gave last.
    void drop();

    /// Begins it anew.
    void begin(const std::string& manifest);
    /// Adds a record behind those that next() gave, and cuts off whatever else follows. When that fails the
    /// file ends there. One of more than a gigabyte is not kept. Throws Error(io).
    void append(std::string_view record);

    /// Whether there is a record before the place of the next one.
    bool has_records() const { return end_ > begin_; }
    /// Waits until all is on the disk.
    void sync() noexcept;
    void remove() noexcept;

private:
    JournalFile(std::string path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
    void read_header();
    std::optional<std::string> record_at(std::uint64_t position) const;
    std::string read_at(std::uint64_t position, std::uint64_t bytes) const;
    std::uint64_t size() const;
    void write_at(std::uint64_t position, std::string_view bytes);
    bool cut(std::uint64_t size) noexcept;

    std::string path_;
    FileDescriptor file_;
    std::string manifest_;
    std::uint64_t checksum_ = 0;  ///< of the header
    std::uint64_t begin_ = 0;     ///< of the first record
    std::uint64_t last_ = 0;      ///< of the one that next() gave last
    std::uint64_t end_ = 0;       ///< of the records known so far
    bool trimmed_ = false;        ///< nothing stands behind `end_`
    bool in_folder_ = false;      ///< the folder is synced
};

}  // namespace grouplink::io
