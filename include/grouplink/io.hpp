#pragma once

#include <grouplink/export.hpp>
#include <grouplink/groups.hpp>
#include <grouplink/link.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/part.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace grouplink {

/// Strings one behind another; value i is bytes[offsets[i] .. offsets[i + 1]).
struct StringColumn {
    std::vector<std::int64_t> offsets{0};
    std::string bytes;

    std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    std::string_view operator[](std::int64_t i) const {
        const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(i)]);
        const auto last = static_cast<std::size_t>(offsets[static_cast<std::size_t>(i) + 1]);
        return std::string_view(bytes).substr(first, last - first);
    }
    void push_back(std::string_view value) {
        bytes.append(value);
        offsets.push_back(static_cast<std::int64_t>(bytes.size()));
    }
};

/// What a file is to be.
enum class FileRole : std::uint8_t {
    rows,   ///< vectors, with their groups and ids or without
    links,  ///< what write_links writes
    any,    ///< one of the two
};

/// The extensions that say a file's format, with their dots, in the order of messages.
GROUPLINK_EXPORT std::vector<std::string_view> file_extensions(FileRole role);

/// The rows' names in the outputs: none (row numbers stand in), integers or strings. None is null or
/// empty; that they be distinct is up to the user.
using IdColumn = std::variant<std::monostate, std::vector<std::int64_t>, StringColumn>;

/// Where the rows are. Formats go by the file's extension: tables .parquet, .arrow (.feather, .ipc, .arrows),
/// .jsonl (.ndjson) and .db (.sqlite, .sqlite3), and arrays .npy, .fbin and .fvecs.
/// Where vectors go that memory has no room for.
struct Spill {
    std::int64_t above_bytes =
        std::numeric_limits<std::int64_t>::max();  ///< vectors of more than that go there
    std::string folder{};  ///< they are in a file without a name there, which goes with the process
};

struct InputSpec {
    std::string path{};
    /// Column of a table. Empty: the one column of float lists that there is; of a database, "embedding".
    std::string embedding{};
    /// Column of a table, or of the `groups_file`. Empty with no groups_file: all rows one group; of a
    /// database, "collection".
    std::string group{};
    /// Column of a table, or, beside an array, of the `ids_file`, else of the `groups_file`. Empty of a
    /// database: "id".
    std::string id{};
    /// Beside an array or a table: .npy of integers or strings; .tsv/.csv with a header line, as
    /// FILE:COLUMN; any other name is text, a value a line. An empty value is a null group.
    std::string groups_file{};
    std::string ids_file{};  ///< the same forms as groups_file
    /// Texts to show rows by, which read_texts alone reads: a column of the table, or, beside an array, of
    /// the `groups_file`, else of the `ids_file`; or a file in the same forms, as FILE:COLUMN where it has
    /// columns.
    std::string text{};
    Spill spill{};  ///< of vectors that are not read in place
};

/// Rows as they were read; owns or maps what its views point at.
class GROUPLINK_EXPORT Table {
public:
    struct Storage;  ///< internal: the mapping or the buffers behind the views
    Table(std::shared_ptr<const Storage> storage, MatrixView rows, GroupColumn row_groups, IdColumn row_ids)
        : vectors(rows),
          groups(std::move(row_groups)),
          ids(std::move(row_ids)),
          storage_(std::move(storage)) {}

    MatrixView vectors;
    GroupColumn groups;
    IdColumn ids;
    /// Throws Error(io) if a file that is mapped behind the vectors was written to or cut short since it was
    /// read; then nothing that was computed of them can be trusted. write_links and write_part call it. The
    /// library installs no signal handler: where a mapped file is cut short, reading what is missing raises
    /// SIGBUS.
    void check_unchanged() const;

    /// Two rows that have the same id, the first ones, if any do: their links cannot be told apart by id.
    std::optional<std::pair<std::int64_t, std::int64_t>> shared_id;

private:
    friend void spill_vectors(Table& table, const std::string& folder);
    std::shared_ptr<const Storage> storage_;
};

/// Moves vectors that are in memory to a file without a name in `folder`, where they are read from. Throws
/// Error(io).
GROUPLINK_EXPORT void spill_vectors(Table& table, const std::string& folder);

/// Reads the rows. Arrays are mapped, tables are streamed into one array of its own width, numbers of
/// JSON and blobs as float32.
/// Throws Error: bad_input for what a file holds, io for what the system refuses, invalid_options
/// for an unknown extension or a column that does not apply.
GROUPLINK_EXPORT Table read_table(const InputSpec& input, const JobControl& control = {});

/// The texts of `rows`, ascending row numbers, in their order: strings, or integers as their digits; empty
/// where there is none. Reads InputSpec::text, and keeps no more than that. Throws Error as read_table.
GROUPLINK_EXPORT StringColumn read_texts(const InputSpec& input, std::span<const std::int64_t> rows,
                                         const JobControl& control = {});

/// Throws Error unless read_texts could succeed for `rows` rows: a column that is there and can be one of
/// texts, and a file beside the table with a value a row.
GROUPLINK_EXPORT void check_texts(const InputSpec& input, std::int64_t rows, const JobControl& control = {});

enum class Layout : std::uint8_t {
    edges,  ///< a row a link: source, target, weight
    lists,  ///< a row a row of the input: its columns, then the list columns targets and weights
};

/// Formats go by the extension: .parquet and .arrow with its like (both layouts), .npz, .csv, .tsv, .jsonl,
/// .db (edges).
struct OutputSpec {
    std::string path;
    Layout layout = Layout::edges;
    bool force = false;  ///< replace an existing file
    /// Add to the database that is there, in one transaction: the links of rows that are written again are
    /// replaced, all else stays. Where there is none it is made. Of .db alone.
    bool update = false;
};

/// Throws unless write_links could succeed with these: known extension and layout, a folder that
/// exists and can be written to, no existing file without `force`, and not the input itself.
GROUPLINK_EXPORT void check_output(const OutputSpec& output, const InputSpec& input);

/// What write_links() takes at most for its buffers, whatever the number of links.
GROUPLINK_EXPORT std::int64_t writing_bytes(const OutputSpec& output);

/// Writes the links beside their place, syncs and renames: the file appears whole or not at all.
/// `table` is what read_table(input) gave. Throws as check_output, and Error(io).
GROUPLINK_EXPORT void write_links(const OutputSpec& output, const InputSpec& input, const Table& table,
                                  const LinkResult& result, const JobControl& control = {});

/// Throws unless write_part could succeed: the name of a part ends in .part, and its place is as
/// check_output wants it. Of the output only path and force count.
GROUPLINK_EXPORT void check_part_output(const OutputSpec& output, const InputSpec& input);

/// Writes the part, and how to find the input again, which merging needs for ids and columns. `table` is
/// what read_table(input) gave. Whole or not at all, as write_links does. Throws as check_part_output, and
/// Error(io).
GROUPLINK_EXPORT void write_part(const OutputSpec& output, const InputSpec& input, const Table& table,
                                 const LinkPart& part, const JobControl& control = {});

struct PartFile {
    LinkPart part;    ///< borrows from the file, which is mapped
    InputSpec input;  ///< as it was when the part was linked
    /// Throws Error(io) if the file was changed since it was read: to be called once the part was used.
    std::function<void()> check_unchanged;
};

/// Throws Error: bad_input for anything but a whole part of this version; io.
GROUPLINK_EXPORT PartFile read_part(const std::string& path, const JobControl& control = {});

/// Throws Error(bad_input) unless `table`, read from `path`, is what the part was linked from.
GROUPLINK_EXPORT void check_part_table(const LinkPart& part, const Table& table, const std::string& path,
                                       const JobControl& control = {});

/// Throws unless write_text could succeed.
GROUPLINK_EXPORT void check_text_output(const std::string& path, bool force);

/// Writes `text` to `path` in the same whole-or-not-at-all way.
GROUPLINK_EXPORT void write_text(const std::string& path, std::string_view text, bool force);

/// How the links of a file were made, as far as it says.
struct LinksRecord {
    std::optional<Metric> metric{};
    std::optional<Similarity> similarity{};
    std::optional<LinkMode> links{};
    std::optional<std::int64_t> n_nearest{};
    std::optional<double> similarity_min{};
    std::optional<double> similarity_min_q{};
    std::optional<QuantileScope> quantile_scope{};
    std::optional<double> cut{};         ///< weight that a link had to reach, see Report::cut
    std::optional<std::int64_t> rows{};  ///< of what was linked
};

/// The links of a file as they stand in it, to be verified: nothing is promised of the graph.
struct LinksFile {
    CsrGraph graph;
    LinksRecord record;
    std::string record_json{};  ///< the record as it stands in the file; empty where there is none
    /// Each pair stood once in the file, as text has undirected links; the graph has both directions.
    bool pairs_once = false;
    std::int64_t faults = 0;    ///< what has no place in the graph: links of unknown rows, false totals
    std::string first_fault{};  ///< one line
};

/// Reads links that write_links wrote, in any format and layout. `table` is what the
/// links are of; ids become its rows.
/// Throws as read_table; bad_input also for ids where the table has none.
GROUPLINK_EXPORT LinksFile read_links(const std::string& path, const Table& table,
                                      const JobControl& control = {});

/// What convert_file takes and gives.
struct ConvertSpec {
    /// Of vectors all counts but the files beside; of links in lists, `id` names the column of the rows'
    /// names.
    InputSpec input{};
    OutputSpec output{};
    /// Links between tables keep their layout, with all columns; else it is that of `output`.
    bool keep_layout = true;
};

struct Converted {
    std::int64_t rows = 0;
    std::optional<std::int64_t> links{};  ///< none: the file held vectors
    std::string note{};                   ///< what was left behind, a line; may be empty
};

/// Writes links, or vectors with their groups and ids, in another format: links where the output or the
/// input can be nothing else, or where the input has their columns. Throws Error as read_table, read_links
/// and write_links; invalid_options where the one cannot become the other.
GROUPLINK_EXPORT Converted convert_file(const ConvertSpec& spec, const JobControl& control = {});

struct ColumnInfo {
    std::string name;
    std::string type;  ///< in the format's own words, such as "fixed_size_list<float16>[384]"
    std::int64_t nulls = 0;
    std::optional<std::pair<std::int64_t, std::int64_t>> dims;  ///< fewest, most components of a row
    bool embedding = false;                                     ///< could be linked
};

struct FileInfo {
    std::string path;
    /// "parquet", "arrow", "npy", "fbin", "fvecs", "npz", "csv", "tsv", "jsonl", "sqlite" or "part".
    std::string format;
    std::int64_t bytes = 0;
    std::int64_t rows = 0;
    std::vector<ColumnInfo> columns;
    std::vector<std::pair<std::string, std::string>> metadata;  ///< such as the mapping of an output of ours
};

/// What a file holds. Throws as read_table.
GROUPLINK_EXPORT FileInfo inspect_file(const std::string& path, const JobControl& control = {});

}  // namespace grouplink
