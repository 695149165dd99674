#include "io/json_lines.hpp"
#include "io/links_reader.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/ticker.hpp"

#include <cmath>
#include <tuple>

namespace grouplink::io {
namespace {

using Kind = JsonField::Kind;

constexpr std::int64_t lines_a_tick = 1 << 12;

/// Reads the lines that write_edges_json gives.
class JsonLinks {
public:
    JsonLinks(const std::string& path, std::string_view text, RowNames& names)
        : path_(path), lines_(path, text), names_(names) {}

    LinksFile read(std::int64_t bytes, const JobControl& control) {
        Ticker ticker(control, "read", bytes, "bytes");
        for (std::int64_t count = 0; lines_.next(); ++count) {
            if (count % lines_a_tick == 0) ticker.at(lines_.position());
            add();
        }
        file_.graph = edges_.graph(names_.rows());
        return std::move(file_);
    }

private:
    template <typename... Args>
    [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
        fail(ErrorCode::bad_input, "{}: line {}: {}", path_, lines_.line(),
             fmt::format(format, std::forward<Args>(args)...));
    }

    const JsonField& get(std::string_view key) const {
        if (const JsonField* const field = lines_.find(key)) return *field;
        refuse("has no {}; a link has source, target and weight, its keys are {}", in_quotes(key),
               quoted_list(lines_.keys()));
    }

    std::int64_t row_of(const JsonField& field) {
        if (field.kind == Kind::integer) return names_.find(field.integer);
        if (field.kind != Kind::text) {
            refuse("{} is {}, rows go by strings or integers", field.key, field.kind_name());
        }
        if (names_.by_number()) {
            refuse("{} is {}, which is no row number; pass the --id that the links were made with", field.key,
                   in_quotes(field.text));
        }
        return names_.find(field.text);
    }

    void unknown(const JsonField& field) {
        add_fault(
            file_,
            fmt::format("line {}: {} is {}, which is no row of the input", lines_.line(), field.key,
                        field.kind == Kind::text ? in_quotes(field.text) : std::to_string(field.integer)));
    }

    /// What is the same in all lines.
    void see_record() {
        const JsonField* const similarity = lines_.find("similarity");
        const JsonField* const mode = lines_.find("links");
        const std::string mapping = similarity ? similarity->text : std::string();
        const std::string links = mode ? mode->text : std::string();
        if (!seen_) {
            seen_ = true;
            mapping_ = mapping;
            mode_ = links;
            if (similarity && !set_mapping(mapping, file_.record)) {
                refuse("similarity is {}, which is none that links are written with", in_quotes(mapping));
            }
            // Without the one, the lines are of another origin, and tell nothing by not having the other.
            if (similarity && !mode) file_.record.links = LinkMode::directed;
            for (const LinkMode one : {LinkMode::directed, LinkMode::mutual, LinkMode::symmetric}) {
                if (links == name(one)) file_.record.links = one;
            }
            if (mode && !file_.record.links) {
                refuse("links is {}, wants directed, mutual or symmetric", in_quotes(links));
            }
        }
        for (const auto& [title, value, before] :
             {std::tuple("similarity", &mapping, &mapping_), std::tuple("links", &links, &mode_)}) {
            if (*value == *before) continue;
            refuse("{} is {}, the lines before have {}; it is the same in all", title, in_quotes(*value),
                   in_quotes(*before));
        }
    }

    void add() {
        see_record();
        const JsonField& source = get("source");
        const JsonField& target = get("target");
        const JsonField& weight = get("weight");
        if (weight.kind != Kind::number && weight.kind != Kind::integer) {
            refuse("weight is {}, wants a number", weight.kind_name());
        }
        const auto value = static_cast<float>(weight.number);
        if (!std::isfinite(value)) refuse("weight is {}, which is no float32", weight.number);
        const std::int64_t from = row_of(source);
        if (!names_.has_row(from)) return unknown(source);
        const std::int64_t to = row_of(target);
        if (to == no_row) return unknown(target);
        edges_.add(from, to, value);
    }

    const std::string& path_;
    JsonLines lines_;
    RowNames& names_;
    EdgeList edges_;
    LinksFile file_;
    bool seen_ = false;
    std::string mapping_;
    std::string mode_;
};

}  // namespace

LinksFile read_json_links(const std::string& path, RowNames& names, const JobControl& control) {
    const MappedFile file(path);
    file.read_in_order();
    LinksFile links =
        JsonLinks(path, file.text(), names).read(static_cast<std::int64_t>(file.size()), control);
    file.check_unchanged();
    return links;
}

}  // namespace grouplink::io
