#include "io/spill.hpp"

#include "io/atomic_file.hpp"
#include "io/message.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace grouplink::io {
namespace {

FileDescriptor nameless_file(const std::string& folder) {
    FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (file.get() >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return file;
    // A file system without nameless files: the name goes as soon as the file is there.
    std::string name = folder + "/.grouplink-spill-XXXXXX";
    file = FileDescriptor(::mkostemp(name.data(), O_CLOEXEC));
    if (file.get() >= 0) ::unlink(name.c_str());
    return file;
}

}  // namespace

SpillFile::SpillFile(const std::string& folder) : folder_(folder), file_(nameless_file(folder)) {
    if (file_.get() < 0) {
        fail_system(folder_, "cannot hold the vectors that memory has no room for", errno);
    }
}

void SpillFile::write(std::string_view bytes) { write_fully(file_.get(), bytes, folder_); }

MappedFile SpillFile::map() const { return MappedFile(file_, folder_); }

}  // namespace grouplink::io
