#include "io/inspect_formats.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/npy.hpp"
#include "io/zip_reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace grouplink::io {

FileInfo inspect_npz(const std::string& path) {
    const MappedFile file(path);
    FileInfo info;
    info.format = "npz";
    info.bytes = static_cast<std::int64_t>(file.size());
    std::optional<std::int64_t> matrix_rows;
    for (const ZipEntry& entry : ZipReader(path, file.text()).entries()) {
        const std::string name =
            entry.name.ends_with(".npy") ? entry.name.substr(0, entry.name.size() - 4) : entry.name;
        ColumnInfo column;
        column.name = name;
        column.type = "compressed";
        if (!entry.compressed) {
            const std::string where = fmt::format("{}: {}", path, in_quotes(name));
            const NpyHeader header = parse_npy(entry.data, where);
            const std::string_view data = entry.data.substr(header.data_offset);
            column.type = fmt::format("{} {}", header.descr, npy_shape(header));
            if (!header.shape.empty()) info.rows = std::max(info.rows, header.shape[0]);
            if (name == "shape" && header.descr == "<i8" && data.size() >= 8) {
                std::int64_t rows = 0;
                std::memcpy(&rows, data.data(), 8);
                matrix_rows = rows;
            }
            const bool text = header.shape.empty() && (header.kind == 'U' || header.kind == 'S');
            if (text && name == metadata_key) {
                for (auto& value : read_metadata(npy_text(header, data)))
                    info.metadata.push_back(std::move(value));
                continue;
            }
            if (text && name == "format") info.metadata.emplace_back(name, npy_text(header, data));
        }
        info.columns.push_back(std::move(column));
    }
    file.check_unchanged();
    if (matrix_rows) info.rows = *matrix_rows;
    return info;
}

}  // namespace grouplink::io
