#include "io/npy.hpp"

#include "io/outputs.hpp"

#include <algorithm>

using namespace grouplink;
using namespace grouplink::io;

namespace {

std::string file_of(const std::string& header, std::size_t data, int version = 1) {
    std::string file = "\x93NUMPY";
    file += {static_cast<char>(version), '\0'};
    const int length_bytes = version == 1 ? 2 : 4;
    for (int i = 0; i < length_bytes; ++i) file += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
    return file + header + std::string(data, '\x01');
}

std::string header_of(const std::string& descr, const std::string& shape,
                      const std::string& order = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

std::string vectors_error(const std::string& file) {
    const auto [code, message] = test::error_of([&] { npy_vectors(parse_npy(file, "f"), file, "f"); });
    CHECK(code == ErrorCode::bad_input);
    CHECK(message.starts_with("f: "));
    CHECK(message.find('\n') == std::string::npos);
    return message;
}

}  // namespace

TEST_CASE("every element type, in each version of the format") {
    const std::pair<const char*, ElementType> types[] = {{"<f2", ElementType::float16},
                                                         {"<f4", ElementType::float32},
                                                         {"<f8", ElementType::float64},
                                                         {"|i1", ElementType::int8}};
    for (const auto& [descr, type] : types) {
        for (const int version : {1, 2, 3}) {
            const std::string file = file_of(header_of(descr, "(2, 3)"), 6 * element_size(type), version);
            const NpyHeader header = parse_npy(file, "f");
            const MatrixView view = npy_vectors(header, file, "f");
            CHECK(view.type == type);
            CHECK(view.rows == 2);
            CHECK(view.dim == 3);
            CHECK(view.values == file.data() + header.data_offset);
        }
    }
}

TEST_CASE("one row or one column is the same in either order") {
    for (const char* shape : {"(1, 3)", "(3, 1)"}) {
        const std::string file = file_of(header_of("<f4", shape, "True"), 12);
        CHECK_NOTHROW(npy_vectors(parse_npy(file, "f"), file, "f"));
    }
}

TEST_CASE("arrays that cannot be linked") {
    const auto error = [](const std::string& descr, const std::string& shape, std::size_t bytes) {
        return vectors_error(file_of(header_of(descr, shape), bytes));
    };
    CHECK(error(">f4", "(2, 3)", 24).find("big-endian") != std::string::npos);
    CHECK(error("<i4", "(2, 3)", 24).find("\"<i4\"") != std::string::npos);
    CHECK(error("<U2", "(3,)", 24).find("shape (3,)") != std::string::npos);
    CHECK(error("<f4", "(6,)", 24).find("shape (6,)") != std::string::npos);
    CHECK(error("<f4", "(1, 2, 3)", 24).find("shape (1, 2, 3)") != std::string::npos);
    CHECK(error("<f4", "(1000000, 0)", 0).find("no components") != std::string::npos);
    CHECK(vectors_error(file_of(header_of("<f4", "(2, 3)", "True"), 24)).find("Fortran") !=
          std::string::npos);
}

TEST_CASE("sizes that the file does not have") {
    const auto error = [](const std::string& shape) {
        return vectors_error(file_of(header_of("<f4", shape), 24));
    };
    CHECK(error("(2, 4)").find("cut short") != std::string::npos);
    CHECK(error("(2, 2)").find("appended") != std::string::npos);
    CHECK(error("(1000000000000, 384)").find("cut short") != std::string::npos);
    CHECK(error("(9223372036854775807, 9223372036854775807)").find("more than any file") !=
          std::string::npos);
    CHECK(error("(4611686018427387905, 4)").find("more than any file") != std::string::npos);
}

TEST_CASE("every cut and many a changed byte of a header is an error or a valid array, and no crash") {
    const std::string file = file_of(header_of("<f4", "(2, 3)"), 24);
    for (std::size_t size = 0; size < file.size(); ++size) {
        vectors_error(file.substr(0, size));
    }
    for (std::size_t at = 0; at + 24 < file.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string changed = file;
            changed[at] = static_cast<char>(value);
            try {
                const MatrixView view = npy_vectors(parse_npy(changed, "f"), changed, "f");
                CHECK(view.rows * view.dim * static_cast<std::int64_t>(element_size(view.type)) <= 64);
            } catch (const Error& error) {
                CHECK(error.code() == ErrorCode::bad_input);
            }
        }
    }
}

TEST_CASE("headers that are malformed") {
    for (const char* header :
         {"", "{", "{}", "[]", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)",
          "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': 6}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
          "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}",
          "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}"}) {
        CAPTURE(header);
        vectors_error(file_of(header, 24));
    }
}

TEST_CASE("values: integers of every width, and strings") {
    const auto values = [](const std::string& descr, const std::string& data) {
        std::string file = file_of(header_of(descr, "(2,)"), 0) + data;
        return npy_values(parse_npy(file, "f"), file, "f", {});
    };
    using Numbers = std::vector<std::int64_t>;
    CHECK(std::get<Numbers>(values("|i1", "\x01\xFF")) == Numbers{1, -1});
    CHECK(std::get<Numbers>(values("|u1", "\x01\xFF")) == Numbers{1, 255});
    CHECK(std::get<Numbers>(values("<i2", std::string("\x01\x00\xFF\xFF", 4))) == Numbers{1, -1});
    CHECK(std::get<Numbers>(values("<u4", std::string("\x01\0\0\0\xFF\xFF\xFF\xFF", 8))) ==
          Numbers{1, 4294967295});
    const auto bytes = std::get<StringColumn>(values("|S3", std::string("ab\0\0\0\0", 6)));
    CHECK(bytes[0] == "ab");
    CHECK(bytes[1].empty());
    const auto wide = std::get<StringColumn>(values("<U1", std::string("\x71\x67\0\0A\0\0\0", 8)));
    CHECK(wide[0] == "\xE6\x9D\xB1");
    CHECK(wide[1] == "A");
    CHECK_THROWS_AS(values("<u8", std::string(16, '\xFF')), Error);
    CHECK_THROWS_AS(values("<U1", std::string(8, '\xFF')), Error);
    CHECK_THROWS_AS(values("|S1", "\xFF\xFE"), Error);
    CHECK_THROWS_AS(values("<f4", std::string(8, '\0')), Error);
}
