#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace grouplink::io {

/// An open file, closed in the end.
class FileDescriptor {
public:
    explicit FileDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
    ~FileDescriptor() { close(); }
    FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.release()) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;

    int get() const { return descriptor_; }
    int release() noexcept;
    void close() noexcept;

private:
    int descriptor_;
};

/// What tells whether a file is still what it was.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t bytes = 0;
    std::int64_t seconds = 0;  ///< when it was last written to
    std::int64_t nanoseconds = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Throws Error(io) about `path`.
FileStamp stamp_of(int descriptor, const std::string& path);
/// Throws Error(io) unless the file has this stamp.
void check_stamp(int descriptor, const FileStamp& stamp, const std::string& path);

/// A whole file, mapped to be read. Of a file that another process cuts short while it is mapped, what is
/// missing reads as zeros within its last page and raises SIGBUS beyond; nobody who maps files can prevent
/// that, so whoever has read it calls check_unchanged() before anything is made of it.
class MappedFile {
public:
    MappedFile() = default;
    /// Throws Error(io): no such file, no permission, not a regular file.
    explicit MappedFile(const std::string& path);
    /// An open file; `path` is for messages. Throws Error(io).
    MappedFile(const FileDescriptor& file, const std::string& path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;

    const std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }
    std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

    /// The bytes will be read once, front to back.
    void read_in_order() const;
    /// The pages that are in memory go back to the system; they are read anew when they are needed again.
    void give_back() const noexcept;
    /// Throws Error(io) if the file was written to or cut short since it was mapped. One that was replaced by
    /// another of its name is mapped as it was. No descriptor is kept for this: a job may map many files.
    void check_unchanged() const;

private:
    std::string path_;
    FileStamp stamp_;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Opens a regular file to be read. Throws Error(io).
FileDescriptor open_to_read(const std::string& path);

/// Reads `size` bytes at `position`, fewer only where the file ends. Throws Error(io).
std::string read_at(int descriptor, std::int64_t position, std::size_t size, const std::string& path);

}  // namespace grouplink::io
