#include "io/links_reader.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/npy.hpp"
#include "io/zip_reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace grouplink::io {
namespace {

struct NpzArray {
    std::string where;  ///< begins messages
    NpyHeader header;
    std::string_view file;

    std::string_view data() const { return file.substr(header.data_offset); }
};

/// The arrays of the file, by name.
class NpzFile {
public:
    explicit NpzFile(const std::string& path) : path_(path), file_(path) {
        entries_ = ZipReader(path_, file_.text()).entries();
    }

    std::optional<NpzArray> find(std::string_view name) const {
        const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const ZipEntry& entry) {
            return entry.name == fmt::format("{}.npy", name);
        });
        if (found == entries_.end()) return std::nullopt;
        if (found->compressed) {
            fail(ErrorCode::bad_input,
                 "{}: {} is compressed, links are read as they are stored; save it uncompressed", path_,
                 in_quotes(name));
        }
        NpzArray array{fmt::format("{}: {}", path_, in_quotes(name)), {}, found->data};
        array.header = parse_npy(array.file, array.where);
        return array;
    }

    NpzArray get(std::string_view name) const {
        if (auto array = find(name)) return std::move(*array);
        fail(ErrorCode::bad_input,
             "{}: holds no array {}; a matrix of links has indptr, indices, data, shape and format", path_,
             in_quotes(name));
    }

    void check_unchanged() const { file_.check_unchanged(); }

private:
    const std::string& path_;
    MappedFile file_;
    std::vector<ZipEntry> entries_;
};

std::vector<std::int64_t> integers(const NpzArray& array, const JobControl& control) {
    if (array.header.kind == 'i' || array.header.kind == 'u') {
        auto values = npy_values(array.header, array.file, array.where, control);
        if (auto* numbers = std::get_if<std::vector<std::int64_t>>(&values)) return std::move(*numbers);
    }
    fail(ErrorCode::bad_input, "{}: has elements of dtype {}, wants integers", array.where,
         in_quotes(array.header.descr));
}

std::vector<float> floats(const NpzArray& array) {
    if (array.header.descr != "<f4" || array.header.shape.size() != 1) {
        fail(ErrorCode::bad_input, "{}: has dtype {} and shape {}, wants a row of float32", array.where,
             in_quotes(array.header.descr), npy_shape(array.header));
    }
    std::vector<float> values(static_cast<std::size_t>(array.header.items));
    if (!values.empty()) std::memcpy(values.data(), array.data().data(), values.size() * sizeof(float));
    return values;
}

}  // namespace

LinksFile read_npz_links(const std::string& path, RowNames& names, const JobControl& control) {
    const NpzFile npz(path);
    const NpzArray format = npz.get("format");
    if (npy_text(format.header, format.data()) != "csr") {
        fail(ErrorCode::bad_input, "{}: is a matrix of format {}, links are csr", path,
             in_quotes(npy_text(format.header, format.data())));
    }
    LinksFile file;
    file.graph.offsets = integers(npz.get("indptr"), control);
    file.graph.targets = integers(npz.get("indices"), control);
    file.graph.weights = floats(npz.get("data"));
    if (const auto record = npz.find(metadata_key)) {
        read_record(npy_text(record->header, record->data()), names.table_rows(), file);
    }
    const std::vector<std::int64_t> shape = integers(npz.get("shape"), control);
    npz.check_unchanged();
    const std::int64_t rows = names.table_rows().value_or(file.graph.rows());
    if (shape.size() != 2 || shape[0] != rows || shape[1] != rows) {
        add_fault(file, fmt::format("the shape is ({}), there are {} rows", fmt::join(shape, ", "), rows));
    }
    return file;
}

}  // namespace grouplink::io
