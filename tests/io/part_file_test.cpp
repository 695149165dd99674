// Parts in files: written, read back, and broken in every way.

#include "io/outputs.hpp"

#include "rows/hash.hpp"

#include <grouplink/part.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using namespace grouplink;
using namespace grouplink::test;

namespace {

const std::vector<float> values{1, 0, 0.9F, 0.1F, 0, 1, 1, 0.05F, 0.8F, 0.6F, 0, 0};

Table table_of(IdColumn ids = {}) {
    return {nullptr,
            matrix_view(values, 2),
            {.codes = {0, 0, 0, 1, 1, 1}, .keys = {"a", std::string("b\0\xff", 3)}},
            std::move(ids)};
}

LinkPart part_of(const Table& table, std::int64_t index, std::int64_t count) {
    return link_part(
        table.vectors, table.groups, {.index = index, .count = count},
        {.n_nearest = 2, .similarity_min = 0.1, .on_bad_row = BadRowPolicy::drop, .seed = ~0ULL});
}

/// The file with a checksum that fits what it holds: what no accident makes.
std::string sealed(std::string bytes) {
    constexpr std::size_t sections = 6;
    std::uint64_t sizes[sections];
    std::memcpy(sizes, bytes.data() + 16, sizeof sizes);
    std::uint64_t hash = 0;
    for (const std::uint64_t size : sizes) hash = hash_pair(hash, size);
    std::size_t at = 16 + sizeof sizes + 8;
    for (const std::uint64_t size : sizes) {
        if (size > bytes.size() || at > bytes.size() - size) return bytes;
        if (size > 0) hash = hash_pair(hash, hash_bytes(std::string_view(bytes).substr(at, size)));
        at += (size + 7) / 8 * 8;
    }
    std::memcpy(bytes.data() + 16 + sizeof sizes, &hash, sizeof hash);
    return bytes;
}

}  // namespace

TEST_CASE("a part comes back as it was") {
    const Folder folder;
    const Table table = table_of(texts({"p", "q", "r", "s", "t", "u"}));
    const InputSpec input{.path = "rows.parquet", .embedding = "e", .group = "g", .id = "i"};
    std::vector<LinkPart> read_parts;
    std::vector<LinkPart> parts;
    for (std::int64_t index = 1; index <= 3; ++index) {
        const std::string path = folder / (std::to_string(index) + ".part");
        const LinkPart part = part_of(table, index, 3);
        write_part({.path = path}, input, table, part);
        const PartFile file = read_part(path);
        CHECK(file.input.path == "rows.parquet");
        CHECK(file.input.embedding == "e");
        CHECK(file.input.group == "g");
        CHECK(file.input.id == "i");
        CHECK(file.part.name == path);
        CHECK(file.part.report.shard == Shard{.index = index, .count = 3});
        CHECK(file.part.report.options.seed == ~0ULL);
        CHECK(file.part.report.options.similarity_min == 0.1);
        CHECK(file.part.input.vectors == part.input.vectors);
        CHECK(file.part.input.ids != 0);
        CHECK(std::vector(file.part.targets.begin(), file.part.targets.end()) ==
              std::vector(part.targets.begin(), part.targets.end()));
        CHECK_NOTHROW(check_part_table(file.part, table, "rows.parquet"));
        // The same part is the same bytes.
        write_part({.path = path + ".part"}, input, table, part_of(table, index, 3));
        CHECK(read(path) == read(path + ".part"));
        read_parts.push_back(file.part);
        parts.push_back(part);
    }
    const LinkResult merged = merge_parts(read_parts);
    const LinkResult direct = merge_parts(parts);
    CHECK(merged.graph.targets == direct.graph.targets);
    CHECK(merged.graph.weights == direct.graph.weights);
    CHECK(merged.report.groups[1].key == direct.report.groups[1].key);
    CHECK(merged.row_status[5] == RowStatus::zero_norm);
}

TEST_CASE("what inspect shows of a part") {
    const Folder folder;
    const Table table = table_of();
    write_part({.path = folder / "a.part"}, {.path = "rows.npy"}, table, part_of(table, 2, 2));
    const FileInfo info = inspect_file(folder / "a.part");
    CHECK(info.format == "part");
    CHECK(info.bytes > 0);
    std::string shown;
    for (const auto& [key, value] : info.metadata) shown += key + "=" + value + "\n";
    CHECK(shown.find("shard=2\nshards=2\nrows=6\ngroups=2\ninput.path=rows.npy\n") != std::string::npos);
    CHECK(shown.find("options.n_nearest=2\n") != std::string::npos);
}

TEST_CASE("another table is not the one that a part was linked from") {
    const Folder folder;
    const Table table = table_of(std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
    const std::string path = folder / "a.part";
    write_part({.path = path}, {.path = "rows.npy"}, table, part_of(table, 1, 1));
    const LinkPart part = read_part(path).part;
    const auto refused = [&](const Table& other) {
        return error_of([&] { check_part_table(part, other, "rows.npy"); });
    };
    CHECK(refused(table_of(std::vector<std::int64_t>{1, 2, 3, 4, 5, 7})).second ==
          "rows.npy: has other ids than " + path +
              " was linked from; name the input of that job with --input, or link all shares anew");
    CHECK(refused(table_of()).second.find("other ids") != std::string::npos);
    Table groups = table_of(table.ids);
    groups.groups.codes[0] = 1;
    CHECK(refused(groups).second.find("other groups") != std::string::npos);
    Table vectors = table_of(table.ids);
    vectors.vectors.values = values.data() + 1;
    vectors.vectors.rows = 5;
    CHECK(refused(vectors).second.find("other rows") != std::string::npos);
    const std::vector<float> changed{1, 0, 0.9F, 0.1F, 0, 1, 1, 0.05F, 0.8F, 0.6F, 0, 0.5F};
    vectors.vectors = matrix_view(changed, 2);
    CHECK(refused(vectors).first == ErrorCode::bad_input);
    CHECK(refused(vectors).second.find("other vectors") != std::string::npos);
}

TEST_CASE("where a part may go") {
    const Folder folder;
    const auto refused = [&](const std::string& path, bool force = false) {
        return error_of(
            [&] { check_part_output({.path = path, .force = force}, {.path = folder / "rows.npy"}); });
    };
    CHECK(refused(folder / "a.parquet").second ==
          (folder / "a.parquet") + ": a share is written to a .part, got \".parquet\"");
    CHECK(refused(folder / "a").second ==
          (folder / "a") + ": a share is written to a .part, got no extension");
    put(folder / "a.part", "");
    CHECK(refused(folder / "a.part").first == ErrorCode::io);
    CHECK(refused(folder / "a.part", true).second == "no error");
    CHECK(refused(folder / "no/a.part").first == ErrorCode::io);
    CHECK(error_of([&] { check_output({.path = folder / "b.part"}, {}); }).first ==
          ErrorCode::invalid_options);
}

TEST_CASE("a part cut short anywhere, or with any byte changed, is refused or the same") {
    const Folder folder;
    const Table table = table_of(texts({"p", "q", "r", "s", "t", "u"}));
    const std::string path = folder / "a.part";
    write_part({.path = path}, {.path = "rows.npy"}, table, part_of(table, 1, 1));
    const std::string whole = read(path);
    const LinkResult result = merge_parts(std::vector{read_part(path).part});
    const std::string broken = folder / "b.part";
    const auto outcome = [&](const std::string& bytes) -> std::string {
        put(broken, bytes);
        const auto [code, text] = error_of([&] {
            const LinkResult merged = merge_parts(std::vector{read_part(broken).part});
            CHECK(merged.graph.targets == result.graph.targets);
            CHECK(merged.graph.weights == result.graph.weights);
        });
        if (text != "no error") {
            CHECK(code == ErrorCode::bad_input);
            CHECK(text.starts_with(broken));
            CHECK(text.find('\n') == std::string::npos);
        }
        return text;
    };
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(outcome(whole.substr(0, size)) != "no error");
    CHECK(outcome(whole + "more") != "no error");
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const int flip : {1, 0x80, 0xff}) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ flip);
            outcome(bytes);
        }
    }
    CHECK(outcome("GIF89a") == broken + ": is not a part; link --shard writes parts");
    std::string later = whole;
    later[8] = 2;
    CHECK(outcome(later) == broken +
                                ": is a part of format 2, this version of grouplink reads format 1; merge "
                                "with the version that linked");
    std::string flipped = whole;
    flipped[whole.size() - 20] ^= 1;
    CHECK(outcome(flipped) == broken + ": is broken: its checksum does not fit; link its share anew");
}

TEST_CASE("a part whose checksum fits nonsense is refused or harmless") {
    const Folder folder;
    const Table table = table_of();
    const std::string path = folder / "a.part";
    write_part({.path = path}, {.path = "rows.npy"}, table, part_of(table, 1, 1));
    const std::string whole = read(path);
    CHECK(sealed(whole) == whole);
    const auto outcome = [&](const std::string& bytes) {
        put(path, sealed(bytes));
        const auto [code, text] = error_of([&] { merge_parts(std::vector{read_part(path).part}); });
        CHECK((text == "no error" || code == ErrorCode::bad_input));
        return text;
    };
    for (std::size_t at = 8; at < whole.size(); ++at) {
        for (const int change : {1, 0x10, 0x80, 0xff}) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ change);
            outcome(bytes);
        }
    }
    // Sizes that nothing backs.
    for (std::size_t section = 0; section < 6; ++section) {
        for (const std::uint64_t size : {~0ULL, 1ULL << 40, 1ULL << 63, 0ULL}) {
            std::string bytes = whole;
            std::memcpy(bytes.data() + 16 + section * 8, &size, sizeof size);
            CHECK(outcome(bytes) != "no error");
        }
    }
    const auto said = [&](std::string_view from, std::string_view to) {
        std::string bytes = whole;
        const std::size_t at = bytes.find(from);
        REQUIRE(at != std::string::npos);
        REQUIRE(from.size() == to.size());
        return outcome(bytes.replace(at, from.size(), to));
    };
    CHECK(said("\"rows\":6", "\"rows\":9").find("a.part") != std::string::npos);
    CHECK(said("\"groups\":2", "\"groups\":9") != "no error");
    CHECK(said("\"shards\":1", "\"shards\":0").find("is broken: shard: got 0 shares") != std::string::npos);
    CHECK(said("\"n_nearest\":2", "\"n_nearest\":0").find("is broken: n_nearest") != std::string::npos);
    CHECK(said("\"angular\"", "\"angulor\"").find("no metric") != std::string::npos);
    CHECK(said("{\"version\"", "[\"version\"").find("manifest") != std::string::npos);
}
