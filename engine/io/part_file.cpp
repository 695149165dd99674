#include "io/part_file.hpp"

#include "io/atomic_file.hpp"
#include "io/formats.hpp"
#include "io/ids.hpp"
#include "io/links_out.hpp"
#include "io/mapped_file.hpp"
#include "io/message.hpp"
#include "io/part_manifest.hpp"
#include "parallel/workers.hpp"
#include "rows/fingerprint.hpp"
#include "rows/hash.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

// A part is a header, then its sections one behind another, each filled up to eight bytes: the manifest, the
// groups, and as arrays the status of rows, rows, targets and distances. All numbers are little-endian.

namespace grouplink {
namespace io {
namespace {

static_assert(std::endian::native == std::endian::little, "parts are read and written as memory has them");

constexpr std::size_t section_count = 6;
constexpr std::uint64_t format_version = 1;
constexpr std::size_t aligned_to = 8;

using Sections = std::array<std::string_view, section_count>;

struct Header {
    std::array<char, 8> magic{'g', 'l', 'p', 'a', 'r', 't', '\r', '\n'};
    std::uint64_t version = format_version;
    std::array<std::uint64_t, section_count> bytes{};  ///< of each section
    std::uint64_t checksum = 0;                        ///< of all above, and all sections
};

std::uint64_t padding_of(std::uint64_t bytes) { return (aligned_to - bytes % aligned_to) % aligned_to; }

std::uint64_t checksum_of(const Header& header, const Sections& sections, const JobControl& control) {
    std::uint64_t hash = 0;
    for (const std::uint64_t bytes : header.bytes) hash = hash_pair(hash, bytes);
    // In pieces, for a stop to be heard.
    constexpr std::size_t piece = std::size_t{1} << 26;
    for (std::string_view section : sections) {
        while (!section.empty()) {
            parallel::check_stop(control);
            hash = hash_pair(hash, hash_bytes(section.substr(0, piece)));
            section.remove_prefix(std::min(piece, section.size()));
        }
    }
    return hash;
}

template <typename Value>
std::string_view bytes_of(std::span<const Value> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

template <typename Value>
std::span<const Value> values_of(std::string_view bytes, const std::string& path) {
    if (bytes.size() % sizeof(Value) != 0) {
        fail(ErrorCode::bad_input, "{}: is broken: a section ends within a number; link its share anew",
             path);
    }
    // Sections stand at multiples of eight bytes in memory that is mapped by the page.
    return {reinterpret_cast<const Value*>(bytes.data()), bytes.size() / sizeof(Value)};
}

/// The sections of a part, as far as the header and the size of the file go.
std::pair<Header, Sections> sections_of(std::string_view file, const std::string& path) {
    Header header;
    const auto magic = header.magic;
    if (file.size() < sizeof header || std::memcmp(file.data(), magic.data(), magic.size()) != 0) {
        fail(ErrorCode::bad_input, "{}: is not a part; link --shard writes parts", path);
    }
    std::memcpy(&header, file.data(), sizeof header);
    if (header.version != format_version) {
        fail(ErrorCode::bad_input,
             "{}: is a part of format {}, this version of grouplink reads format {}; merge with the version "
             "that linked",
             path, header.version, format_version);
    }
    Sections sections;
    std::string_view rest = file.substr(sizeof header);
    for (std::size_t s = 0; s < sections.size(); ++s) {
        const std::uint64_t bytes = header.bytes[s];
        if (bytes > rest.size() || padding_of(bytes) > rest.size() - bytes) {
            fail(ErrorCode::bad_input,
                 "{}: is cut short: {} bytes, and more should follow; link its share anew", path,
                 file.size());
        }
        sections[s] = rest.substr(0, bytes);
        rest.remove_prefix(bytes + padding_of(bytes));
    }
    if (!rest.empty()) {
        fail(ErrorCode::bad_input, "{}: is broken: {} bytes too long; link its share anew", path,
             rest.size());
    }
    return {header, sections};
}

std::uint64_t hash_ids(const IdColumn& ids) {
    std::uint64_t hash = 0;
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) {
        hash = hash_bytes(bytes_of(std::span(*numbers)));
    } else if (const auto* texts = std::get_if<StringColumn>(&ids)) {
        hash = hash_pair(hash_bytes(bytes_of(std::span(texts->offsets))), hash_bytes(texts->bytes));
    } else {
        return 0;
    }
    return hash == 0 ? 1 : hash;
}

}  // namespace

PartContents read_part_contents(const std::string& path, const JobControl& control) {
    auto mapped = std::make_shared<MappedFile>(path);
    mapped->read_in_order();
    const auto [header, sections] = sections_of(mapped->text(), path);
    if (checksum_of(header, sections, control) != header.checksum) {
        fail(ErrorCode::bad_input, "{}: is broken: its checksum does not fit; link its share anew", path);
    }
    PartContents contents;
    contents.manifest = sections[0];
    LinkPart& part = contents.file.part;
    part.name = path;
    read_part_manifest(sections[0], path, contents.file);
    read_part_groups(sections[1], path, part);
    part.row_status = values_of<RowStatus>(sections[2], path);
    part.rows = values_of<std::int64_t>(sections[3], path);
    part.targets = values_of<std::int64_t>(sections[4], path);
    part.distances = values_of<float>(sections[5], path);
    part.report.links_found = std::ssize(part.targets);
    contents.file.check_unchanged = [mapped] { mapped->check_unchanged(); };
    part.storage = std::move(mapped);
    return contents;
}

}  // namespace io

void check_part_output(const OutputSpec& output, const InputSpec& input) {
    if (io::format_of(output.path) != io::Format::part) {
        io::fail(ErrorCode::invalid_options, "{}: a share is written to a .part, got {}", output.path,
                 io::extension_of(output.path).empty() ? "no extension"
                                                       : io::in_quotes(io::extension_of(output.path)));
    }
    io::check_place({.path = output.path, .force = output.force}, input);
}

void write_part(const OutputSpec& output, const InputSpec& input, const Table& table, const LinkPart& part,
                const JobControl& control) {
    using namespace io;
    check_part_output(output, input);
    table.check_unchanged();
    LinkPart named = part;
    named.input.ids = hash_ids(table.ids);
    const std::string manifest = part_manifest(named, input);
    const std::string groups = part_groups(named);
    const Sections sections{manifest,
                            groups,
                            bytes_of(part.row_status),
                            bytes_of(part.rows),
                            bytes_of(part.targets),
                            bytes_of(part.distances)};
    Header header;
    for (std::size_t s = 0; s < sections.size(); ++s) header.bytes[s] = sections[s].size();
    header.checksum = checksum_of(header, sections, control);

    AtomicFile file(output.path, output.force);
    file.write({reinterpret_cast<const char*>(&header), sizeof header});
    for (const std::string_view section : sections) {
        parallel::check_stop(control);
        file.write(section);
        file.write(std::string(padding_of(section.size()), '\0'));
    }
    file.commit();
}

PartFile read_part(const std::string& path, const JobControl& control) {
    return io::read_part_contents(path, control).file;
}

void check_part_table(const LinkPart& part, const Table& table, const std::string& path,
                      const JobControl& control) {
    const auto refuse = [&](std::string_view what) {
        io::fail(ErrorCode::bad_input,
                 "{}: has other {} than {} was linked from; name the input of that job with --input, or link "
                 "all shares anew",
                 path, what, part.name);
    };
    const InputFingerprint wanted = part.input;
    if (table.vectors.rows != part.report.rows) refuse("rows");
    if (io::hash_ids(table.ids) != wanted.ids) refuse("ids");
    if (hash_groups(table.groups) != wanted.groups) refuse("groups");
    if (hash_vectors(table.vectors, parallel::resolve_threads(0), control) != wanted.vectors) {
        refuse("vectors");
    }
}

}  // namespace grouplink
