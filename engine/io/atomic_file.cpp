#include "io/atomic_file.hpp"

#include "io/message.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <utility>

namespace grouplink::io {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
constexpr int tries = 100;  // of names

[[noreturn]] void fail_to_write(const std::string& path, int error_number) {
    fail_system(path, "cannot write", error_number);
}

[[noreturn]] void fail_exists(const std::string& path) {
    fail(ErrorCode::io, "{}: exists already; pass --force to replace it", path);
}

OutputPlace split(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string resolved_link(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
    if (resolved) return resolved.get();
    if (errno == ENOENT) {
        fail(ErrorCode::io,
             "{}: is a symbolic link to a file that does not exist; remove it or name the file", path);
    }
    fail_system(path, "is a symbolic link that cannot be followed", errno);
}

std::string temporary_name(const std::string& name) {
    constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::random_device random;
    std::uniform_int_distribution<std::size_t> letter(0, letters.size() - 1);
    std::string result = fmt::format("{}{}-", temporary_prefix(name), ::getpid());
    for (int i = 0; i < 6; ++i) result += letters[letter(random)];
    return result;
}

/// Names a file that has none. False with errno set where that cannot be.
bool link_unnamed(int file, int folder, const std::string& name) {
    const std::string from = fmt::format("/proc/self/fd/{}", file);
    return ::linkat(AT_FDCWD, from.c_str(), folder, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

/// A file without a name; none where it could not be given one later, which is tried with another.
FileDescriptor open_unnamed(int folder, const std::string& name) {
    const auto open = [folder] {
        return FileDescriptor(::openat(folder, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666));
    };
    const FileDescriptor trial = open();
    const std::string trial_name = temporary_name(name);
    if (trial.get() < 0 || !link_unnamed(trial.get(), folder, trial_name)) return FileDescriptor();
    ::unlinkat(folder, trial_name.c_str(), 0);
    return open();
}

/// Some file systems refuse to sync a folder; there is nothing more to be done there.
void sync_folder(int folder, const std::string& path) {
    if (::fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EBADF) return;
    fail_system(path, "cannot sync its folder", errno);
}

}  // namespace

std::string temporary_prefix(const std::string& name) {
    constexpr std::size_t longest = 200;
    return fmt::format(".{}.tmp-", name.substr(0, longest));
}

OutputPlace output_place(const std::string& path, bool force) {
    if (path.empty()) fail(ErrorCode::invalid_options, "output: no path is given");
    struct stat info {};
    std::string real = path;
    if (::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) real = resolved_link(path);
    if (::stat(real.c_str(), &info) == 0) {
        if (S_ISDIR(info.st_mode)) fail(ErrorCode::io, "{}: is a folder; name a file", path);
        if (!S_ISREG(info.st_mode)) fail(ErrorCode::io, "{}: is not a regular file; name another", path);
        if (!force) fail_exists(path);
    } else if (errno != ENOENT && errno != ENOTDIR) {
        fail_to_write(path, errno);
    }
    OutputPlace place = split(real);
    if (::stat(place.folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        fail(ErrorCode::io, "{}: there is no folder {}; create it first", path, in_quotes(place.folder));
    }
    if (place.name.empty()) fail(ErrorCode::io, "{}: is a folder; name a file", path);
    if (::access(place.folder.c_str(), W_OK | X_OK) != 0) {
        fail_system(path, "cannot write to its folder", errno);
    }
    return place;
}

void write_fully(int descriptor, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            // The bytes are those of a mapped file.
            if (errno == EFAULT) fail(ErrorCode::io, "{}: its input was cut short while it was read", path);
            fail_to_write(path, errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

AtomicFile::AtomicFile(std::string path, bool force)
    : path_(std::move(path)),
      force_(force),
      place_(output_place(path_, force)),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_bytes)) {
    const char* const folder = place_.folder.c_str();
    folder_ = FileDescriptor(::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // A folder may be open to writing and yet not to listing.
    if (folder_.get() < 0) folder_ = FileDescriptor(::open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folder_.get() < 0) fail_to_write(path_, errno);
    file_ = open_unnamed(folder_.get(), place_.name);
    if (file_.get() < 0) open_named();
}

void AtomicFile::open_named() {
    for (int i = 0; i < tries && file_.get() < 0; ++i) {
        std::string name = temporary_name(place_.name);
        constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
        file_ = FileDescriptor(::openat(folder_.get(), name.c_str(), flags, 0666));
        if (file_.get() >= 0) {
            temporary_ = std::move(name);
        } else if (errno != EEXIST && errno != EINTR) {
            fail_to_write(path_, errno);
        }
    }
    if (file_.get() < 0) fail_to_write(path_, EEXIST);
}

void AtomicFile::give_name() {
    for (int i = 0; i < tries && temporary_.empty(); ++i) {
        std::string name = temporary_name(place_.name);
        if (link_unnamed(file_.get(), folder_.get(), name)) {
            temporary_ = std::move(name);
        } else if (errno != EEXIST) {
            fail_to_write(path_, errno);
        }
    }
    if (temporary_.empty()) fail_to_write(path_, EEXIST);
}

std::string AtomicFile::temporary_path() {
    give_name();
    return place_.folder + "/" + temporary_;
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
}

void AtomicFile::write(std::string_view bytes) {
    position_ += static_cast<std::int64_t>(bytes.size());
    if (buffered_ + bytes.size() > buffer_bytes) flush();
    if (bytes.size() > buffer_bytes) {
        write_fully(file_.get(), bytes, path_);
        return;
    }
    if (bytes.empty()) return;
    std::memcpy(buffer_.get() + buffered_, bytes.data(), bytes.size());
    buffered_ += bytes.size();
}

void AtomicFile::flush() {
    const std::size_t bytes = std::exchange(buffered_, 0);
    write_fully(file_.get(), {buffer_.get(), bytes}, path_);
}

void AtomicFile::patch(std::int64_t position, std::string_view bytes) {
    flush();
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), position);
        if (written < 0) {
            if (errno == EINTR) continue;
            fail_to_write(path_, errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
        position += written;
    }
}

void AtomicFile::rename_over_nothing() {
    const int folder = folder_.get();
    const char* const from = temporary_.c_str();
    const char* const to = place_.name.c_str();
    if (::renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) {
        temporary_.clear();
        return;
    }
    if (errno == EEXIST) fail_exists(path_);
    if (errno != EINVAL && errno != ENOSYS) fail_to_write(path_, errno);
    // A file system without that call has hard links, or at least knows how to create a file only where
    // there is none; that file then marks the place as ours.
    if (::linkat(folder, from, folder, to, 0) == 0) return;
    if (errno == EEXIST) fail_exists(path_);
    const FileDescriptor mark(::openat(folder, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (mark.get() < 0) {
        if (errno == EEXIST) fail_exists(path_);
        fail_to_write(path_, errno);
    }
    if (::renameat(folder, from, folder, to) != 0) {
        const int error_number = errno;
        ::unlinkat(folder, to, 0);
        fail_to_write(path_, error_number);
    }
    temporary_.clear();
}

void AtomicFile::commit() {
    flush();
    if (::fsync(file_.get()) != 0) fail_to_write(path_, errno);
    if (temporary_.empty() && !force_) {
        if (link_unnamed(file_.get(), folder_.get(), place_.name)) return sync_folder(folder_.get(), path_);
        if (errno == EEXIST) fail_exists(path_);
        fail_to_write(path_, errno);
    }
    give_name();
    // Some file systems tell of a full disk no sooner than here.
    if (::close(file_.release()) != 0 && errno != EINTR) fail_to_write(path_, errno);
    if (!force_) {
        rename_over_nothing();
    } else if (::renameat(folder_.get(), temporary_.c_str(), folder_.get(), place_.name.c_str()) == 0) {
        temporary_.clear();
    } else {
        fail_to_write(path_, errno);
    }
    sync_folder(folder_.get(), path_);
}

}  // namespace grouplink::io
