// The command's arguments and parameter files, the record in a file of links, the report.

#include "cli/arguments.hpp"
#include "cli/params.hpp"
#include "cli/raw.hpp"
#include "samples.hpp"
#include "target.hpp"

#include <grouplink/link.hpp>
#include <grouplink/report_page.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

using namespace grouplink;

namespace fuzz {
namespace {

std::vector<std::string> lines_of(std::string_view bytes) {
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size());
        lines.emplace_back(bytes.substr(0, end));
        bytes.remove_prefix(std::min(bytes.size(), end + 1));
    }
    return lines;
}

/// What was taken for arguments must be fit to be run.
void check_arguments(const cli::Arguments& arguments) {
    if (const auto* text = std::get_if<cli::PrintArguments>(&arguments)) {
        require(!text->text.empty(), "nothing to print");
    }
    if (const auto* link = std::get_if<cli::LinkArguments>(&arguments)) {
        validate(link->options);
        if (link->shard) validate(*link->shard);
        require(!link->input.path.empty() && !link->output.path.empty(), "a job without its files");
    }
    if (const auto* explain = std::get_if<cli::ExplainArguments>(&arguments)) validate(explain->options);
    if (const auto* verify = std::get_if<cli::VerifyArguments>(&arguments)) {
        require(verify->sample >= 0 && verify->recall_min >= 0 && verify->recall_min <= 1,
                "a sample out of range");
    }
    if (const auto* merge = std::get_if<cli::MergeArguments>(&arguments)) {
        require(!merge->parts.empty(), "a merge of no parts");
    }
}

/// A file that numpy.savez would make of one text: an array of UTF-32.
std::string npy_of_text(std::string_view text) {
    std::string header =
        "{'descr': '<U" + std::to_string(text.size()) + "', 'fortran_order': False, 'shape': (), }";
    header.resize((header.size() + 11 + 63) / 64 * 64 - 10 - 1, ' ');
    header += '\n';
    const auto size = static_cast<std::uint16_t>(header.size());
    std::string file("\x93NUMPY\x01\x00", 8);
    file.append(reinterpret_cast<const char*>(&size), sizeof size);
    file += header;
    for (const char c : text) file.append({c, '\0', '\0', '\0'});
    return file;
}

void append_number(std::string& bytes, std::uint64_t value, std::size_t size) {
    bytes.append(reinterpret_cast<const char*>(&value), size);
}

/// The archive of links with `record` in the place of its own.
std::string with_record(const std::string& archive, std::string_view record) {
    // Both names are of the same length, so that the old record is still there, under a name of no meaning.
    std::string bytes = archive;
    for (std::size_t at = 0; (at = bytes.find("grouplink.npy", at)) != std::string::npos; ++at)
        bytes[at] = 'x';
    const std::size_t end = bytes.rfind("PK\x05\x06");
    std::uint32_t directory = 0;
    std::uint16_t count = 0;
    std::memcpy(&directory, bytes.data() + end + 16, sizeof directory);
    std::memcpy(&count, bytes.data() + end + 10, sizeof count);
    const std::string old = bytes.substr(directory, end - directory);
    bytes.resize(directory);
    const std::string name = "grouplink.npy";
    const std::string data = npy_of_text(record);
    const auto fields = [&](std::string& to) {  // version, flags, method, time, CRC-32, sizes, lengths
        append_number(to, 20, 2);
        to.append(12, '\0');
        append_number(to, data.size(), 4);
        append_number(to, data.size(), 4);
        append_number(to, name.size(), 2);
        append_number(to, 0, 2);
    };
    bytes += "PK\x03\x04";
    fields(bytes);
    bytes += name + data;
    const std::size_t begin = bytes.size();
    bytes += old + "PK\x01\x02";
    append_number(bytes, 20, 2);
    fields(bytes);
    bytes.append(10, '\0');
    append_number(bytes, directory, 4);
    bytes += name;
    const std::size_t size = bytes.size() - begin;
    bytes += "PK\x05\x06";
    append_number(bytes, 0, 4);
    append_number(bytes, count + 1U, 2);
    append_number(bytes, count + 1U, 2);
    append_number(bytes, size, 4);
    append_number(bytes, begin, 4);
    append_number(bytes, 0, 2);
    return bytes;
}

}  // namespace

/// An argument a line.
void fuzz_options(std::string_view bytes) {
    const std::vector<std::string> arguments = lines_of(bytes);
    (void)accepted([&] {
        cli::RawArguments raw = cli::parse_raw(arguments);
        raw.params.reset();  // which would be read
        check_arguments(cli::validate_arguments(raw));
    });
}

void fuzz_params(std::string_view bytes) {
    const std::string path = scratch_path("params.json");
    write_scratch(path, bytes);
    const std::vector<std::string> arguments{"link", "rows.npy", "-o", "links.npz", "--params", path};
    (void)accepted(
        [&] { check_arguments(cli::validate_arguments(cli::with_params(cli::parse_raw(arguments)))); });
}

void fuzz_record(std::string_view bytes) {
    if (bytes.empty()) return;  // NumPy has no text of no characters
    static const std::string archive = sample_links();
    const std::string path = scratch_path("record.npz");
    write_scratch(path, with_record(archive, bytes));
    const Table& table = sample_table();
    LinksFile file;
    const bool read = accepted([&] { file = read_links(path, table); });
    require(read, "a record keeps links from being read");
    require(!file.record.n_nearest || *file.record.n_nearest >= 1, "a record that no job could have");
    const std::string other = scratch_path("record.jsonl");
    (void)accepted(
        [&] { convert_file({.input = {.path = path}, .output = {.path = other, .force = true}}); });
    (void)accepted([&] { (void)inspect_file(path); });
}

/// Names from the bytes, a line each, in the report and on its page.
void fuzz_report(std::string_view bytes) {
    std::vector<std::string> names = lines_of(bytes.substr(0, 4000));
    names.resize(std::clamp<std::size_t>(names.size(), 2, 40));
    const auto rows = std::ssize(names) * 3;
    std::vector<float> values;
    StringColumn ids;
    std::vector<std::string_view> groups;
    for (std::int64_t row = 0; row < rows; ++row) {
        values.insert(values.end(), {static_cast<float>(row % 7 + 1), static_cast<float>(row % 3), 1.0F});
        const std::string& name = names[static_cast<std::size_t>(row) / 3];
        ids.push_back(name);
        groups.push_back(name);
    }
    const GroupColumn column = encode_groups(groups);
    LinkResult result = build_links(matrix_view(values, 3), column, {.n_nearest = 2, .threads = 1});
    result.report.input = names[0];
    result.report.notes = {names[1]};
    const std::string json = to_json(result.report);
    const nlohmann::json parsed = nlohmann::json::parse(json, nullptr, false);
    require(parsed.is_object(), "a report that is no JSON");
    const LinkSample sample = sample_links(result.graph, column);
    StringColumn texts;
    for (const std::int64_t row : sample.rows) texts.push_back(names[static_cast<std::size_t>(row) / 3]);
    const std::string page = to_html(result.report, sample, column, ids, texts);
    // Our own pages have neither.
    require(page.find("<script") == std::string::npos, "a page that runs what a name says");
    require(page.find("<img") == std::string::npos, "a page that loads what a name says");
    require(page.find('\0') == std::string::npos, "a page with a NUL");
}

}  // namespace fuzz
