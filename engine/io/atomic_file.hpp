#pragma once

#include "io/mapped_file.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace grouplink::io {

/// Where an output goes once symbolic links are followed.
struct OutputPlace {
    std::string folder;  ///< never empty
    std::string name;
};

/// The place of an output, which must be free or, with `force`, a regular file. Throws Error(io): no
/// such folder, or one that cannot be written to; a folder, a device or a file without `force` at the
/// place; a symbolic link to nothing.
OutputPlace output_place(const std::string& path, bool force);

/// What the names of temporary files of the output NAME begin with, before PID-XXXXXX: `.NAME.tmp-`, NAME cut
/// so that the whole is a valid name wherever NAME is.
std::string temporary_prefix(const std::string& name);

/// Writes all of `bytes`, whatever a single call of the system takes. Throws Error(io) about `path`.
void write_fully(int descriptor, std::string_view bytes, const std::string& path);

/// A file that appears whole or not at all: it is written without a name in the folder of its place, synced
/// and named by commit(). Without commit() it disappears, whatever ends the process. Without `force` it
/// replaces nothing, even what came to its place meanwhile. Where the file system knows no files without a
/// name, or a library writes by name, it is `.NAME.tmp-PID-XXXXXX` until then, which a killed process leaves.
class AtomicFile {
public:
    AtomicFile(std::string path, bool force);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::string_view bytes);
    /// Replaces bytes that were written before.
    void patch(std::int64_t position, std::string_view bytes);
    /// Bytes written so far.
    std::int64_t position() const { return position_; }
    const std::string& path() const { return path_; }
    /// Where it is until commit(), for a library that writes by name; then nothing is written here.
    std::string temporary_path();

    /// Nothing may be written after it.
    void commit();

private:
    void flush();
    void open_named();
    void give_name();
    void rename_over_nothing();

    std::string path_;  ///< as the user gave it, for messages
    bool force_;
    OutputPlace place_;
    FileDescriptor folder_;  ///< so that a change of the working folder does not matter
    FileDescriptor file_;
    std::string temporary_;  ///< name in the folder; empty where there is none to remove
    std::unique_ptr<char[]> buffer_;
    std::size_t buffered_ = 0;
    std::int64_t position_ = 0;
};

}  // namespace grouplink::io
