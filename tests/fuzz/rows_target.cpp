// Files of rows, of links and of values: read, looked through to the last byte, linked, converted and read
// again.

#include "rows/hash.hpp"
#include "target.hpp"

#include <grouplink/io.hpp>
#include <grouplink/link.hpp>
#include <grouplink/verify.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

using namespace grouplink;

namespace fuzz {
namespace {

// Past these a file is only looked through: linking would take the time of many others.
constexpr std::int64_t most_linked_rows = 400;
constexpr std::int64_t most_linked_components = 20'000;

/// Reads every byte that a view promises.
std::uint64_t sum_of(const MatrixView& view) {
    std::uint64_t sum = 0;
    for (std::int64_t row = 0; row < view.rows; ++row) {
        if (!view.has_row(row)) continue;
        const std::int64_t dim = view.row_dim(row);
        require(dim >= 0, "a row of fewer than no components");
        const auto bytes = static_cast<std::size_t>(dim) * element_size(view.type);
        if (bytes > 0) sum += hash_bytes({static_cast<const char*>(view.row(row)), bytes});
    }
    return sum;
}

std::int64_t components_of(const MatrixView& view) {
    std::int64_t components = 0;
    for (std::int64_t row = 0; row < view.rows; ++row)
        components += view.has_row(row) ? view.row_dim(row) : 0;
    return components;
}

void check_column(const StringColumn& column) {
    require(!column.offsets.empty() && column.offsets.front() == 0, "texts that do not begin at 0");
    require(std::is_sorted(column.offsets.begin(), column.offsets.end()),
            "a text that ends before it begins");
    require(column.offsets.back() == static_cast<std::int64_t>(column.bytes.size()),
            "texts past their bytes");
}

void check_table(const Table& table) {
    const auto rows = static_cast<std::size_t>(table.vectors.rows);
    require(table.vectors.rows >= 0, "fewer rows than none");
    require(table.groups.codes.size() == rows, "not a group code for each row");
    for (const std::int32_t code : table.groups.codes) {
        require(code >= -1 && code < std::ssize(table.groups.keys), "a group code without a key");
    }
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&table.ids)) {
        require(numbers->size() == rows, "not an id for each row");
    } else if (const auto* texts = std::get_if<StringColumn>(&table.ids)) {
        check_column(*texts);
        require(texts->offsets.size() == rows + 1, "not an id text for each row");
    }
    if (table.shared_id) {
        require(
            table.shared_id->first < table.shared_id->second && table.shared_id->second < table.vectors.rows,
            "rows of a shared id that are none");
    }
    (void)sum_of(table.vectors);
}

template <typename Float>
bool same_floats(const void* a, const void* b, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        Float x{};
        Float y{};
        std::memcpy(&x, static_cast<const Float*>(a) + i, sizeof x);
        std::memcpy(&y, static_cast<const Float*>(b) + i, sizeof y);
        // What is not finite is null in JSON Lines.
        if (std::isfinite(x) != std::isfinite(y) || (std::isfinite(x) && x != y)) return false;
    }
    return true;
}

bool same_rows(const MatrixView& a, const MatrixView& b) {
    if (a.rows != b.rows || a.type != b.type) return false;
    for (std::int64_t row = 0; row < a.rows; ++row) {
        if (a.has_row(row) != b.has_row(row)) return false;
        if (!a.has_row(row)) continue;
        const std::int64_t dim = a.row_dim(row);
        if (dim != b.row_dim(row)) return false;
        if (a.type == ElementType::float32) {
            if (!same_floats<float>(a.row(row), b.row(row), dim)) return false;
        } else if (a.type == ElementType::float64) {
            if (!same_floats<double>(a.row(row), b.row(row), dim)) return false;
        } else if (dim > 0 && std::memcmp(a.row(row), b.row(row),
                                          static_cast<std::size_t>(dim) * element_size(a.type)) != 0) {
            return false;
        }
    }
    return true;
}

/// The links of each row by weight and target: a file that has each pair once, or no order, keeps no other.
std::vector<std::vector<std::pair<float, std::int64_t>>> sorted_links(const CsrGraph& graph) {
    std::vector<std::vector<std::pair<float, std::int64_t>>> rows;
    for (std::size_t row = 0; row + 1 < graph.offsets.size(); ++row) {
        auto& links = rows.emplace_back();
        for (auto i = static_cast<std::size_t>(graph.offsets[row]);
             i < static_cast<std::size_t>(graph.offsets[row + 1]); ++i) {
            links.emplace_back(-graph.weights[i], graph.targets[i]);
        }
        std::sort(links.begin(), links.end());
    }
    return rows;
}

bool same_graph(const CsrGraph& a, const CsrGraph& b) {
    if (a.offsets != b.offsets) return false;
    const auto is_nan = [](float weight) { return std::isnan(weight); };
    if (std::any_of(a.weights.begin(), a.weights.end(), is_nan)) return true;  // which have no order
    return sorted_links(a) == sorted_links(b);
}

/// Links the rows, has the links verified, and writes and reads them in one of the formats.
void link_rows(const Table& table, const InputSpec& input, std::uint64_t choice) {
    LinkOptions options{
        .n_nearest = 3, .similarity_min = -1e300, .on_bad_row = BadRowPolicy::drop, .threads = 1};
    options.metric = static_cast<Metric>(choice % 5);
    options.links = static_cast<LinkMode>(choice / 5 % 3);
    LinkResult result;
    if (!accepted([&] { result = build_links(table.vectors, table.groups, options); })) return;
    require(result.graph.rows() == table.vectors.rows, "not a list of links for each row");
    const VerifyResult verified =
        verify_links(table.vectors, table.groups, result.graph, {.links = options, .sample = 20});
    for (const VerifyCheck& check : verified.checks) {
        require(check.state != CheckState::broken,
                "links that do not verify: " + check.name + ": " + check.first);
    }
    constexpr std::array<const char*, 6> names{"links.npz",   "links.tsv", "links.csv",
                                               "links.jsonl", "links.db",  "links.parquet"};
    const std::string path = scratch_path(names[choice / 15 % names.size()]);
    LinksFile again;
    const bool written = accepted([&] {
        write_links({.path = path, .force = true}, input, table, result);
        if (!table.shared_id) again = read_links(path, table);
    });
    if (!written || table.shared_id) return;
    require(again.faults == 0, "links of ours that are read with a fault: " + again.first_fault);
    require(same_graph(again.graph, result.graph), "links that are read otherwise than written: " + path);
}

void convert_rows(const Table& table, InputSpec input, std::uint64_t choice) {
    constexpr std::array<const char*, 6> names{"again.npy",   "again.fbin",  "again.fvecs",
                                               "again.jsonl", "again.arrow", "again.parquet"};
    const std::string path = scratch_path(names[choice % names.size()]);
    Table again = table;
    const bool converted = accepted([&] {
        convert_file({.input = input, .output = {.path = path, .force = true}});
        again = read_table({.path = path});
    });
    if (!converted) return;
    check_table(again);
    if (again.vectors.type != table.vectors.type) return;
    require(same_rows(again.vectors, table.vectors), "rows that a conversion changes: " + path);
}

/// Reads rows with these columns, and uses them.
bool use_rows(const InputSpec& input, std::uint64_t choice) {
    Table table(nullptr, {}, {}, {});
    if (!accepted([&] { table = read_table(input); })) return false;
    check_table(table);
    if (table.vectors.rows > most_linked_rows || components_of(table.vectors) > most_linked_components)
        return true;
    // One of the two a run: a run is to be short.
    if (choice % 2 == 0) {
        link_rows(table, input, choice / 2);
    } else {
        convert_rows(table, input, choice / 2);
    }
    return true;
}

void fuzz_array(std::string_view name, std::string_view bytes) {
    const std::string path = scratch_path(name);
    write_scratch(path, bytes);
    const bool read = use_rows({.path = path}, hash_bytes(bytes));
    FileInfo info;
    if (accepted([&] { info = inspect_file(path); }) && read) {
        require(info.bytes == static_cast<std::int64_t>(bytes.size()), "inspect counts other bytes");
    }
}

/// Ten rows under whose numbers or names links are looked for.
Table known_rows(int kind) {
    static const std::vector<float> values{1, 0,  0.9F, 0.1F, 0, 1, 1,    0.05F, 0.8F, 0.6F,
                                           0, -1, 0.5F, 0.5F, 2, 1, 0.3F, 0.7F,  -1,   0.2F};
    Table table(nullptr, matrix_view(values, 2), single_group(10), {});
    if (kind == 1) table.ids = std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 60, 7, -8, 9};
    if (kind == 2) {
        StringColumn texts;
        for (const char* const text : {"a", "b", "c", "d", "e", "f", "g\"", "h,h", "i\ti", "0"})
            texts.push_back(text);
        table.ids = std::move(texts);
    }
    return table;
}

void check_links(const LinksFile& file, const Table& table) {
    require(file.graph.targets.size() == file.graph.weights.size() || !file.graph.offsets.empty(),
            "links without rows");
    VerifyOptions options{.sample = 5};
    if (file.record.metric) options.links.metric = *file.record.metric;
    if (file.record.similarity && options.links.metric == Metric::angular) {
        options.links.similarity = *file.record.similarity;
    }
    if (file.record.links) options.links.links = *file.record.links;
    if (file.record.n_nearest) options.links.n_nearest = *file.record.n_nearest;
    options.cut = file.record.cut;
    // Links may be wrong in any way: that is told, and nothing else happens.
    (void)accepted([&] { (void)verify_links(table.vectors, table.groups, file.graph, options); });
}

void fuzz_links(std::string_view name, std::string_view bytes) {
    const std::string path = scratch_path(name);
    write_scratch(path, bytes);
    const std::uint64_t choice = hash_bytes(bytes);
    const Table table = known_rows(static_cast<int>(choice % 3));
    LinksFile file;
    if (accepted([&] { file = read_links(path, table); })) check_links(file, table);
    (void)accepted([&] { (void)inspect_file(path); });

    constexpr std::array<const char*, 5> names{"again.npz", "again.tsv", "again.csv", "again.jsonl",
                                               "again.db"};
    const std::string first = scratch_path(std::string("first-") + names[choice / 3 % names.size()]);
    const std::string second = scratch_path(std::string("second-") + names[choice / 15 % names.size()]);
    const auto convert = [](const std::string& from, const std::string& to) {
        return accepted(
            [&] { convert_file({.input = {.path = from}, .output = {.path = to, .force = true}}); });
    };
    if (!convert(path, first) || !convert(first, second)) return;
    // Names that are not those of known rows are faults, but the same ones in both.
    LinksFile one;
    LinksFile two;
    const bool read_one = accepted([&] { one = read_links(first, table); });
    const bool read_two = accepted([&] { two = read_links(second, table); });
    if (!read_one || !read_two || one.faults + two.faults > 0) return;
    if (one.pairs_once != two.pairs_once) return;  // one of them lost the record that tells
    require(same_graph(one.graph, two.graph), "links that a conversion changes: " + first + " to " + second);
}

/// A table is read with no column named and with the ones that samples have.
void fuzz_table(std::string_view name, std::string_view bytes) {
    fuzz_array(name, bytes);
    const std::string path = scratch_path(name);
    const std::uint64_t choice = hash_bytes(bytes);
    const InputSpec named{.path = path, .group = "group", .id = "id", .text = "text"};
    (void)use_rows(named, choice / 7);
    const std::array<std::int64_t, 3> rows{0, 1, 4};
    StringColumn texts;
    if (accepted([&] { texts = read_texts(named, rows); })) {
        check_column(texts);
        require(texts.size() == std::ssize(rows), "not a text for each row that was asked for");
    }
    fuzz_links(name, bytes);
}

/// How many values a file has, by what is said of a count that does not fit: -1 where nothing is.
std::int64_t values_told(const InputSpec& input) {
    constexpr std::string_view before = ": has ";
    std::int64_t count = -1;
    try {
        (void)read_table(input);
    } catch (const Error& error) {
        const std::string_view text = error.what();
        const std::size_t at = text.find(before);
        if (at == std::string_view::npos || text.find(" value", at) == std::string_view::npos) return -1;
        (void)std::from_chars(text.data() + at + before.size(), text.data() + text.size(), count);
    }
    return count;
}

void fuzz_values(std::string_view name, std::string_view column, std::string_view bytes) {
    const std::string path = scratch_path(name);
    write_scratch(path, bytes);
    const auto rows_of = [](std::int64_t count) {
        const auto rows = static_cast<std::int32_t>(count);
        const std::int32_t header[2]{rows, 1};
        std::string file(sizeof header + 4 * static_cast<std::size_t>(count), '\1');
        std::memcpy(file.data(), header, sizeof header);
        const std::string rows_path = scratch_path("rows.fbin");
        write_scratch(rows_path, file);
        return rows_path;
    };
    InputSpec as_groups{
        .path = rows_of(3), .groups_file = path + std::string(column), .text = path + std::string(column)};
    InputSpec as_ids{.path = as_groups.path, .ids_file = as_groups.groups_file};
    (void)accepted([&] { (void)read_table(as_ids); });
    const std::int64_t told = values_told(as_groups);
    constexpr std::int64_t most = 100'000;
    if (told > most)
        require(static_cast<std::size_t>(told) <= 8 * bytes.size() + most, "more values than bytes");
    if (told > 0 && told <= most) (void)rows_of(told);
    const std::uint64_t choice = hash_bytes(bytes);
    (void)use_rows(as_groups, choice);
    (void)use_rows(as_ids, choice);
    const std::array<std::int64_t, 2> rows{0, 2};
    (void)accepted([&] { check_column(read_texts(as_groups, rows)); });
}

}  // namespace

void fuzz_npy(std::string_view bytes) { fuzz_array("rows.npy", bytes); }
void fuzz_fbin(std::string_view bytes) { fuzz_array("rows.fbin", bytes); }
void fuzz_fvecs(std::string_view bytes) { fuzz_array("rows.fvecs", bytes); }
void fuzz_parquet(std::string_view bytes) { fuzz_table("table.parquet", bytes); }
void fuzz_arrow(std::string_view bytes) { fuzz_table("table.arrow", bytes); }
void fuzz_jsonl(std::string_view bytes) { fuzz_table("table.jsonl", bytes); }
void fuzz_sqlite(std::string_view bytes) { fuzz_table("table.db", bytes); }
void fuzz_npz(std::string_view bytes) { fuzz_links("links.npz", bytes); }
void fuzz_csv(std::string_view bytes) { fuzz_links("links.csv", bytes); }
void fuzz_tsv(std::string_view bytes) { fuzz_links("links.tsv", bytes); }
void fuzz_values_text(std::string_view bytes) { fuzz_values("values.txt", "", bytes); }
void fuzz_values_npy(std::string_view bytes) { fuzz_values("values.npy", "", bytes); }
void fuzz_values_csv(std::string_view bytes) { fuzz_values("values.csv", ":group", bytes); }

}  // namespace fuzz
