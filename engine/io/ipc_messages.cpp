#include "io/ipc_messages.hpp"

#include "io/message.hpp"

#include <array>
#include <cstring>
#include <string_view>

namespace grouplink::io {
namespace {

constexpr std::int64_t mark_bytes = 6;  // ARROW1, at both ends

/// The footer, a table of FlatBuffers, as far as it takes to find its fields.
/// https://flatbuffers.dev/internals
class Footer {
public:
    enum Field : std::uint8_t { version, schema, dictionaries, record_batches };

    Footer(const arrow::Buffer& file, const std::string& path) : file_(file), path_(path) {
        const std::int64_t size_at = file.size() - mark_bytes - 4;
        begin_ = size_at - at<std::int32_t>(size_at);
        if (begin_ > size_at) refuse();
        bytes_ = size_at - begin_;
        table_ = begin_ + at<std::uint32_t>(begin_);
    }

    /// Where the messages of a list begin: the first numbers of its items.
    void add_offsets(Field list, std::vector<std::int64_t>& offsets) const {
        constexpr std::int64_t item_bytes = 24;
        const std::int64_t vector = follow(list);
        if (vector == 0) return;
        const std::int64_t count = at<std::uint32_t>(vector);
        for (std::int64_t i = 0; i < count; ++i) {
            offsets.push_back(at<std::int64_t>(vector + 4 + i * item_bytes));
        }
    }

    /// A message around the footer's own schema. All references in it are relative, so it stays as it is.
    std::shared_ptr<arrow::Buffer> schema_message() const {
        constexpr std::uint32_t vtable = 4;
        constexpr std::uint32_t table = 16;
        constexpr std::uint32_t header = table + 4;
        constexpr std::uint32_t version_number = table + 8;
        constexpr std::uint32_t header_kind = table + 10;
        constexpr std::uint32_t begin = 32;  // aligned as any field may have to be
        constexpr std::uint8_t is_schema = 1;
        const std::int64_t schema_at = follow(schema) - begin_;
        if (schema_at < 0 || schema_at >= bytes_) refuse();
        std::string message(begin, '\0');
        const auto put = [&message](std::size_t place, auto number) {
            std::memcpy(message.data() + place, &number, sizeof number);
        };
        put(0, table);
        // The sizes of the vtable and of the table, and where in this its first three fields are.
        put(vtable, std::array<std::uint16_t, 5>{10, 12, version_number - table, header_kind - table,
                                                 header - table});
        put(table, std::int32_t{table - vtable});
        put(header, static_cast<std::uint32_t>(begin + schema_at - header));
        put(version_number, place(version) == 0 ? std::int16_t{0} : at<std::int16_t>(place(version)));
        put(header_kind, is_schema);
        return arrow::Buffer::FromString(message.append(bytes()));
    }

private:
    std::string_view bytes() const {
        return {reinterpret_cast<const char*>(file_.data()) + begin_, static_cast<std::size_t>(bytes_)};
    }

    template <typename Number>
    Number at(std::int64_t position) const {
        Number number;
        if (position < 0 || position > file_.size() - static_cast<std::int64_t>(sizeof number)) refuse();
        std::memcpy(&number, file_.data() + position, sizeof number);
        return number;
    }

    /// Where it stands in the file; 0 where it is left out.
    std::int64_t place(Field field) const {
        const std::int64_t vtable = table_ - at<std::int32_t>(table_);
        const std::int64_t entry = 4 + 2 * field;
        if (at<std::uint16_t>(vtable) < entry + 2) return 0;
        const auto from_table = at<std::uint16_t>(vtable + entry);
        return from_table == 0 ? 0 : table_ + from_table;
    }

    /// What the field refers to: where that stands in the file.
    std::int64_t follow(Field field) const {
        const std::int64_t reference = place(field);
        return reference == 0 ? 0 : reference + at<std::uint32_t>(reference);
    }

    [[noreturn]] void refuse() const {
        fail(ErrorCode::bad_input, "{}: is damaged: its footer is not whole", path_);
    }

    const arrow::Buffer& file_;
    const std::string& path_;
    std::int64_t begin_;
    std::int64_t bytes_;
    std::int64_t table_;
};

class ListedMessages final : public arrow::ipc::MessageReader {
public:
    ListedMessages(arrow::io::RandomAccessFile& file, const IpcMessages& messages)
        : file_(file), messages_(messages) {}

    arrow::Result<std::unique_ptr<arrow::ipc::Message>> ReadNextMessage() override {
        if (!begun_) {
            begun_ = true;
            return arrow::ipc::Message::Open(messages_.schema, nullptr);
        }
        if (next_ == messages_.offsets.size()) return std::unique_ptr<arrow::ipc::Message>();
        ARROW_RETURN_NOT_OK(file_.Seek(messages_.offsets[next_++]));
        ARROW_ASSIGN_OR_RAISE(auto message, arrow::ipc::ReadMessage(&file_));
        // Which would be the end of a stream.
        if (!message) return arrow::Status::Invalid("the footer lists a message where there is none");
        return message;
    }

private:
    arrow::io::RandomAccessFile& file_;
    const IpcMessages& messages_;
    bool begun_ = false;
    std::size_t next_ = 0;
};

}  // namespace

IpcMessages messages_of(const arrow::Buffer& file, const std::string& path) {
    const Footer footer(file, path);
    IpcMessages messages{footer.schema_message(), {}};
    footer.add_offsets(Footer::dictionaries, messages.offsets);
    footer.add_offsets(Footer::record_batches, messages.offsets);
    return messages;
}

std::unique_ptr<arrow::ipc::MessageReader> read_messages(arrow::io::RandomAccessFile& file,
                                                         const IpcMessages& messages) {
    return std::make_unique<ListedMessages>(file, messages);
}

}  // namespace grouplink::io
