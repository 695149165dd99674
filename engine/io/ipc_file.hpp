#pragma once

#include "io/columnar_file.hpp"
#include "io/ipc_messages.hpp"
#include "io/mapped_file.hpp"

#include <arrow/io/memory.h>
#include <arrow/ipc/options.h>

namespace grouplink::io {

/// Arrow IPC, in the form of a file (Feather version 2) or of a stream, whatever its extension says. The
/// file is mapped, so what is not compressed is read in place.
class IpcFile : public ColumnarFile {
public:
    explicit IpcFile(const std::string& path);

    std::optional<std::int64_t> rows() const override { return std::nullopt; }
    std::optional<std::int64_t> nulls(int) const override { return std::nullopt; }
    std::int64_t claimed_components(int) const override { return 0; }
    std::int64_t data_bytes() const override { return bytes_; }
    const arrow::KeyValueMetadata* metadata() const override { return schema_->metadata().get(); }
    void read(const std::vector<int>& fields, const JobControl& control,
              const std::function<void(const arrow::RecordBatch&)>& use) override;

private:
    std::shared_ptr<arrow::RecordBatchReader> open(arrow::io::BufferReader& source,
                                                   const std::vector<int>& fields) const;
    arrow::ipc::IpcReadOptions options(const std::vector<int>& fields) const;
    std::shared_ptr<arrow::Buffer> buffer() const;
    void check_end(std::int64_t position) const;

    MappedFile file_;
    bool stream_ = false;
    IpcMessages messages_;  ///< of a file
};

}  // namespace grouplink::io
