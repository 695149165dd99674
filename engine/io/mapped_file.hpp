#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace grouplink::io {

class FileDescriptor;

/// A whole file, mapped to be read. A file that another process cuts short while it is mapped
/// faults on access; nobody who maps files can prevent that.
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

private:
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

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

/// Opens a regular file to be read. Throws Error(io).
FileDescriptor open_to_read(const std::string& path);

}  // namespace grouplink::io
