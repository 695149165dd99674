#include "io/atomic_file.hpp"
#include "io/columnar_write.hpp"
#include "io/edges_json.hpp"
#include "io/edges_text.hpp"
#include "io/formats.hpp"
#include "io/links_out.hpp"
#include "io/message.hpp"
#include "io/metadata.hpp"
#include "io/npz.hpp"
#include "io/sqlite_links.hpp"

#include <grouplink/io.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include <variant>

namespace grouplink {
namespace io {
namespace {

bool same_file(const std::string& one, const std::string& other) {
    struct stat a {};
    struct stat b {};
    return ::stat(one.c_str(), &a) == 0 && ::stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/// Whether `path` is the file of `column_spec`, which may end in :COLUMN.
bool is_file_of(const std::string& path, const std::string& column_spec) {
    return same_file(path, column_spec) || same_file(path, column_spec.substr(0, column_spec.rfind(':')));
}

void check_not_input(const std::string& path, const InputSpec& input, bool update) {
    const auto refuse = [&](std::string_view what) {
        fail(ErrorCode::invalid_options, "{}: is {}; name another output", path, what);
    };
    if (!update && same_file(path, input.path)) refuse("the input itself");
    if (is_file_of(path, input.groups_file)) refuse("the file of the groups");
    if (is_file_of(path, input.ids_file)) refuse("the file of the ids");
}

void check_sizes(const Table& table, const LinkResult& result) {
    const CsrGraph& graph = result.graph;
    const std::int64_t rows = table.vectors.rows;
    if (graph.rows() != rows) {
        fail(ErrorCode::bad_input, "links: they are of {} rows, the table has {}", graph.rows(), rows);
    }
    const auto links = graph.offsets.empty() ? 0 : graph.offsets.back();
    if (graph.targets.size() != graph.weights.size() || graph.links() != links) {
        fail(ErrorCode::bad_input, "links: {} offsets end at {}, but there are {} targets and {} weights",
             graph.offsets.size(), links, graph.targets.size(), graph.weights.size());
    }
    std::int64_t ids = rows;
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&table.ids)) {
        ids = static_cast<std::int64_t>(numbers->size());
    } else if (const auto* texts = std::get_if<StringColumn>(&table.ids)) {
        ids = texts->size();
    }
    if (ids != rows) fail(ErrorCode::bad_input, "ids: got {} for a table of {} rows", ids, rows);
}

}  // namespace

Format check_format(const OutputSpec& output) {
    if (output.path.empty()) fail(ErrorCode::invalid_options, "output: no path is given");
    const Format format = known_format(output.path, FileRole::links, "an output");
    if (output.layout == Layout::lists && !is_columnar(format)) {
        fail(ErrorCode::invalid_options, "{}: the layout lists needs a .parquet or .arrow output, got {}",
             output.path, in_quotes(extension_of(output.path)));
    }
    return format;
}

void check_place(const OutputSpec& output, const InputSpec& input) {
#if !defined(GROUPLINK_PARQUET)
    if (is_columnar(format_of(output.path))) {
        fail(ErrorCode::invalid_options,
             "{}: this build has no Parquet and no Arrow; choose another format, or build with "
             "GROUPLINK_PARQUET=ON",
             output.path);
    }
#endif
    if (output.update && format_of(output.path) != Format::sqlite) {
        fail(ErrorCode::invalid_options, "{}: only a .db can be updated, got {}", output.path,
             in_quotes(extension_of(output.path)));
    }
    if (output.update && output.force) {
        fail(ErrorCode::invalid_options, "{}: is either replaced or updated, got both", output.path);
    }
    check_not_input(output.path, input, output.update);
    output_place(output.path, output.force || output.update);
    std::error_code ignored;
    if (output.update && std::filesystem::exists(output.path, ignored)) check_updatable(output.path);
}

LinksOut links_out(const Table& table, const LinkResult& result) {
    return {.graph = result.graph,
            .ids = table.ids,
            .record = metadata_json(result.report),
            .mapping = std::string(mapping_name(result.report.options)),
            .mode = result.report.options.links};
}

void write_links_out(const OutputSpec& output, [[maybe_unused]] const InputSpec& input, const LinksOut& links,
                     const JobControl& control) {
    const Format format = format_of(output.path);
    std::error_code ignored;
    if (output.update && std::filesystem::exists(output.path, ignored)) {
        return update_links_sqlite(output.path, links, control);
    }
    AtomicFile file(output.path, output.force);
    switch (format) {
        case Format::jsonl: write_edges_json(file, links, control); break;
        case Format::sqlite: write_links_sqlite(file, links, control); break;
        case Format::npz: write_npz(file, links, control); break;
        case Format::csv: write_edges_text(file, ',', links, control); break;
        case Format::tsv: write_edges_text(file, '\t', links, control); break;
#if defined(GROUPLINK_PARQUET)
        case Format::parquet:
        case Format::arrow:
            if (output.layout == Layout::lists) {
                write_lists_columnar(file, input, links, control);
            } else {
                write_edges_columnar(file, links, control);
            }
            break;
#endif
        default: fail(ErrorCode::internal, "{}: no writer for this format", output.path);
    }
    if (control.stop.stop_requested()) throw Error(ErrorCode::cancelled, "cancelled");
    file.commit();
}

}  // namespace io

void check_output(const OutputSpec& output, const InputSpec& input) {
    io::check_format(output);
    io::check_place(output, input);
#if defined(GROUPLINK_PARQUET)
    if (output.layout == Layout::lists) io::check_list_columns(input);
#endif
}

void write_links(const OutputSpec& output, const InputSpec& input, const Table& table,
                 const LinkResult& result, const JobControl& control) {
    check_output(output, input);
    table.check_unchanged();
    io::check_sizes(table, result);
    io::LinksOut links = io::links_out(table, result);
    const bool grouped = !input.group.empty() || !input.groups_file.empty();
    if (grouped || io::format_of(input.path) == io::Format::sqlite) links.groups = &table.groups;
    io::write_links_out(output, input, links, control);
}

void check_text_output(const std::string& path, bool force) { io::output_place(path, force); }

void write_text(const std::string& path, std::string_view text, bool force) {
    io::AtomicFile file(path, force);
    file.write(text);
    file.commit();
}

std::int64_t writing_bytes(const OutputSpec& output) {
    constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
    const io::Format format = io::format_of(output.path);
    const bool lists = output.layout == Layout::lists;
    if (!io::is_columnar(format)) return 4 * mebibyte;
    // Of lists, row groups of 64 MiB are read, encoded and compressed in memory.
    if (format == io::Format::parquet) return (lists ? 192 : 32) * mebibyte;
    return (lists ? 48 : 24) * mebibyte;
}

}  // namespace grouplink
