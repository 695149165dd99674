#pragma once

#include <grouplink/io.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace grouplink::test {

/// A folder of its own, removed in the end.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "grouplink-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    std::string path() const { return path_.string(); }
    std::ptrdiff_t files() const { return std::distance(std::filesystem::directory_iterator(path_), {}); }

private:
    std::filesystem::path path_;
};

inline std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

inline void put(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

/// The code and text of the Error that `function` throws.
template <typename Function>
std::pair<ErrorCode, std::string> error_of(Function function) {
    try {
        function();
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
    return {ErrorCode::internal, "no error"};
}

/// 0 -> 1, 2; 1 -> 0; 2 -> 0; 3 has none.
inline LinkResult small_result(LinkMode mode = LinkMode::directed) {
    LinkResult result;
    result.graph = {
        .offsets = {0, 2, 3, 4, 4}, .targets = {1, 2, 0, 0}, .weights = {0.75F, 0.1F, 0.75F, 0.1F}};
    result.row_status.assign(4, RowStatus::ok);
    result.report.version = "1.2.3";
    result.report.options.links = mode;
    result.report.rows = 4;
    result.report.links = 4;
    return result;
}

inline Table small_table(IdColumn ids = {}) {
    MatrixView view;
    view.rows = 4;
    return {nullptr, view, {.codes = {0, 0, 0, -1}, .keys = {"a"}}, std::move(ids)};
}

inline StringColumn texts(std::initializer_list<std::string_view> values) {
    StringColumn column;
    for (const auto value : values) column.push_back(value);
    return column;
}

}  // namespace grouplink::test
