#include "io/formats.hpp"
#include "io/inspect_formats.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/npy.hpp"
#include "io/readers.hpp"

#include <grouplink/io.hpp>

#include <filesystem>
#include <system_error>

namespace grouplink {
namespace {

using namespace io;

bool could_be_linked(const NpyHeader& header, const MappedFile& file, const std::string& path) {
    try {
        npy_vectors(header, file.text(), path);
        return true;
    } catch (const Error&) {
        return false;
    }
}

FileInfo inspect_npy(const std::string& path) {
    const MappedFile file(path);
    const NpyHeader header = parse_npy(file.text(), path);
    FileInfo info;
    info.format = "npy";
    info.bytes = static_cast<std::int64_t>(file.size());
    info.rows = header.shape.empty() ? 1 : header.shape[0];
    ColumnInfo column;
    column.name = "array";
    column.type = header.descr;
    if (header.shape.size() == 2) {
        column.dims = {header.shape[1], header.shape[1]};
        column.embedding = could_be_linked(header, file, path);
    } else if (header.shape.size() != 1) {
        column.type += fmt::format(" {}", npy_shape(header));
    }
    info.columns.push_back(std::move(column));
    file.check_unchanged();
    return info;
}

FileInfo inspect_raw(const RowsRead& read, const char* format) {
    FileInfo info;
    info.format = format;
    info.rows = read.vectors.rows;
    ColumnInfo& column = info.columns.emplace_back();
    column.name = "array";
    column.type = "<f4";
    column.dims = {read.vectors.dim, read.vectors.dim};
    column.embedding = true;
    return info;
}

FileInfo inspect(const std::string& path, const JobControl& control) {
    switch (known_format(path, FileRole::any, "a file to inspect")) {
        case Format::parquet:
        case Format::arrow: return inspect_columnar(path, control);
        case Format::jsonl: return inspect_json_lines(path, control);
        case Format::sqlite: return inspect_sqlite(path, control);
        case Format::fbin: return inspect_raw(read_fbin(path), "fbin");
        case Format::fvecs: return inspect_raw(read_fvecs(path, {}), "fvecs");
        case Format::npz: return inspect_npz(path);
        case Format::part: return inspect_part(path, control);
        case Format::csv: return inspect_text(path, ',', control);
        case Format::tsv: return inspect_text(path, '\t', control);
        default: return inspect_npy(path);
    }
}

}  // namespace

FileInfo inspect_file(const std::string& path, const JobControl& control) {
    FileInfo info = inspect(path, control);
    info.path = path;
    if (std::error_code failed; info.bytes == 0) {
        const auto bytes = std::filesystem::file_size(path, failed);
        if (!failed) info.bytes = static_cast<std::int64_t>(bytes);
    }
    return info;
}

}  // namespace grouplink
