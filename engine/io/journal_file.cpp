#include "io/journal_file.hpp"

#include "io/message.hpp"
#include "rows/hash.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace grouplink::io {
namespace {

static_assert(std::endian::native == std::endian::little, "journals are read and written as memory has them");

constexpr std::uint64_t format_version = 1;
constexpr std::uint64_t most_manifest_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t most_record_bytes = std::uint64_t{1} << 30;

struct Header {
    std::array<char, 16> magic{'g', 'r', 'o', 'u', 'p', 'l', 'i', 'n',
                               'k', ' ', 'r', 'e', 's', 'u', 'm', 'e'};
    std::uint64_t version = format_version;
    std::uint64_t bytes = 0;     ///< of the manifest
    std::uint64_t checksum = 0;  ///< of it and all above
};

struct RecordHeader {
    std::uint64_t bytes = 0;
    std::uint64_t checksum = 0;
};

std::uint64_t checksum_of(const Header& header, std::string_view manifest) {
    return hash_pair(hash_pair(header.version, header.bytes), hash_bytes(manifest));
}

/// A record does not check out anywhere but at its place, below its header.
std::uint64_t checksum_of(std::uint64_t header, std::uint64_t position, std::string_view record) {
    return hash_pair(hash_pair(header, position), hash_bytes(record));
}

template <typename Value>
std::string_view bytes_of(const Value& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// Whether the file is a journal, though bits of it may be wrong: one that a lost power supply left may be
/// all zeros.
bool is_journal(const Header& header) {
    const auto wanted = Header{}.magic;
    std::size_t alike = 0;
    std::size_t zeros = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (header.magic[i] == wanted[i]) ++alike;
        if (header.magic[i] == '\0') ++zeros;
    }
    return alike >= wanted.size() / 2 || zeros == wanted.size();
}

/// Tells a file that is still in its place from one that was removed meanwhile.
bool stands(const std::string& path, int file) {
    struct stat opened {};
    struct stat there {};
    return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &there) == 0 &&
           opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

}  // namespace

std::string journal_path(const OutputPlace& output) {
    constexpr std::size_t longest = 200;
    std::string name = output.name;
    // Names that are too long for more are told apart by their hashes.
    if (name.size() > longest) name = fmt::format("{}-{:016x}", name.substr(0, longest), hash_bytes(name));
    const std::string folder = output.folder == "." ? std::string() : output.folder + '/';
    return fmt::format("{}.{}.resume", folder, name);
}

void remove_leftovers(const OutputPlace& output) noexcept {
    try {
        const std::string prefix = temporary_prefix(output.name);
        for (const auto& entry : std::filesystem::directory_iterator(output.folder)) {
            const std::string name = entry.path().filename().string();
            if (!name.starts_with(prefix)) continue;
            pid_t process = 0;
            const char* const last = name.data() + name.size();
            const auto [end, error] = std::from_chars(name.data() + prefix.size(), last, process);
            if (error != std::errc() || end == last || *end != '-' || process <= 0) continue;
            if (::kill(process, 0) == 0 || errno != ESRCH) continue;
            ::unlink(entry.path().c_str());
        }
    } catch (const std::exception&) {
        // A folder that cannot be listed keeps what is in it.
    }
}

std::optional<JournalFile> JournalFile::open(const std::string& path, bool create) {
    constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    for (;;) {
        FileDescriptor file(::open(path.c_str(), create ? flags | O_CREAT : flags, 0666));
        if (file.get() < 0) {
            if (errno == EINTR) continue;
            if (errno == ENOENT && !create) return std::nullopt;
            if (errno == ELOOP) fail(ErrorCode::io, "{}: is a symbolic link; remove it", path);
            fail_system(path, "cannot open the journal", errno);
        }
        struct stat info {};
        if (::fstat(file.get(), &info) != 0) fail_system(path, "cannot read the journal", errno);
        if (!S_ISREG(info.st_mode)) fail(ErrorCode::io, "{}: is not a regular file; remove it", path);
        int locked = 0;
        do {
            locked = ::flock(file.get(), LOCK_EX | LOCK_NB);
        } while (locked != 0 && errno == EINTR);
        if (locked != 0 && errno == EWOULDBLOCK) {
            fail(ErrorCode::io, "{}: another run of grouplink keeps it; wait for its end, or stop it", path);
        }
        // The run that had it may have removed it between the two calls.
        if (!stands(path, file.get())) continue;
        JournalFile journal(path, std::move(file));
        journal.read_header();
        return journal;
    }
}

void JournalFile::read_header() {
    Header header;
    const std::string bytes = read_at(0, sizeof header);
    if (bytes.size() < sizeof header) return;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (!is_journal(header)) {
        fail(ErrorCode::bad_input, "{}: is not a journal of grouplink; move it away", path_);
    }
    const std::uint64_t rest = size() - sizeof header;
    if (header.bytes > std::min(rest, most_manifest_bytes)) return;
    std::string manifest = read_at(sizeof header, header.bytes);
    if (header.magic != Header{}.magic || checksum_of(header, manifest) != header.checksum) return;
    if (header.version != format_version) {
        fail(ErrorCode::bad_input,
             "{}: is a journal of format {}, this version of grouplink has format {}; {}", path_,
             header.version, format_version, "go on with the version that kept it, or delete it");
    }
    manifest_ = std::move(manifest);
    checksum_ = header.checksum;
    begin_ = last_ = end_ = sizeof header + header.bytes;
}

std::optional<std::string> JournalFile::record_at(std::uint64_t position) const {
    if (manifest_.empty()) return std::nullopt;
    RecordHeader header;
    const std::string bytes = read_at(position, sizeof header);
    if (bytes.size() < sizeof header) return std::nullopt;
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::uint64_t rest = size() - position - sizeof header;
    if (header.bytes == 0 || header.bytes > std::min(rest, most_record_bytes)) return std::nullopt;
    std::string record = read_at(position + sizeof header, header.bytes);
    if (checksum_of(checksum_, position, record) != header.checksum) return std::nullopt;
    return record;
}

std::optional<std::string> JournalFile::next() {
    std::optional<std::string> record = record_at(end_);
    if (!record) return std::nullopt;
    last_ = std::exchange(end_, end_ + sizeof(RecordHeader) + record->size());
    return record;
}

void JournalFile::drop() { end_ = last_; }

void JournalFile::begin(const std::string& manifest) {
    if (!cut(0)) fail_system(path_, "cannot write the journal", errno);
    Header header;
    header.bytes = manifest.size();
    header.checksum = checksum_of(header, manifest);
    write_at(0, std::string(bytes_of(header)) + manifest);
    manifest_ = manifest;
    checksum_ = header.checksum;
    begin_ = last_ = end_ = sizeof header + manifest.size();
    trimmed_ = true;
}

void JournalFile::append(std::string_view record) {
    if (record.size() > most_record_bytes) return;
    trimmed_ = trimmed_ || cut(end_);
    const RecordHeader header{record.size(), checksum_of(checksum_, end_, record)};
    try {
        write_at(end_, bytes_of(header));
        write_at(end_ + sizeof header, record);
    } catch (const Error&) {
        trimmed_ = cut(end_);
        throw;
    }
    last_ = end_;
    end_ += sizeof header + record.size();
}

void JournalFile::sync() noexcept {
    ::fdatasync(file_.get());
    if (std::exchange(in_folder_, true)) return;
    std::string folder = path_.substr(0, path_.rfind('/') + 1);
    if (folder.empty()) folder = ".";
    const FileDescriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() >= 0) ::fsync(descriptor.get());
}

void JournalFile::remove() noexcept {
    if (stands(path_, file_.get())) ::unlink(path_.c_str());
    file_.close();
}

std::string JournalFile::read_at(std::uint64_t position, std::uint64_t bytes) const {
    std::string read(bytes, '\0');
    std::uint64_t got = 0;
    while (got < bytes) {
        const ssize_t more =
            ::pread(file_.get(), read.data() + got, bytes - got, static_cast<off_t>(position + got));
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) fail_system(path_, "cannot read the journal", errno);
        if (more == 0) break;
        got += static_cast<std::uint64_t>(more);
    }
    read.resize(got);
    return read;
}

std::uint64_t JournalFile::size() const {
    struct stat info {};
    if (::fstat(file_.get(), &info) != 0) fail_system(path_, "cannot read the journal", errno);
    return static_cast<std::uint64_t>(info.st_size);
}

void JournalFile::write_at(std::uint64_t position, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(position));
        if (written < 0) {
            if (errno == EINTR) continue;
            fail_system(path_, "cannot write the journal", errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
        position += static_cast<std::uint64_t>(written);
    }
}

bool JournalFile::cut(std::uint64_t size) noexcept {
    return ::ftruncate(file_.get(), static_cast<off_t>(size)) == 0;
}

}  // namespace grouplink::io
