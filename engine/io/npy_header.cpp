#include "io/message.hpp"
#include "io/npy.hpp"

#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

namespace grouplink::io {
namespace {

/// The Python literal of a header: {'descr': '<f2', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderParser {
public:
    HeaderParser(std::string_view text, const std::string& path) : text_(text), path_(path) {}

    NpyHeader parse() {
        NpyHeader header;
        bool has_descr = false;
        bool has_order = false;
        bool has_shape = false;
        expect('{');
        while (!accept('}')) {
            const std::string key = string();
            expect(':');
            if (key == "descr" && !has_descr) {
                // A list here is a dtype of several fields.
                if (peek() == '[') fail_dtype();
                header.descr = string();
                has_descr = true;
            } else if (key == "fortran_order" && !has_order) {
                header.fortran = boolean();
                has_order = true;
            } else if (key == "shape" && !has_shape) {
                header.shape = shape();
                has_shape = true;
            } else {
                malformed();
            }
            if (!accept(',') && peek() != '}') malformed();
        }
        if (!has_descr || !has_order || !has_shape || peek() != '\0') malformed();
        return header;
    }

private:
    [[noreturn]] void malformed() const {
        fail(ErrorCode::bad_input, "{}: not a valid NPY file: its header cannot be understood: {}", path_,
             in_quotes(text_));
    }

    [[noreturn]] void fail_dtype() const {
        fail(ErrorCode::bad_input, "{}: has records of several fields; save one field as an array of its own",
             path_);
    }

    void skip_spaces() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
    }

    /// The next character that is no space; NUL at the end.
    char peek() {
        skip_spaces();
        return at_ < text_.size() ? text_[at_] : '\0';
    }

    bool accept(char c) {
        if (peek() != c || at_ == text_.size()) return false;
        ++at_;
        return true;
    }

    void expect(char c) {
        if (!accept(c)) malformed();
    }

    std::string string() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') malformed();
        const std::size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos) malformed();
        const std::string_view value = text_.substr(at_ + 1, end - at_ - 1);
        if (value.find('\\') != std::string_view::npos) malformed();
        at_ = end + 1;
        return std::string(value);
    }

    bool boolean() {
        skip_spaces();
        for (const bool value : {false, true}) {
            const std::string_view word = value ? "True" : "False";
            if (text_.substr(at_).starts_with(word)) {
                at_ += word.size();
                return value;
            }
        }
        malformed();
    }

    std::vector<std::int64_t> shape() {
        constexpr std::size_t most_dimensions = 64;  // NumPy's own limit
        std::vector<std::int64_t> sizes;
        expect('(');
        while (!accept(')')) {
            skip_spaces();
            std::int64_t size = 0;
            const char* const first = text_.data() + at_;
            const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), size);
            if (error != std::errc() || size < 0 || sizes.size() == most_dimensions) malformed();
            at_ += static_cast<std::size_t>(end - first);
            if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote 3L
            sizes.push_back(size);
            if (!accept(',') && peek() != ')') malformed();
        }
        return sizes;
    }

    std::string_view text_;
    const std::string& path_;
    std::size_t at_ = 0;
};

void parse_descr(NpyHeader& header, const std::string& path) {
    const auto unknown = [&] {
        fail(ErrorCode::bad_input, "{}: has elements of dtype {}, which are not numbers or strings", path,
             in_quotes(header.descr));
    };
    std::string_view rest = header.descr;
    if (!rest.empty() && std::string_view("<>|=").find(rest.front()) != std::string_view::npos) {
        header.big_endian = rest.front() == '>';
        rest.remove_prefix(1);
    }
    if (rest.empty()) unknown();
    header.kind = rest.front();
    rest.remove_prefix(1);
    std::uint32_t size = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    // Of the kinds without a plain size, such as "O" and "M8[ns]", none is of use here.
    if (error != std::errc() || end != rest.data() + rest.size()) unknown();
    header.item_size = header.kind == 'U' ? std::size_t{4} * size : size;
    if (header.item_size == 1 || header.kind == 'S') header.big_endian = false;
}

/// The product of the shape, times the element's size; nothing when that is past what a file can be.
std::optional<std::int64_t> total_bytes(NpyHeader& header) {
    // A size of 0 makes the product 0, however large the others are.
    for (const std::int64_t size : header.shape) {
        if (size == 0) return header.items = 0;
    }
    std::int64_t items = 1;
    for (const std::int64_t size : header.shape) {
        if (__builtin_mul_overflow(items, size, &items)) return {};
    }
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(items, static_cast<std::int64_t>(header.item_size), &bytes)) return {};
    header.items = items;
    return bytes;
}

}  // namespace

NpyHeader parse_npy(std::string_view file, const std::string& path) {
    constexpr std::string_view magic = "\x93NUMPY";
    if (!file.starts_with(magic)) {
        fail(ErrorCode::bad_input, "{}: {}, so it is no NPY file; write it with numpy.save", path,
             file.empty() ? "is empty" : "does not begin with the bytes \\x93NUMPY");
    }
    const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(file[i])}; };
    const auto truncated_header = [&] {
        fail(ErrorCode::bad_input, "{}: ends within its NPY header, after {} bytes", path, file.size());
    };
    if (file.size() < 8) truncated_header();
    const std::size_t major = byte(6);
    if (major < 1 || major > 3) {
        fail(ErrorCode::bad_input, "{}: is NPY version {}.{}; versions 1 to 3 are known", path, major,
             byte(7));
    }
    const std::size_t length_bytes = major == 1 ? 2 : 4;
    const std::size_t begin = 8 + length_bytes;
    if (file.size() < begin) truncated_header();
    std::size_t length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) length |= byte(8 + i) << (8 * i);
    if (file.size() - begin < length) truncated_header();

    NpyHeader header = HeaderParser(file.substr(begin, length), path).parse();
    header.data_offset = begin + length;
    parse_descr(header, path);
    const std::int64_t got = static_cast<std::int64_t>(file.size() - header.data_offset);
    const std::optional<std::int64_t> need = total_bytes(header);
    if (!need || *need != got) {
        fail(ErrorCode::bad_input, "{}: has {} bytes of data, its header {} of dtype {} needs {}; {}", path,
             got, npy_shape(header), in_quotes(header.descr),
             need ? fmt::to_string(*need) : "more than any file has",
             !need || *need > got ? "it was cut short" : "something was appended to it");
    }
    if (header.item_size == 0 && header.items > 0) {
        fail(ErrorCode::bad_input, "{}: has elements of dtype {}, which hold nothing", path,
             in_quotes(header.descr));
    }
    return header;
}

std::string npy_shape(const NpyHeader& header) {
    return fmt::format("({}{})", fmt::join(header.shape, ", "), header.shape.size() == 1 ? "," : "");
}

}  // namespace grouplink::io
