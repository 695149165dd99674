#include "io/outputs.hpp"

#include <cstring>
#include <vector>

using namespace grouplink;
using namespace grouplink::test;

namespace {

template <typename Value>
std::string bytes_of(std::initializer_list<Value> values) {
    std::string bytes;
    for (const Value value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return bytes;
}

std::string words(std::initializer_list<std::uint32_t> values) { return bytes_of(values); }
std::string floats(std::initializer_list<float> values) { return bytes_of(values); }

std::vector<float> row_of(const Table& table, std::int64_t row) {
    const auto* values = static_cast<const float*>(table.vectors.row(row));
    return {values, values + table.vectors.row_dim(row)};
}

/// The message of reading `bytes` as a file of that name.
std::string fault(const std::string& name, const std::string& bytes) {
    const Folder folder;
    put(folder / name, bytes);
    const auto [code, message] = error_of([&] { (void)read_table({.path = folder / name}); });
    CHECK(code == ErrorCode::bad_input);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(error_of([&] { (void)inspect_file(folder / name); }).second == message);
    return message;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("fbin: a header, then rows") {
    const Folder folder;
    put(folder / "a.fbin", words({3, 2}) + floats({1, 2, 3, 4, 5, 6}));
    put(folder / "g.txt", "x\ny\nx\n");
    const Table table = read_table({.path = folder / "a.fbin", .groups_file = folder / "g.txt"});
    CHECK(table.vectors.rows == 3);
    CHECK(table.vectors.dim == 2);
    CHECK(row_of(table, 2) == std::vector<float>{5, 6});
    CHECK(table.groups.codes == std::vector<std::int32_t>{0, 1, 0});
    const FileInfo info = inspect_file(folder / "a.fbin");
    CHECK(info.format == "fbin");
    CHECK(info.bytes == 32);
    CHECK(info.columns.at(0).dims == std::pair<std::int64_t, std::int64_t>(2, 2));
    put(folder / "none.fbin", words({0, 7}));
    CHECK(read_table({.path = folder / "none.fbin"}).vectors.rows == 0);
    CHECK(contains(error_of([&] { (void)read_table({.path = folder / "a.fbin", .group = "g"}); }).second,
                   "an array has no columns"));
}

TEST_CASE("fbin that says what its bytes do not hold") {
    const std::string whole = words({3, 2}) + floats({1, 2, 3, 4, 5, 6});
    for (std::size_t size = 0; size < whole.size(); ++size) fault("a.fbin", whole.substr(0, size));
    CHECK(contains(fault("a.fbin", whole + "x"), "says 3 rows of 2 float32"));
    CHECK(contains(fault("a.fbin", words({3, 0})), "no components"));
    CHECK(contains(fault("a.fbin", words({0xFFFFFFFF, 0xFFFFFFFF})), "4294967295 rows"));
    // 2^31 rows of 2^31 components of 4 bytes are 2^64, which 64 bits take for none.
    CHECK(contains(fault("a.fbin", words({0x80000000, 0x80000000})), "2147483648 rows"));
}

TEST_CASE("fvecs: each row after its dimension") {
    const Folder folder;
    const std::string dim = words({2});
    put(folder / "a.fvecs", dim + floats({1, 2}) + dim + floats({3, 4}));
    const Table table = read_table({.path = folder / "a.fvecs"});
    CHECK(table.vectors.rows == 2);
    CHECK(row_of(table, 0) == std::vector<float>{1, 2});
    CHECK(row_of(table, 1) == std::vector<float>{3, 4});
    CHECK(inspect_file(folder / "a.fvecs").rows == 2);
}

TEST_CASE("fvecs that says what its bytes do not hold") {
    const std::string dim = words({2});
    const std::string whole = dim + floats({1, 2}) + dim + floats({3, 4});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        if (size != 12) fault("a.fvecs", whole.substr(0, size));
    }
    CHECK(contains(fault("a.fvecs", dim + floats({1, 2}) + words({1}) + floats({3, 4})), "row 1 says 1"));
    CHECK(contains(fault("a.fvecs", words({0}) + floats({1})), "row 0 says 0"));
    CHECK(contains(fault("a.fvecs", words({0xFFFFFFFF}) + floats({1})), "row 0 says 4294967295"));
}
