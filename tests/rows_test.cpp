#include "rows/check.hpp"
#include "rows/groups.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>

#include <string_view>

using namespace grouplink;

TEST_CASE("groups are encoded in the order of their first rows") {
    const std::vector<std::string_view> words{"b", "a", "b", "", "c", "a"};
    const GroupColumn column = encode_groups(words);
    CHECK(column.codes == std::vector<std::int32_t>{0, 1, 0, 2, 3, 1});
    CHECK(column.keys == std::vector<std::string>{"b", "a", "", "c"});
    const std::vector<std::int64_t> numbers{7, -7, 7};
    CHECK(encode_groups(numbers).keys == std::vector<std::string>{"7", "-7"});
    CHECK(encode_groups(std::span<const std::int64_t>{}).codes.empty());
    CHECK(single_group(3).codes == std::vector<std::int32_t>{0, 0, 0});
}

TEST_CASE("an encoder takes texts, numbers and nulls, and starts anew after finish") {
    GroupEncoder encoder;
    encoder.push("12");
    encoder.push(std::int64_t{12});
    encoder.push_null();
    encoder.push(std::int64_t{12});
    const GroupColumn column = encoder.finish();
    CHECK(column.codes == std::vector<std::int32_t>{0, 0, -1, 0});
    CHECK(column.keys == std::vector<std::string>{"12"});
    encoder.push(std::int64_t{12});
    CHECK(encoder.finish().codes == std::vector<std::int32_t>{0});
    CHECK(encoder.finish().codes.empty());
}

TEST_CASE("an encoder that was moved from is empty, and of use") {
    GroupEncoder first;
    first.push("a");
    GroupEncoder second = std::move(first);
    first.push_null();
    first.push("b");
    CHECK(first.finish().codes == std::vector<std::int32_t>{-1, 0});
    second.push("c");
    first = std::move(second);
    CHECK(first.finish().keys == std::vector<std::string>{"a", "c"});
    second.push(std::int64_t{7});
    CHECK(second.finish().keys == std::vector<std::string>{"7"});
    GroupEncoder third = std::move(second);
    CHECK(second.finish().codes.empty());
}

TEST_CASE("rows by group: stable, without nulls and bad rows") {
    const GroupColumn groups{.codes = {1, 0, -1, 1, 0, 1}, .keys = {"x", "y", "empty"}};
    const RowsByGroup all = rows_by_group(groups);
    CHECK(all.offsets == std::vector<std::int64_t>{0, 2, 5, 5});
    CHECK(all.rows == std::vector<std::int64_t>{1, 4, 0, 3, 5});
    std::vector<RowStatus> status(6, RowStatus::ok);
    status[3] = RowStatus::non_finite;
    const RowsByGroup good = rows_by_group(groups, status);
    CHECK(good.rows == std::vector<std::int64_t>{1, 4, 0, 5});
    CHECK(good.group(1).size() == 2);
    CHECK(good.group(2).empty());
}

TEST_CASE("a group's dimension is the most common one, the smaller of two as common") {
    oracle::Rows data;
    for (const std::size_t dim : {3U, 4U, 4U, 5U, 2U, 2U, 5U, 0U}) data.values.emplace_back(dim, 1.0);
    const oracle::Packed packed(data, ElementType::float32);
    const GroupColumn groups{.codes = {0, 0, 0, 1, 1, 1, 1, 2}, .keys = {"a", "b", "c"}};
    const RowCheck check = check_rows(packed.view(), groups, Metric::angular, 2, {});
    CHECK(check.group_dim == std::vector<std::int64_t>{4, 2, 0});
    CHECK(check.status[0] == RowStatus::wrong_dim);
    CHECK(check.status[3] == RowStatus::wrong_dim);
    CHECK(check.status[7] == RowStatus::null_embedding);
    CHECK(check.bad_rows() == 4);
}

TEST_CASE("the first reason counts, in the order of RowStatus") {
    oracle::Rows data;
    data.values = {{0, 0}, {0, 0}, {1, 2}, {1}, {1e200, 0}, {1e-200, 0}};
    data.valid = {1, 0, 0, 1, 1, 1};
    const oracle::Packed packed(data, ElementType::float64);
    const GroupColumn groups{.codes = {-1, -1, 0, 0, 0, 0}, .keys = {"g"}};
    const RowCheck check = check_rows(packed.view(), groups, Metric::angular, 1, {});
    CHECK(check.status[0] == RowStatus::null_group);
    CHECK(check.status[1] == RowStatus::null_group);
    CHECK(check.status[2] == RowStatus::null_embedding);
    CHECK(check.status[3] == RowStatus::wrong_dim);
    CHECK(check.status[4] == RowStatus::non_finite);  // its square is not
    CHECK(check.status[5] == RowStatus::ok);
}

TEST_CASE("bad rows are described in one line, the first few by number") {
    oracle::Rows data;
    data.values.assign(9, {0.0, 0.0});
    data.values[2] = {1.0, 1.0};
    const oracle::Packed packed(data, ElementType::float32);
    const GroupColumn groups = single_group(9);
    const RowCheck check = check_rows(packed.view(), groups, Metric::angular, 1, {});
    CHECK(describe_bad_rows(check, packed.view(), groups) ==
          "8 of 9 rows cannot be linked: 8 zero_norm (rows 0, 1, 3, ...)");
}
