#include "samples.hpp"

#include "target.hpp"

#include <grouplink/link.hpp>
#include <grouplink/part.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <sstream>
#include <vector>

using namespace grouplink;

namespace fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t rows = 8;
const std::array<float, 3 * rows> values{1, 0,    0,    0.9F,  0.1F,  0, 0, 1,    0.5F, 1,    0.05F, 0,
                                         0, 0.8F, 0.6F, -0.5F, 0.25F, 1, 1, 0.0F, 0,    0.3F, 0.3F,  0.4F};
const std::array<const char*, rows> groups{"a", "a", "a", "b\"x", "b\"x", "a", "b\"x", "a"};
const std::array<const char*, rows> ids{"a", "b", "c", "d", "e", "f", "g\"", "h,h"};

std::string lines(std::span<const char* const> texts) {
    std::string text;
    for (const char* const line : texts) text += std::string(line) + '\n';
    return text;
}

std::string read_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// An array as numpy.save writes it.
std::string npy(std::string_view descr, std::string_view shape, std::string_view data) {
    std::string header = "{'descr': '" + std::string(descr) +
                         "', 'fortran_order': False, 'shape': " + std::string(shape) + ", }";
    header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
    header += '\n';
    const auto size = static_cast<std::uint16_t>(header.size());
    std::string file("\x93NUMPY\x01\x00", 8);
    file.append(reinterpret_cast<const char*>(&size), sizeof size);
    return file + header + std::string(data);
}

std::string_view bytes_of(std::span<const float> of) {
    return {reinterpret_cast<const char*>(of.data()), of.size_bytes()};
}

/// The files that others are made of.
class Source {
public:
    Source() {
        write_scratch(path_, npy("<f4", "(8, 3)", bytes_of(values)));
        write_scratch(groups_, lines(groups));
        write_scratch(ids_, lines(ids));
    }
    InputSpec input() const {
        return {.path = path_, .group = "", .id = "", .groups_file = groups_, .ids_file = ids_};
    }
    const std::string& path() const { return path_; }

private:
    std::string path_ = scratch_path("source.npy");
    std::string groups_ = scratch_path("source-groups.txt");
    std::string ids_ = scratch_path("source-ids.txt");
};

/// Where the seeds of one target go.
class Folder {
public:
    Folder(const std::string& all, const std::string& target) : path_(all + '/' + target) {
        fs::create_directories(path_);
    }
    void add(std::string_view bytes) {
        std::ofstream(path_ + "/seed-" + std::to_string(count_++), std::ios::binary) << bytes;
    }
    void add_file(const std::string& path) { add(read_file(path)); }

private:
    std::string path_;
    int count_ = 0;
};

/// Does nothing where a format is not in this build.
template <typename Work>
void where_possible(Work work) {
    try {
        work();
    } catch (const Error&) {
    }
}

LinkResult links_of(const Table& table, LinkMode mode, Metric metric = Metric::angular) {
    return build_links(
        table.vectors, table.groups,
        {.n_nearest = 2, .metric = metric, .links = mode, .on_bad_row = BadRowPolicy::drop, .threads = 1});
}

void write_link_seeds(const std::string& folder) {
    const Source source;
    const Table with_ids = read_table(source.input());
    const Table plain = read_table({.path = source.path()});
    const std::pair<const char*, const char*> targets[]{
        {"npz", ".npz"},   {"csv", ".csv"},         {"tsv", ".tsv"},     {"jsonl", ".jsonl"},
        {"sqlite", ".db"}, {"parquet", ".parquet"}, {"arrow", ".arrow"}, {"arrow", ".arrows"}};
    for (const auto& [target, extension] : targets) {
        Folder seeds(folder, target);
        const std::string path = scratch_path("seed" + std::string(extension));
        for (const LinkMode mode : {LinkMode::directed, LinkMode::symmetric}) {
            for (const Table* const table : {&with_ids, &plain}) {
                where_possible([&] {
                    write_links({.path = path, .force = true}, source.input(), *table,
                                links_of(*table, mode));
                    seeds.add_file(path);
                });
            }
        }
    }
    for (const char* const target : {"parquet", "arrow"}) {
        Folder seeds(folder, std::string(target) + "/lists");
        where_possible([&] {
            const std::string rows_path = scratch_path("rows." + std::string(target));
            const std::string path = scratch_path("lists." + std::string(target));
            convert_file({.input = source.input(), .output = {.path = rows_path, .force = true}});
            const Table table = read_table({.path = rows_path});
            write_links({.path = path, .layout = Layout::lists, .force = true}, {.path = rows_path}, table,
                        links_of(table, LinkMode::directed));
            seeds.add_file(path);
        });
    }
}

/// As llm writes it.
std::string database() {
    const std::string path = scratch_path("embeddings.db");
    fs::remove(path);
    sqlite3* opened = nullptr;
    require(sqlite3_open(path.c_str(), &opened) == SQLITE_OK, "no database");
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> open(opened, &sqlite3_close);
    const auto run = [&](const std::string& sql) {
        require(sqlite3_exec(opened, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sql);
    };
    run("PRAGMA page_size = 512");
    run("CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT, model TEXT)");
    run("CREATE TABLE embeddings (collection_id INTEGER, id TEXT, embedding BLOB, content TEXT, text TEXT, "
        "PRIMARY KEY (collection_id, id))");
    run("INSERT INTO collections VALUES (1, 'a', 'm'), (2, 'b', 'm')");
    for (std::size_t row = 0; row < 4; ++row) {
        std::string blob;
        for (const char c : bytes_of(std::span(values).subspan(3 * row, 3))) {
            constexpr std::string_view digits = "0123456789abcdef";
            blob += digits[static_cast<unsigned char>(c) >> 4];
            blob += digits[static_cast<unsigned char>(c) & 15];
        }
        run("INSERT INTO embeddings VALUES (" + std::to_string(row % 2 + 1) + ", 'r" + std::to_string(row) +
            "', x'" + blob + "', 'content', 'text')");
    }
    return path;
}

void write_row_seeds(const std::string& folder) {
    const Source source;
    for (const char* const target : {"npy", "fbin", "fvecs", "jsonl", "arrow", "parquet"}) {
        Folder seeds(folder, std::string(target) + "/rows");
        const std::string path = scratch_path("seed." + std::string(target));
        InputSpec input = source.input();
        for (const bool named : {false, true}) {
            if (!named) input = {.path = source.path()};
            where_possible([&] {
                convert_file({.input = input, .output = {.path = path, .force = true}});
                seeds.add_file(path);
            });
            input = source.input();
        }
    }
    Folder arrays(folder, "npy/types");
    const std::string_view data = bytes_of(values);
    arrays.add(npy("<f8", "(4, 3)", data));
    arrays.add(npy("<f2", "(8, 6)", data));
    arrays.add(npy("|i1", "(32, 3)", data));
    arrays.add(npy("<f4", "(0, 3)", ""));
    Folder tables(folder, "jsonl/tables");
    tables.add(
        "{\"id\": 1, \"embedding\": [1, 2.5, -3e-2], \"group\": \"a\", \"text\": \"\\u00e9\"}\n"
        "{\"id\": 2, \"embedding\": [1, 0, null], \"group\": null}\n{\"id\": 3, \"group\": true}\n");
    tables.add(
        "{\"embedding\": [0.1], \"group\": 7, \"id\": \"x\"}\n\n{\"embedding\": [0.2, 0.3], \"id\": "
        "\"y\"}\n");
    Folder(folder, "sqlite/rows").add_file(database());
}

void write_value_seeds(const std::string& folder) {
    Folder text(folder, "values_text");
    text.add(lines(groups));
    text.add("a\r\nb\r\n\r\n\xC3\xA9\n");
    Folder csv(folder, "values_csv");
    csv.add("group,text\na,\"x,\"\"y\"\"\"\nb,\n,\"line\nline\"\n");
    csv.add(
        "\xEF\xBB\xBF"
        "group\r\n1\r\n2\r\n1\r\n");
    Folder arrays(folder, "values_npy");
    const std::string_view data = bytes_of(values);
    arrays.add(npy("<i8", "(3,)", data.substr(0, 24)));
    arrays.add(npy("<i4", "(24,)", data));
    arrays.add(npy("|u1", "(96,)", data));
    arrays.add(npy("|b1", "(5,)", data));
    arrays.add(npy("|S4", "(3,)", std::string_view("ab\0\0cdefgh\0\0", 12)));
    arrays.add(npy("<U1", "(3,)", std::string_view("a\0\0\0b\0\0\0a\0\0\0", 12)));
}

void write_part_seeds(const std::string& folder) {
    const std::string path = scratch_path("seed.part");
    write_sample_part(path, 1);
    Folder(folder, "part").add_file(path);
    Folder(folder, "part_sealed").add_file(path);
}

void write_command_seeds(const std::string& folder) {
    Folder options(folder, "options");
    options.add("link\nrows.npy\n-o\nlinks.npz\n-k\n10\n--metric=dot\n--similarity-min-q\n0.5\n--shard\n2/5");
    options.add(
        "link\nrows.parquet\n-o\nout.parquet\n--layout\nlists\n--index\nivf\n--nprobe\n3\n-q\n--force");
    options.add("verify\nrows.npy\nlinks.npz\n--sample\n10\n--recall-min\n0.9\n--json");
    options.add("explain\nrows.npy\n--groups\ngroups.txt\n--measure\n--threads\n2\n--recall-target\n0.99");
    options.add("merge\n1.part\n2.part\n-o\nlinks.db\n--update\n--report\nr.html\n--report\nr.json");
    options.add("convert\na.npz\nb.csv\n--force");
    options.add("inspect\na.db\n--json\n--group\ncollection");
    options.add("completions\nbash");
    options.add("link\n--help");
    Folder params(folder, "params");
    params.add(
        "{\"n_nearest\": 10, \"similarity_min\": 0.5, \"similarity_min_q\": 0.1, \"metric\": \"angular\", "
        "\"seed\": 3, \"n_trees\": 30, \"search_k_mult\": 2}");
    params.add("{\"metric\": \"cosine\"}");
    Folder record(folder, "record");
    record.add(
        "{\"version\": \"0.1.0\", \"metric\": \"angular\", \"mapping\": \"angular\", \"options\": "
        "{\"n_nearest\": 2, "
        "\"similarity_min\": 0.0, \"similarity_min_q\": 0.5, \"quantile_scope\": \"all\", \"metric\": "
        "\"angular\", \"similarity\": \"angular\", \"links\": \"directed\"}, \"rows\": 8, \"links\": 9, "
        "\"cut\": 0.5}");
    record.add("{\"rows\": 1000000000000, \"cut\": null, \"mapping\": \"dot\"}");
    Folder report(folder, "report");
    report.add(
        "noun.food\n<b>&amp;\"'</b>\n\xE2\x80\xAE"
        "x\n\n");
    report.add("a\n");
}

}  // namespace

const Table& sample_table() {
    static const Table table = [] {
        Table made(nullptr, matrix_view(values, 3), {}, {});
        std::vector<std::string_view> keys(groups.begin(), groups.end());
        made.groups = encode_groups(keys);
        StringColumn names;
        for (const char* const id : ids) names.push_back(id);
        made.ids = std::move(names);
        return made;
    }();
    return table;
}

std::string sample_links() {
    const std::string path = scratch_path("sample.npz");
    const Source source;
    write_links({.path = path, .force = true}, source.input(), sample_table(),
                links_of(sample_table(), LinkMode::directed));
    return read_file(path);
}

void write_sample_part(const std::string& path, std::int64_t index) {
    const Source source;
    const Table& table = sample_table();
    const LinkPart part = link_part(table.vectors, table.groups, {.index = index, .count = 2},
                                    {.n_nearest = 2, .links = LinkMode::symmetric});
    write_part({.path = path, .force = true}, source.input(), table, part);
}

void write_seeds(const std::string& folder) {
    write_link_seeds(folder);
    write_row_seeds(folder);
    write_value_seeds(folder);
    write_part_seeds(folder);
    write_command_seeds(folder);
}

}  // namespace fuzz
