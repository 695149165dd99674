#include "arrow_columns.hpp"

#include "rows/missing.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace grouplink::python {
namespace {

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorCode::bad_input, message); }

std::optional<ElementType> element_type(std::string_view format) {
    if (format == "e") return ElementType::float16;
    if (format == "f") return ElementType::float32;
    if (format == "g") return ElementType::float64;
    if (format == "c") return ElementType::int8;
    return std::nullopt;
}

bool is_fixed_size(std::string_view format) { return format.starts_with("+w:"); }

/// The lists of a chunk: where in the child's values each begins and ends.
class Lists {
public:
    explicit Lists(const ArrowChunk& chunk) : chunk_(chunk), child_(*chunk.array->children[0]) {
        const std::string_view format = chunk.format();
        if (is_fixed_size(format)) size_ = std::stoll(std::string(format.substr(3)));
        large_ = format == "+L";
    }

    std::int64_t begin(std::int64_t i) const {
        if (size_) return child_.offset + (chunk_.first + i) * *size_;
        return child_.offset + (large_ ? chunk_.values<std::int64_t>()[i] : chunk_.values<std::int32_t>()[i]);
    }
    std::int64_t end(std::int64_t i) const { return size_ ? begin(i) + *size_ : begin(i + 1); }
    std::optional<std::int64_t> size() const { return size_; }
    const std::byte* components() const {
        return child_.n_buffers > 1 ? static_cast<const std::byte*>(child_.buffers[1]) : nullptr;
    }
    bool may_have_holes() const {
        return child_.null_count != 0 && child_.n_buffers > 0 && child_.buffers[0];
    }
    bool hole(std::int64_t component) const { return !ArrowChunk::bit(child_.buffers[0], component); }
    /// Whether a row that has an embedding lacks a component of it.
    bool has_holes() const {
        if (!may_have_holes()) return false;
        for (std::int64_t i = 0; i < chunk_.count; ++i) {
            if (!chunk_.is_null(i) && row_has_holes(i)) return true;
        }
        return false;
    }
    bool row_has_holes(std::int64_t i) const {
        for (std::int64_t c = begin(i); c < end(i); ++c) {
            if (hole(c)) return true;
        }
        return false;
    }

private:
    const ArrowChunk& chunk_;
    const ArrowArray& child_;
    std::optional<std::int64_t> size_;
    bool large_ = false;
};

void set_valid(Rows& rows, const ArrowChunk& chunk) {
    if (!chunk.may_have_nulls()) return;
    rows.valid.resize(static_cast<std::size_t>(chunk.count));
    for (std::int64_t i = 0; i < chunk.count; ++i)
        rows.valid[static_cast<std::size_t>(i)] = chunk.is_null(i) ? 0 : 1;
}

/// One chunk, where it lies.
void borrow(Rows& rows, const ArrowChunk& chunk, const Lists& lists) {
    set_valid(rows, chunk);
    const std::size_t width = element_size(rows.view.type);
    if (lists.size()) {
        rows.view.values = lists.components() + static_cast<std::size_t>(lists.begin(0)) * width;
        return;
    }
    rows.view.values = lists.components();
    rows.offsets.reserve(static_cast<std::size_t>(chunk.count) + 1);
    rows.offsets.push_back(lists.begin(0));
    for (std::int64_t i = 0; i < chunk.count; ++i) rows.offsets.push_back(lists.end(i));
}

/// Chunks one behind another, with NaN where a component is null.
void copy(Rows& rows, const std::vector<ArrowChunk>& chunks) {
    const ElementType type = rows.view.type;
    const std::size_t width = element_size(type);
    const bool dense = Lists(chunks.front()).size().has_value();
    std::int64_t total = 0;
    for (const ArrowChunk& chunk : chunks) {
        const Lists lists(chunk);
        for (std::int64_t i = 0; i < chunk.count; ++i) {
            if (dense || !chunk.is_null(i)) total += lists.end(i) - lists.begin(i);
        }
    }
    auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(total) * width);
    std::byte* place = bytes->data();
    if (!dense) rows.offsets.push_back(0);
    for (const ArrowChunk& chunk : chunks) {
        const Lists lists(chunk);
        const bool holes = lists.may_have_holes();
        for (std::int64_t i = 0; i < chunk.count; ++i) {
            const bool null = chunk.is_null(i);
            const std::int64_t begin = lists.begin(i);
            const std::int64_t dim = null && !dense ? 0 : lists.end(i) - begin;
            const auto size = static_cast<std::size_t>(dim) * width;
            if (!null && size > 0)
                std::memcpy(place, lists.components() + static_cast<std::size_t>(begin) * width, size);
            bool valid = !null;
            if (holes && !null && lists.row_has_holes(i)) {
                // int8 has no NaN: there the row has no embedding.
                valid = type != ElementType::int8;
                for (std::int64_t c = 0; c < dim; ++c) {
                    if (lists.hole(begin + c)) write_nan(place + static_cast<std::size_t>(c) * width, type);
                }
            }
            place += size;
            rows.valid.push_back(valid ? 1 : 0);
            if (!dense) rows.offsets.push_back(rows.offsets.back() + dim);
        }
    }
    rows.view.values = bytes->data();
    rows.memory = std::move(bytes);
}

/// Calls null(), text(string_view) or integer(int64) for value i of a chunk that is no dictionary, or for the
/// place in its dictionary where it is one.
template <typename Visitor>
void visit_plain(const ArrowChunk& chunk, std::int64_t i, Visitor& visitor) {
    if (chunk.is_null(i)) return visitor.null();
    const std::string_view format = chunk.format();
    const auto text = [&](auto offsets) {
        const auto begin = static_cast<std::size_t>(offsets[i]);
        const auto end = static_cast<std::size_t>(offsets[i + 1]);
        visitor.text({static_cast<const char*>(chunk.buffer(2)) + begin, end - begin});
    };
    switch (format.front()) {
        case 'u':
        case 'z': return text(chunk.values<std::int32_t>());
        case 'U':
        case 'Z': return text(chunk.values<std::int64_t>());
        case 'v': {
            // 16 bytes a value: the size, then the text itself or its beginning, buffer and place in that.
            const char* view = static_cast<const char*>(chunk.buffer(1)) + (chunk.first + i) * 16;
            std::int32_t parts[4];
            std::memcpy(parts, view, sizeof parts);
            constexpr std::int32_t longest_inline = 12;
            const char* bytes = parts[0] <= longest_inline
                                    ? view + 4
                                    : static_cast<const char*>(chunk.buffer(2 + parts[2])) + parts[3];
            return visitor.text({bytes, static_cast<std::size_t>(parts[0])});
        }
        case 'b': return visitor.text(ArrowChunk::bit(chunk.buffer(1), chunk.first + i) ? "true" : "false");
        case 'c': return visitor.integer(chunk.values<std::int8_t>()[i]);
        case 'C': return visitor.integer(chunk.values<std::uint8_t>()[i]);
        case 's': return visitor.integer(chunk.values<std::int16_t>()[i]);
        case 'S': return visitor.integer(chunk.values<std::uint16_t>()[i]);
        case 'i': return visitor.integer(chunk.values<std::int32_t>()[i]);
        case 'I': return visitor.integer(chunk.values<std::uint32_t>()[i]);
        case 'l': return visitor.integer(chunk.values<std::int64_t>()[i]);
        default: {  // 'L', see is_keys
            const std::uint64_t value = chunk.values<std::uint64_t>()[i];
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                return visitor.text(std::to_string(value));
            }
            return visitor.integer(static_cast<std::int64_t>(value));
        }
    }
}

struct PlaceVisitor {
    std::int64_t place = -1;
    void null() {}
    void text(std::string_view) {}
    void integer(std::int64_t number) { place = number; }
};

/// Calls null(), text(string_view) or integer(int64) for value i of a chunk.
template <typename Visitor>
void visit(const ArrowChunk& chunk, std::int64_t i, Visitor& visitor) {
    if (!chunk.schema->dictionary || chunk.is_null(i)) return visit_plain(chunk, i, visitor);
    PlaceVisitor found;
    visit_plain(chunk, i, found);
    const ArrowArray& dictionary = *chunk.array->dictionary;
    if (found.place < 0 || found.place >= dictionary.length) fail("Arrow data: a dictionary lacks a value");
    visit_plain(ArrowChunk{chunk.schema->dictionary, &dictionary, dictionary.offset, dictionary.length},
                found.place, visitor);
}

bool is_text(const ArrowSchema& schema) {
    const std::string_view format = schema.dictionary ? schema.dictionary->format : schema.format;
    return format == "u" || format == "U" || format == "z" || format == "Z" || format == "vu" ||
           format == "vz" || format == "b";
}

bool is_keys(const ArrowSchema& schema) {
    const std::string_view format = schema.dictionary ? schema.dictionary->format : schema.format;
    return is_text(schema) ||
           (format.size() == 1 && std::string_view("cCsSiIlL").find(format) != std::string_view::npos);
}

void check_keys(const ArrowSchema& schema, std::string_view what) {
    if (!is_keys(schema)) {
        throw nb::type_error(
            fmt::format("{}: got a column of {}, wants strings or integers", what, type_name(schema))
                .c_str());
    }
}

struct GroupVisitor {
    GroupEncoder& encoder;
    void null() { encoder.push_null(); }
    void text(std::string_view value) { encoder.push(value); }
    void integer(std::int64_t value) { encoder.push(value); }
};

struct IdVisitor {
    std::int64_t row;
    bool texts;
    nb::list& ids;
    std::vector<std::int64_t>& numbers;
    void null() { fail(fmt::format("ids: row {} is null; give each row an id", row)); }
    void text(std::string_view value) {
        if (!texts)
            fail(fmt::format("ids: row {} has the id {}, past 2^63 - 1; store the ids as strings", row,
                             value));
        PyObject* string =
            PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), "strict");
        if (!string) throw nb::python_error();
        ids.append(nb::steal(string));
    }
    void integer(std::int64_t value) { numbers.push_back(value); }
};

}  // namespace

bool is_vectors(const ArrowSchema& schema) {
    const std::string_view format = schema.format;
    return (format == "+l" || format == "+L" || is_fixed_size(format)) && schema.n_children == 1 &&
           element_type(schema.children[0]->format).has_value();
}

std::string type_name(const ArrowSchema& schema) {
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"e", "float16"}, {"f", "float32"}, {"g", "float64"},      {"c", "int8"},         {"C", "uint8"},
        {"s", "int16"},   {"S", "uint16"},  {"i", "int32"},        {"I", "uint32"},       {"l", "int64"},
        {"L", "uint64"},  {"u", "utf8"},    {"U", "large_utf8"},   {"vu", "utf8_view"},   {"b", "bool"},
        {"z", "binary"},  {"+s", "struct"}, {"Z", "large_binary"}, {"vz", "binary_view"}, {"n", "null"},
    };
    const std::string_view format = schema.format;
    if (schema.dictionary) return fmt::format("dictionary<{}>", type_name(*schema.dictionary));
    for (const auto& [short_name, name] : names) {
        if (format == short_name) return std::string(name);
    }
    const bool has_child = schema.n_children == 1;
    if (format == "+l" && has_child) return fmt::format("list<{}>", type_name(*schema.children[0]));
    if (format == "+L" && has_child) return fmt::format("large_list<{}>", type_name(*schema.children[0]));
    if (is_fixed_size(format) && has_child) {
        return fmt::format("fixed_size_list<{}>[{}]", type_name(*schema.children[0]), format.substr(3));
    }
    return fmt::format("the Arrow format \"{}\"", format);
}

Rows rows_of_arrow(const std::shared_ptr<ArrowData>& data, std::size_t place) {
    const ArrowSchema& schema = data->column_schema(place);
    if (!is_vectors(schema)) {
        throw nb::type_error(
            fmt::format("vectors: got a column of {}, wants list, large_list or fixed_size_list of "
                        "float16, float32, float64 or int8",
                        type_name(schema))
                .c_str());
    }
    const nb::gil_scoped_release released;
    Rows rows;
    rows.view.type = *element_type(schema.children[0]->format);
    rows.view.rows = data->rows();
    const std::string_view format = schema.format;
    if (is_fixed_size(format)) rows.view.dim = std::stoll(std::string(format.substr(3)));
    const std::vector<ArrowChunk> chunks = data->column(place);
    if (chunks.empty()) {
        if (!is_fixed_size(format)) rows.offsets.push_back(0);
    } else if (const Lists lists(chunks.front()); chunks.size() == 1 && !lists.has_holes()) {
        borrow(rows, chunks.front(), lists);
        rows.memory = data;
    } else {
        copy(rows, chunks);
    }
    if (!rows.offsets.empty()) rows.view.offsets = rows.offsets.data();
    if (!rows.valid.empty()) rows.view.valid = rows.valid.data();
    return rows;
}

GroupColumn groups_of_arrow(const ArrowData& data, std::size_t place) {
    check_keys(data.column_schema(place), "groups");
    const nb::gil_scoped_release released;
    GroupEncoder encoder;
    GroupVisitor visitor{encoder};
    for (const ArrowChunk& chunk : data.column(place)) {
        for (std::int64_t i = 0; i < chunk.count; ++i) visit(chunk, i, visitor);
    }
    return encoder.finish();
}

nb::object ids_of_arrow(const ArrowData& data, std::size_t place) {
    const ArrowSchema& schema = data.column_schema(place);
    check_keys(schema, "ids");
    nb::list ids;
    std::vector<std::int64_t> numbers;
    IdVisitor visitor{.row = 0, .texts = is_text(schema), .ids = ids, .numbers = numbers};
    for (const ArrowChunk& chunk : data.column(place)) {
        for (std::int64_t i = 0; i < chunk.count; ++i, ++visitor.row) visit(chunk, i, visitor);
    }
    if (visitor.texts) return std::move(ids);
    auto* kept = new std::vector<std::int64_t>(std::move(numbers));
    const nb::capsule keeper(
        kept, [](void* pointer) noexcept { delete static_cast<std::vector<std::int64_t>*>(pointer); });
    return nb::cast(nb::ndarray<nb::numpy, std::int64_t, nb::ndim<1>>(kept->data(), {kept->size()}, keeper));
}

}  // namespace grouplink::python
