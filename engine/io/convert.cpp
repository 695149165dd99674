#include "io/formats.hpp"
#include "io/json_lines.hpp"
#include "io/links_out.hpp"
#include "io/links_reader.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/sqlite_links.hpp"
#include "io/write_rows.hpp"

#include <grouplink/io.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace grouplink {
namespace io {
namespace {

bool takes_links(Format format) {
    return format == Format::npz || format == Format::csv || format == Format::tsv;
}

/// Of a file that could hold either.
bool holds_links(const std::string& path, Format format, Format output) {
    if (format == Format::jsonl) {
        const MappedFile file(path);
        JsonLines lines(path, file.text());
        return lines.next() && lines.find("source") && lines.find("target") && lines.find("weight");
    }
    if (format == Format::sqlite) {
        const SqliteFile file = SqliteFile::open_to_read(path, {});
        if (!file.has_table(links_table)) return false;
        return output == Format::sqlite || !file.has_table("embeddings");
    }
#if defined(GROUPLINK_PARQUET)
    return columnar_holds_links(path);
#else
    fail(ErrorCode::bad_input,
         "{}: this build has no Parquet and no Arrow; build with -DGROUPLINK_PARQUET=ON", path);
#endif
}

bool converts_links(const ConvertSpec& spec, Format from, Format to) {
    const bool links = takes_links(from) || takes_links(to);
    const bool rows = is_array(from) || is_array(to);
    if (links && rows) {
        const bool in_is_array = is_array(from);
        fail(ErrorCode::invalid_options,
             "{}: {} holds {}, {} takes {}; convert links to links, vectors to vectors", spec.input.path,
             extension_of(spec.input.path), in_is_array ? "vectors" : "links", extension_of(spec.output.path),
             in_is_array ? "links" : "vectors");
    }
    return links || (!rows && holds_links(spec.input.path, from, to));
}

/// What stands in a file may be anything; what is written is one ASCII object, or nothing.
std::string plain_record(const LinksFile& file) {
    if (!file.record_json.empty()) return ascii_record(file.record_json);
    if (!file.record.metric) return {};
    return metadata_json(file.record, file.graph.links());
}

std::string mapping_of(const LinksRecord& record) {
    if (!record.metric) return {};
    LinkOptions options;
    options.metric = *record.metric;
    options.similarity = record.similarity.value_or(options.similarity);
    return std::string(mapping_name(options));
}

void check_graph(const std::string& path, const CsrGraph& graph) {
    const auto refuse = [&](std::string_view what) {
        fail(ErrorCode::bad_input, "{}: its links are broken: {}; grouplink verify tells more", path, what);
    };
    const bool ends = !graph.offsets.empty() && graph.offsets.front() == 0 &&
                      graph.offsets.back() == graph.links() && graph.targets.size() == graph.weights.size();
    if (!ends) refuse("the rows' places do not fit the links");
    if (!std::is_sorted(graph.offsets.begin(), graph.offsets.end())) refuse("a row ends before it begins");
    const auto out = [&](std::int64_t target) { return target < 0 || target >= graph.rows(); };
    if (std::any_of(graph.targets.begin(), graph.targets.end(), out)) refuse("a link goes to no row");
}

/// The same links with the rows numbered as `numbers` has them.
CsrGraph renumbered(const CsrGraph& graph, const std::vector<std::int64_t>& numbers, std::int64_t rows) {
    CsrGraph result;
    result.offsets.assign(static_cast<std::size_t>(rows) + 1, 0);
    const auto count = [&](std::size_t row) { return graph.offsets[row + 1] - graph.offsets[row]; };
    for (std::size_t row = 0; row < numbers.size(); ++row) {
        result.offsets[static_cast<std::size_t>(numbers[row]) + 1] = count(row);
    }
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
        result.offsets[row + 1] += result.offsets[row];
    }
    result.targets = graph.targets;
    result.weights = graph.weights;
    for (std::size_t row = 0; row < numbers.size(); ++row) {
        auto place = static_cast<std::size_t>(result.offsets[static_cast<std::size_t>(numbers[row])]);
        for (auto i = static_cast<std::size_t>(graph.offsets[row]);
             i < static_cast<std::size_t>(graph.offsets[row + 1]); ++i, ++place) {
            result.targets[place] = numbers[static_cast<std::size_t>(graph.targets[i])];
            result.weights[place] = graph.weights[i];
        }
    }
    return result;
}

/// Integers that can be row numbers are taken for them: of as many rows as the file says that there are, or,
/// where they `must` be, of as many as the largest asks for, which the returned note tells. Then `ids`
/// becomes none.
std::string number_rows(const std::string& path, LinksFile& file, IdColumn& ids, bool must) {
    const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids);
    if (std::holds_alternative<std::monostate>(ids) && !file.record.rows) return {};
    const auto refuse = [&] {
        fail(ErrorCode::bad_input,
             "{}: its links go by ids and not by row number, as those of .npz do; write another format",
             path);
    };
    std::int64_t largest = -1;
    bool negative = false;
    if (numbers) {
        for (const std::int64_t number : *numbers) {
            largest = std::max(largest, number);
            negative = negative || number < 0;
        }
    } else if (!std::holds_alternative<std::monostate>(ids)) {
        negative = true;
    }
    // More rows than a file of its size plausibly has links of.
    std::error_code ignored;
    const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, ignored));
    const std::int64_t most = (std::int64_t{1} << 20) + 1000 * std::max<std::int64_t>(bytes, 0);
    const std::int64_t rows = file.record.rows.value_or(must ? largest + 1 : 0);
    if (negative || largest >= rows || rows > most || rows < file.graph.rows()) {
        if (must) refuse();
        return {};
    }
    static const std::vector<std::int64_t> none;
    file.graph = renumbered(file.graph, numbers ? *numbers : none, rows);
    ids = IdColumn();
    if (file.record.rows) return {};
    return fmt::format(
        "{} does not say how many rows there are; taken for {}, as the largest row number asks for", path,
        rows);
}

Converted convert_links(const ConvertSpec& spec, const JobControl& control) {
    const std::string& path = spec.input.path;
    RowNames names(spec.input.id);
    LinksFile file = read_links_of(path, names, control);
    if (file.faults > 0) {
        fail(ErrorCode::bad_input, "{}: its links are broken: {}; grouplink verify tells more", path,
             file.first_fault);
    }
    check_graph(path, file.graph);
    const Format to = format_of(spec.output.path);
    IdColumn ids = names.met();
    std::string note;
    if (format_of(path) != Format::npz) note = number_rows(path, file, ids, to == Format::npz);
    LinksOut links{
        .graph = file.graph, .ids = ids, .record = plain_record(file), .mapping = mapping_of(file.record)};
    links.mode = file.record.links;
    if (file.pairs_once && !links.mode) links.mode = LinkMode::symmetric;
    if (links.mapping.empty() && (to == Format::csv || to == Format::tsv)) {
        fail(ErrorCode::bad_input,
             "{}: does not say how its weights were made, which each line of {} tells; write another format",
             path, extension_of(spec.output.path));
    }
    write_links_out(spec.output, {}, links, control);
    return {.rows = file.graph.rows(), .links = file.graph.links(), .note = std::move(note)};
}

Converted convert_rows(const ConvertSpec& spec, Format from, Format to, const JobControl& control) {
    const InputSpec& input = spec.input;
    const Table table = read_table(input, control);
    const bool database = from == Format::sqlite;
    RowsOut rows{table};
    rows.embedding = input.embedding.empty() ? "embedding" : input.embedding;
    if (!input.group.empty() || database) rows.group = input.group.empty() ? "collection" : input.group;
    if (!std::holds_alternative<std::monostate>(table.ids)) rows.id = input.id.empty() ? "id" : input.id;
    Converted converted{.rows = table.vectors.rows};
    if (is_array(to) && (!rows.group.empty() || !rows.id.empty())) {
        converted.note = fmt::format("{} has no place for groups and ids; they are left out",
                                     extension_of(spec.output.path));
    }
    AtomicFile file(spec.output.path, spec.output.force);
    switch (to) {
        case Format::npy: write_npy_rows(file, rows, control); break;
        case Format::fbin: write_fbin_rows(file, rows, control); break;
        case Format::fvecs: write_fvecs_rows(file, rows, control); break;
        case Format::jsonl: write_json_rows(file, rows, control); break;
#if defined(GROUPLINK_PARQUET)
        case Format::parquet:
        case Format::arrow: write_columnar_rows(file, rows, control); break;
#endif
        default:
            fail(ErrorCode::invalid_options,
                 "{}: vectors are written to .parquet, .arrow, .npy, .fbin, .fvecs or .jsonl",
                 spec.output.path);
    }
    table.check_unchanged();
    file.commit();
    return converted;
}

#if defined(GROUPLINK_PARQUET)
Converted copy_table(const ConvertSpec& spec, bool links, const JobControl& control) {
    AtomicFile file(spec.output.path, spec.output.force);
    copy_columnar(file, spec.input.path, control);
    file.commit();
    Converted converted;
    const FileInfo info = inspect_file(spec.output.path, control);
    converted.rows = info.rows;
    const bool edges = std::any_of(info.columns.begin(), info.columns.end(),
                                   [](const ColumnInfo& column) { return column.name == "source"; });
    if (links && edges) converted.links = info.rows;
    return converted;
}
#endif

}  // namespace
}  // namespace io

Converted convert_file(const ConvertSpec& spec, const JobControl& control) {
    using namespace io;
    const InputSpec& input = spec.input;
    const Format from = known_format(input.path, FileRole::any, "a file to convert");
    const Format to = known_format(spec.output.path, FileRole::any, "an output");
    // A file that is not there is the first thing to tell.
    (void)open_to_read(input.path);
    check_place(spec.output, input);
    const bool links = converts_links(spec, from, to);
#if defined(GROUPLINK_PARQUET)
    const bool selects = !input.embedding.empty() || !input.group.empty() || !input.id.empty();
    if (is_columnar(from) && is_columnar(to) && (links ? spec.keep_layout : !selects)) {
        return copy_table(spec, links, control);
    }
#endif
    if (!links) return convert_rows(spec, from, to, control);
    check_format(spec.output);
    return convert_links(spec, control);
}

}  // namespace grouplink
