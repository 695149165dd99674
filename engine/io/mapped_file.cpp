#include "io/mapped_file.hpp"

#include "io/message.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace grouplink::io {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = other.release();
    }
    return *this;
}

int FileDescriptor::release() noexcept { return std::exchange(descriptor_, -1); }

void FileDescriptor::close() noexcept {
    if (descriptor_ >= 0) ::close(release());
}

FileDescriptor open_to_read(const std::string& path) {
    // Without O_NONBLOCK the open of a FIFO waits for a writer.
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) fail_system(path, "cannot be opened", errno);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) fail_system(path, "cannot be examined", errno);
    if (S_ISDIR(info.st_mode)) fail(ErrorCode::io, "{}: is a folder, not a file", path);
    if (!S_ISREG(info.st_mode)) {
        fail(ErrorCode::io, "{}: is not a regular file; write its data to one first", path);
    }
    return file;
}

MappedFile::MappedFile(const std::string& path) : MappedFile(open_to_read(path), path) {}

MappedFile::MappedFile(const FileDescriptor& file, const std::string& path) {
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) fail_system(path, "cannot be examined", errno);
    if (info.st_size == 0) return;  // which cannot be mapped
    const auto size = static_cast<std::size_t>(info.st_size);
    void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) fail_system(path, "cannot be mapped", errno);
    data_ = static_cast<const std::byte*>(data);
    size_ = size;
}

MappedFile::~MappedFile() {
    if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

void MappedFile::read_in_order() const {
    if (data_) ::madvise(const_cast<std::byte*>(data_), size_, MADV_SEQUENTIAL);
}

void MappedFile::give_back() const noexcept {
    if (data_) ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

}  // namespace grouplink::io
