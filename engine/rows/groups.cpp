#include "rows/groups.hpp"

#include <grouplink/error.hpp>

#include <charconv>
#include <limits>
#include <unordered_map>
#include <utility>

namespace grouplink {
namespace {

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

template <typename Values>
GroupColumn encode(const Values& values) {
    GroupEncoder encoder;
    for (const auto& value : values) encoder.push(value);
    return encoder.finish();
}

}  // namespace

struct GroupEncoder::State {
    GroupColumn column;
    std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>> codes;
    std::unordered_map<std::int64_t, std::int32_t> integer_codes;  ///< spares the text of a known integer
};

GroupEncoder::GroupEncoder() : state_(std::make_unique<State>()) {}
GroupEncoder::~GroupEncoder() = default;
GroupEncoder::GroupEncoder(GroupEncoder&&) noexcept = default;
GroupEncoder& GroupEncoder::operator=(GroupEncoder&&) noexcept = default;

GroupEncoder::State& GroupEncoder::state() {
    // A move leaves none behind, and must not throw.
    if (!state_) state_ = std::make_unique<State>();
    return *state_;
}

void GroupEncoder::push(std::string_view key) {
    State& encoded = state();
    auto found = encoded.codes.find(key);
    if (found == encoded.codes.end()) {
        auto& keys = encoded.column.keys;
        if (keys.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
            throw Error(ErrorCode::bad_input,
                        "more than 2147483647 distinct groups; group by a coarser column");
        }
        found = encoded.codes.emplace(key, static_cast<std::int32_t>(keys.size())).first;
        keys.emplace_back(key);
    }
    encoded.column.codes.push_back(found->second);
}

void GroupEncoder::push(std::int64_t key) {
    State& encoded = state();
    const auto known = encoded.integer_codes.find(key);
    if (known != encoded.integer_codes.end()) {
        encoded.column.codes.push_back(known->second);
        return;
    }
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, key).ptr;
    push(std::string_view(text, static_cast<std::size_t>(end - text)));
    encoded.integer_codes.emplace(key, encoded.column.codes.back());
}

void GroupEncoder::push_null() { state().column.codes.push_back(-1); }

GroupColumn GroupEncoder::finish() {
    GroupColumn column = std::move(state().column);
    state() = State{};
    return column;
}

GroupColumn single_group(std::int64_t rows) {
    return {.codes = std::vector<std::int32_t>(static_cast<std::size_t>(rows), 0), .keys = {std::string()}};
}

GroupColumn encode_groups(std::span<const std::string_view> values) { return encode(values); }

GroupColumn encode_groups(std::span<const std::int64_t> values) { return encode(values); }

RowsByGroup rows_by_group(const GroupColumn& groups, std::span<const RowStatus> status) {
    const auto takes_part = [&](std::size_t row) {
        return groups.codes[row] >= 0 && (status.empty() || status[row] == RowStatus::ok);
    };
    RowsByGroup result;
    result.offsets.assign(groups.keys.size() + 1, 0);
    for (std::size_t row = 0; row < groups.codes.size(); ++row) {
        if (takes_part(row)) ++result.offsets[static_cast<std::size_t>(groups.codes[row]) + 1];
    }
    for (std::size_t g = 1; g < result.offsets.size(); ++g) result.offsets[g] += result.offsets[g - 1];
    result.rows.resize(static_cast<std::size_t>(result.offsets.back()));
    std::vector<std::int64_t> next(result.offsets.begin(), result.offsets.end() - 1);
    for (std::size_t row = 0; row < groups.codes.size(); ++row) {
        if (!takes_part(row)) continue;
        auto& place = next[static_cast<std::size_t>(groups.codes[row])];
        result.rows[static_cast<std::size_t>(place++)] = static_cast<std::int64_t>(row);
    }
    return result;
}

}  // namespace grouplink
