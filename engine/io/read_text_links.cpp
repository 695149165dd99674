#include "io/delimited.hpp"
#include "io/links_reader.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/row_names.hpp"
#include "io/ticker.hpp"
#include "io/values.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace grouplink::io {
namespace {

constexpr std::int64_t lines_a_tick = 1 << 14;

/// Reads lines with the columns that write_edges_text gives them, in any order.
class TextLinks {
public:
    TextLinks(const std::string& path, RowNames& names) : path_(path), names_(names) {}

    LinksFile read(std::string_view text, char delimiter, const JobControl& control) {
        DelimitedReader reader(path_, text, delimiter);
        std::vector<Field> fields;
        if (!reader.next(fields))
            fail(ErrorCode::bad_input, "{}: is empty, a header line was expected", path_);
        const std::size_t count = fields.size();
        const auto places = find_columns(fields);
        Ticker ticker(control, "read", static_cast<std::int64_t>(text.size()), "bytes");
        while (reader.next(fields, count)) {
            if (reader.line() % lines_a_tick == 0) ticker.at(reader.position());
            line_ = reader.line();
            std::array<std::string_view, 5> values;
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = fields[places[i]].value(scratch_[i]);
            add(values);
        }
        const bool undirected = type_ == "Undirected";
        file_.pairs_once = undirected;
        if (type_ == "Directed") file_.record.links = LinkMode::directed;
        file_.graph = undirected ? edges_.both_ways(names_.rows()) : edges_.graph(names_.rows());
        return std::move(file_);
    }

private:
    std::array<std::size_t, 5> find_columns(const std::vector<Field>& fields) {
        std::vector<std::string> titles;
        std::string scratch;
        for (const Field& field : fields) titles.emplace_back(field.value(scratch));
        std::array<std::size_t, 5> places{};
        std::size_t i = 0;
        for (const char* const title : {"Source", "Target", "Type", "Weight", "Similarity"}) {
            places[i++] = find_column(path_, title, titles);
        }
        return places;
    }

    void add(const std::array<std::string_view, 5>& values) {
        const auto& [source, target, type, weight, mapping] = values;
        same(type_, type, "Type");
        if (type_ != "Directed" && type_ != "Undirected") {
            fail(ErrorCode::bad_input, "{}: line {}: Type is {}, wants Directed or Undirected", path_, line_,
                 in_quotes(type));
        }
        const bool first = mapping_.empty();
        same(mapping_, mapping, "Similarity");
        if (first && !set_mapping(mapping, file_.record)) {
            fail(ErrorCode::bad_input,
                 "{}: line {}: Similarity is {}, which is none that links are written with", path_, line_,
                 in_quotes(mapping));
        }
        const std::int64_t from = row_of(source, "Source");
        const std::int64_t to = row_of(target, "Target");
        if (!names_.has_row(from)) return unknown(source, "Source");
        if (to == no_row) return unknown(target, "Target");
        edges_.add(from, to, weight_of(weight));
    }

    void same(std::string& all, std::string_view value, std::string_view title) const {
        if (all.empty()) all = value;
        if (all == value) return;
        fail(ErrorCode::bad_input, "{}: line {}: {} is {}, the lines before have {}; it is the same in all",
             path_, line_, title, in_quotes(value), in_quotes(all));
    }

    std::int64_t row_of(std::string_view name, std::string_view title) {
        const std::int64_t row = names_.find(name);
        if (row != no_row || !names_.by_number()) return row;
        fail(ErrorCode::bad_input,
             "{}: line {}: {} is {}, which is no row number; pass the --id that the links were made with",
             path_, line_, title, in_quotes(name));
    }

    void unknown(std::string_view name, std::string_view title) {
        add_fault(file_, fmt::format("line {}: {} is {}, which is no row of the input", line_, title,
                                     in_quotes(name)));
    }

    float weight_of(std::string_view text) const {
        float weight = 0.0F;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), weight);
        if (fault == std::errc() && end == text.data() + text.size() && std::isfinite(weight)) return weight;
        fail(ErrorCode::bad_input, "{}: line {}: Weight is {}, which is no finite number of float32", path_,
             line_, in_quotes(text));
    }

    const std::string& path_;
    RowNames& names_;
    EdgeList edges_;
    LinksFile file_;
    std::int64_t line_ = 0;
    std::string type_;
    std::string mapping_;
    std::array<std::string, 5> scratch_;
};

}  // namespace

LinksFile read_text_links(const std::string& path, char delimiter, RowNames& names,
                          const JobControl& control) {
    const MappedFile file(path);
    file.read_in_order();
    LinksFile links = TextLinks(path, names).read(file.text(), delimiter, control);
    file.check_unchanged();
    return links;
}

}  // namespace grouplink::io
