#pragma once

#include "io/message.hpp"

#include <grouplink/report.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace grouplink::io {

/// Calls visit(number) for each number of a search, in their order in files.
template <typename Search, typename Visit>
void for_each_number(Search& search, Visit visit) {
    visit(search.recall.rows);
    visit(search.recall.recall);
    visit(search.recall.low);
    visit(search.recall.high);
    visit(search.ivf.nlist);
    visit(search.ivf.nprobe);
    visit(search.hnsw.M);
    visit(search.hnsw.ef_construction);
    visit(search.hnsw.ef_search);
    visit(search.partition.passes);
    visit(search.partition.fanout);
    visit(search.partition.refinements);
}

/// Numbers one behind another, eight bytes each.
class NumberWriter {
public:
    template <typename Value>
    void put(Value value) {
        if constexpr (std::is_same_v<Value, double>) {
            put(std::bit_cast<std::int64_t>(value));
        } else {
            const auto number = static_cast<std::int64_t>(value);
            bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
        }
    }
    void put(const std::optional<SearchReport>& search) {
        put(search.has_value());
        if (!search) return;
        put(search->exhaustive);
        for_each_number(*search, [&](auto number) { put(number); });
    }
    void put_text(std::string_view text) {
        put(text.size());
        bytes_ += text;
    }
    void put_bytes(std::string_view bytes) { bytes_ += bytes; }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

/// Reads them again. Throws Error(bad_input) about `path` for what makes no sense; `remedy` says what to do.
class NumberReader {
public:
    NumberReader(std::string_view bytes, const std::string& path, std::string_view remedy)
        : bytes_(bytes), path_(path), remedy_(remedy) {}

    bool at_end() const { return bytes_.empty(); }
    void get(std::int64_t& value) {
        const std::string_view bytes = get_bytes(sizeof value);
        std::memcpy(&value, bytes.data(), sizeof value);
    }
    void get(double& value) {
        std::int64_t bits = 0;
        get(bits);
        value = std::bit_cast<double>(bits);
    }
    /// At most `most`.
    template <typename Value>
    void get(Value& value, std::int64_t most) {
        std::int64_t number = 0;
        get(number);
        if (number < 0 || number > most) fail_broken("make no sense");
        value = static_cast<Value>(number);
    }
    void get(std::optional<SearchReport>& search) {
        bool searched = false;
        get(searched, 1);
        if (!searched) return;
        search.emplace();
        get(search->exhaustive, 1);
        for_each_number(*search, [&](auto& number) { get(number); });
    }
    void get_text(std::string& text) {
        std::int64_t size = 0;
        get(size, static_cast<std::int64_t>(bytes_.size()));
        text = get_bytes(static_cast<std::size_t>(size));
    }
    /// So many rows of as many items of that size: all at least 0, and items of no size are refused.
    std::string_view get_table(std::int64_t rows, std::int64_t items, std::int64_t item_size) {
        const auto size = static_cast<std::int64_t>(bytes_.size());
        if (item_size < 1 || (items > 0 && rows > size / item_size / items)) fail_broken("end too soon");
        return get_bytes(static_cast<std::size_t>(rows * items * item_size));
    }
    std::string_view get_bytes(std::size_t size) {
        if (size > bytes_.size()) fail_broken("end too soon");
        const std::string_view bytes = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return bytes;
    }

    [[noreturn]] void fail_broken(std::string_view what) const {
        fail(ErrorCode::bad_input, "{}: is broken: its groups {}; {}", path_, what, remedy_);
    }

private:
    std::string_view bytes_;
    const std::string& path_;
    std::string_view remedy_;
};

}  // namespace grouplink::io
