#include "io/json_lines.hpp"

#include "io/delimited.hpp"
#include "io/message.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace grouplink::io {
namespace {

using Json = nlohmann::json;
using Kind = JsonField::Kind;

/// Takes the events of one line. What is nested deeper than an array of numbers is passed over.
class LineHandler : public nlohmann::json_sax<Json> {
public:
    explicit LineHandler(std::vector<JsonField>& fields) : fields_(fields) {}

    bool null() override {
        if (depth_ == 2 && in_numbers()) {
            fields_.back().numbers.push_back(std::numeric_limits<float>::quiet_NaN());
            return true;
        }
        return scalar(Kind::null) != nullptr || is_object_;
    }
    bool boolean(bool value) override {
        if (JsonField* const field = scalar(Kind::boolean)) field->boolean = value;
        return is_object_;
    }
    bool number_integer(number_integer_t value) override {
        if (add_number(static_cast<double>(value))) return true;
        if (JsonField* const field = scalar(Kind::integer)) {
            field->integer = value;
            field->number = static_cast<double>(value);
        }
        return is_object_;
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (value <= static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
            return number_integer(static_cast<std::int64_t>(value));
        }
        return number_float(static_cast<double>(value), {});
    }
    bool number_float(number_float_t value, const string_t&) override {
        if (add_number(value)) return true;
        if (JsonField* const field = scalar(Kind::number)) field->number = value;
        return is_object_;
    }
    bool string(string_t& value) override {
        if (JsonField* const field = scalar(Kind::text)) field->text = std::move(value);
        return is_object_;
    }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override {
        if (depth_ == 0) {
            is_object_ = true;
        } else {
            scalar(Kind::object);
        }
        ++depth_;
        return is_object_;
    }
    bool end_object() override {
        --depth_;
        return true;
    }
    bool start_array(std::size_t) override {
        scalar(Kind::numbers);
        ++depth_;
        return is_object_;
    }
    bool end_array() override {
        --depth_;
        return true;
    }
    bool key(string_t& value) override {
        if (depth_ == 1) {
            fields_.emplace_back();
            fields_.back().key = std::move(value);
        }
        return true;
    }
    bool parse_error(std::size_t position, const std::string& token, const Json::exception&) override {
        fault_position_ = position;
        fault_token_ = token;
        return false;
    }

    bool is_object() const { return is_object_; }
    std::size_t fault_position() const { return fault_position_; }  ///< one past the last byte read
    const std::string& fault_token() const { return fault_token_; }

private:
    bool in_numbers() const { return !fields_.empty() && fields_.back().kind == Kind::numbers; }

    bool add_number(double value) {
        if (depth_ != 2 || !in_numbers()) return false;
        fields_.back().numbers.push_back(static_cast<float>(value));
        return true;
    }

    /// The field whose value this is; null for what stands deeper, or outside of any object.
    JsonField* scalar(Kind kind) {
        if (depth_ == 1) {
            fields_.back().kind = kind;
            return &fields_.back();
        }
        if (depth_ == 2 && in_numbers()) fields_.back().kind = Kind::mixed;
        return nullptr;
    }

    std::vector<JsonField>& fields_;
    int depth_ = 0;
    bool is_object_ = false;
    std::size_t fault_position_ = 0;
    std::string fault_token_;
};

[[noreturn]] void refuse(const std::string& path, std::int64_t line, std::string_view text,
                         const LineHandler& handler) {
    if (!handler.is_object() && handler.fault_position() == 0) {
        fail(ErrorCode::bad_input, "{}: line {}: is no JSON object; write one a line", path, line);
    }
    const std::size_t end = std::min(handler.fault_position(), text.size());
    const std::string_view around = text.substr(end - std::min<std::size_t>(end, 4));
    for (const std::string_view word : {"NaN", "nan", "Infinity", "inf"}) {
        if (around.substr(0, word.size() + 4).find(word) == std::string_view::npos) continue;
        fail(ErrorCode::bad_input, "{}: line {}, byte {}: holds {}, which JSON has no word for; write null",
             path, line, end, word);
    }
    fail(ErrorCode::bad_input, "{}: line {}, byte {}: is no JSON: near {}", path, line, end,
         handler.fault_position() >= text.size() ? "the end of the line" : in_quotes(handler.fault_token()));
}

}  // namespace

std::string_view JsonField::kind_name() const {
    switch (kind) {
        case Kind::null: return "null";
        case Kind::boolean: return "a boolean";
        case Kind::integer: return "an integer";
        case Kind::number: return "a number with a fraction, or past 2^63 - 1";
        case Kind::text: return "a string";
        case Kind::numbers: return "an array of numbers";
        case Kind::mixed: return "an array of other things than numbers";
        case Kind::object: return "an object";
    }
    return "";
}

JsonLines::JsonLines(const std::string& path, std::string_view text)
    : path_(path), text_(without_mark(text)) {}

bool JsonLines::next() {
    while (at_ < text_.size()) {
        const std::size_t end = std::min(text_.find('\n', at_), text_.size());
        const std::string_view line = text_.substr(at_, end - at_);
        at_ = std::min(end + 1, text_.size());
        ++line_;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        fields_.clear();
        LineHandler handler(fields_);
        const bool parsed = Json::sax_parse(line.begin(), line.end(), &handler);
        if (!parsed || !handler.is_object()) refuse(path_, line_, line, handler);
        return true;
    }
    return false;
}

const JsonField* JsonLines::find(std::string_view key) const {
    const JsonField* found = nullptr;
    for (const JsonField& field : fields_) {
        if (field.key != key) continue;
        if (found) {
            fail(ErrorCode::bad_input, "{}: line {}: has the key {} twice", path_, line_, in_quotes(key));
        }
        found = &field;
    }
    return found;
}

std::vector<std::string> JsonLines::keys() const {
    std::vector<std::string> keys;
    for (const JsonField& field : fields_) keys.push_back(field.key);
    return keys;
}

}  // namespace grouplink::io
