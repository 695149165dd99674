#pragma once

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/message.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace grouplink::io {

/// The messages of an Arrow IPC file as they would follow one another in a stream.
/// https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
struct IpcMessages {
    std::shared_ptr<arrow::Buffer> schema;  ///< metadata of a message of the footer's schema
    std::vector<std::int64_t> offsets;      ///< where those that the footer lists begin, dictionaries first
};

/// By the footer, which has to be a valid one: a file need not begin with a stream. Throws Error(bad_input)
/// where it is none.
IpcMessages messages_of(const arrow::Buffer& file, const std::string& path);

/// Reads them for a reader of streams; both must outlive it. Of some fields Arrow's reader of files makes a
/// copy, in a block of the size that the message claims; one of streams leaves the bodies where they are.
std::unique_ptr<arrow::ipc::MessageReader> read_messages(arrow::io::RandomAccessFile& file,
                                                         const IpcMessages& messages);

}  // namespace grouplink::io
