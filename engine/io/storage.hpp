#pragma once

#include "io/mapped_file.hpp"

#include <grouplink/io.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace grouplink {
namespace io {

/// Bytes that grow at the end. std::realloc moves large blocks by their page table, where a
/// std::vector would hold the old and the new ones at once.
class GrowingBytes {
public:
    std::byte* data() { return data_.get(); }
    const std::byte* data() const { return data_.get(); }
    std::size_t size() const { return size_; }

    void reserve(std::size_t capacity) {
        if (capacity > capacity_) resize_block(capacity);
    }
    /// Room for `count` more bytes, to be written by the caller.
    std::byte* extend(std::size_t count) {
        if (count > capacity_ - size_) {
            if (count > SIZE_MAX / 2 - size_) throw std::bad_alloc();
            const std::size_t wanted = size_ + count;
            resize_block(wanted + wanted / 4);
        }
        std::byte* const place = data_.get() + size_;
        size_ += count;
        return place;
    }
    void shrink() {
        if (size_ > 0) resize_block(size_);
    }

private:
    struct Free {
        void operator()(std::byte* block) const noexcept { std::free(block); }
    };

    void resize_block(std::size_t capacity) {
        void* const block = std::realloc(data_.get(), capacity);
        if (!block) throw std::bad_alloc();
        (void)data_.release();
        data_.reset(static_cast<std::byte*>(block));
        capacity_ = capacity;
    }

    std::unique_ptr<std::byte, Free> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

/// What a reader found in one file.
struct RowsRead {
    std::shared_ptr<const Table::Storage> storage;
    MatrixView vectors;
    GroupColumn groups;  ///< filled only where a group column was asked for
    IdColumn ids;
};

}  // namespace io

struct Table::Storage {
    io::MappedFile file;
    io::GrowingBytes values;
    std::vector<std::int64_t> offsets;
    std::vector<std::uint8_t> valid;
};

}  // namespace grouplink
