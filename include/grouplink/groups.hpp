#pragma once

#include <grouplink/export.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink {

/// A dictionary-encoded grouping column: row i is in the group keys[codes[i]], or in none when
/// codes[i] is -1 (null).
struct GroupColumn {
    std::vector<std::int32_t> codes;  ///< one a row
    std::vector<std::string> keys;    ///< distinct, in the order of their first row
};

/// Every one of `rows` rows in one group, whose key is empty.
GROUPLINK_EXPORT GroupColumn single_group(std::int64_t rows);

/// One group for each distinct value; integers become their decimal text.
GROUPLINK_EXPORT GroupColumn encode_groups(std::span<const std::string_view> values);
GROUPLINK_EXPORT GroupColumn encode_groups(std::span<const std::int64_t> values);

/// Builds a GroupColumn value by value, for readers that stream. One that was moved from is empty.
/// Throws Error(bad_input) past 2^31 - 1 distinct groups.
class GROUPLINK_EXPORT GroupEncoder {
public:
    GroupEncoder();
    ~GroupEncoder();
    GroupEncoder(GroupEncoder&&) noexcept;
    GroupEncoder& operator=(GroupEncoder&&) noexcept;

    void push(std::string_view key);
    void push(std::int64_t key);
    void push_null();
    /// Hands over the column; the encoder is empty afterwards.
    GroupColumn finish();

private:
    struct State;
    State& state();
    std::unique_ptr<State> state_;
};

}  // namespace grouplink
