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
    FileDescriptor file;
    do {
        file = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    } while (file.get() < 0 && errno == EINTR);
    if (file.get() < 0) fail_system(path, "cannot be opened", errno);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) fail_system(path, "cannot be examined", errno);
    if (S_ISDIR(info.st_mode)) fail(ErrorCode::io, "{}: is a folder, not a file", path);
    if (!S_ISREG(info.st_mode)) {
        fail(ErrorCode::io, "{}: is not a regular file; write its data to one first", path);
    }
    return file;
}

std::string read_at(int descriptor, std::int64_t position, std::size_t size, const std::string& path) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got = ::pread(descriptor, bytes.data() + done, size - done,
                                    static_cast<off_t>(position) + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail_system(path, "cannot be read", errno);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
}

namespace {

FileStamp stamp_of(const struct stat& info) {
    return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

[[noreturn]] void fail_changed(const std::string& path) {
    fail(ErrorCode::io, "{}: was changed while it was read; run again once nothing writes to it", path);
}

}  // namespace

FileStamp stamp_of(int descriptor, const std::string& path) {
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) fail_system(path, "cannot be examined", errno);
    return stamp_of(info);
}

void check_stamp(int descriptor, const FileStamp& stamp, const std::string& path) {
    if (stamp_of(descriptor, path) != stamp) fail_changed(path);
}

MappedFile::MappedFile(const std::string& path) : MappedFile(open_to_read(path), path) {}

MappedFile::MappedFile(const FileDescriptor& file, const std::string& path)
    : path_(path), stamp_(stamp_of(file.get(), path)) {
    if (stamp_.bytes == 0) return;  // which cannot be mapped
    const auto size = static_cast<std::size_t>(stamp_.bytes);
    void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) fail_system(path, "cannot be mapped", errno);
    data_ = static_cast<const std::byte*>(data);
    size_ = size;
}

MappedFile::~MappedFile() {
    if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      stamp_(other.stamp_),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(stamp_, other.stamp_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

void MappedFile::check_unchanged() const {
    struct stat info {};
    if (path_.empty() || ::stat(path_.c_str(), &info) != 0) return;
    const FileStamp now = stamp_of(info);
    if (now.device == stamp_.device && now.inode == stamp_.inode && now != stamp_) fail_changed(path_);
}

void MappedFile::read_in_order() const {
    if (data_) ::madvise(const_cast<std::byte*>(data_), size_, MADV_SEQUENTIAL);
}

void MappedFile::give_back() const noexcept {
    if (data_) ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

}  // namespace grouplink::io
