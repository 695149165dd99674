#include "io/delimited.hpp"
#include "io/inspect_formats.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/ticker.hpp"

#include <charconv>

namespace grouplink::io {
namespace {

template <typename Number>
bool reads_as(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

/// The narrowest type that all values of a column read as.
struct ColumnType {
    bool any = false;
    bool integer = true;
    bool number = true;

    void see(std::string_view value) {
        any = true;
        integer = integer && reads_as<std::int64_t>(value);
        number = number && (integer || reads_as<double>(value));
    }
    std::string name() const {
        if (!any) return "empty";
        return integer ? "integer" : number ? "number" : "text";
    }
};

}  // namespace

FileInfo inspect_text(const std::string& path, char delimiter, const JobControl& control) {
    const MappedFile file(path);
    file.read_in_order();
    FileInfo info;
    info.format = delimiter == '\t' ? "tsv" : "csv";
    info.bytes = static_cast<std::int64_t>(file.size());
    DelimitedReader reader(path, file.text(), delimiter);
    std::vector<Field> fields;
    std::string scratch;
    if (!reader.next(fields)) fail(ErrorCode::bad_input, "{}: is empty, a header line was expected", path);
    for (const Field& field : fields) info.columns.emplace_back().name = field.value(scratch);
    std::vector<ColumnType> types(fields.size());
    Ticker ticker(control, "read", info.bytes, "bytes");
    constexpr std::int64_t rows_a_tick = 1 << 14;
    for (; reader.next(fields, types.size()); ++info.rows) {
        if (info.rows % rows_a_tick == 0) ticker.at(reader.position());
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (fields[i].raw.empty()) {
                ++info.columns[i].nulls;
            } else {
                types[i].see(fields[i].raw);
            }
        }
    }
    file.check_unchanged();
    for (std::size_t i = 0; i < types.size(); ++i) info.columns[i].type = types[i].name();
    return info;
}

}  // namespace grouplink::io
