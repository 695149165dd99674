// Parts of a sharded job: read, and merged with the other share of their job.

#include "rows/hash.hpp"
#include "samples.hpp"
#include "target.hpp"

#include <grouplink/io.hpp>
#include <grouplink/part.hpp>

#include <cstring>
#include <string>
#include <vector>

using namespace grouplink;

namespace fuzz {
namespace {

/// The file with a checksum that fits what it holds, where there is room for one.
std::string sealed(std::string_view bytes) {
    constexpr std::size_t sections = 6;
    constexpr std::size_t at_sizes = 16;
    constexpr std::size_t at_checksum = at_sizes + 8 * sections;
    std::string file(bytes);
    if (file.size() < at_checksum + 8) return file;
    std::uint64_t sizes[sections];
    std::memcpy(sizes, file.data() + at_sizes, sizeof sizes);
    std::uint64_t hash = 0;
    for (const std::uint64_t size : sizes) hash = hash_pair(hash, size);
    std::size_t at = at_checksum + 8;
    for (const std::uint64_t size : sizes) {
        if (at > file.size() || size > file.size() - at) return file;
        if (size > 0) hash = hash_pair(hash, hash_bytes(std::string_view(file).substr(at, size)));
        at += (size + 7) / 8 * 8;
    }
    std::memcpy(file.data() + at_checksum, &hash, sizeof hash);
    return file;
}

void use_part(std::string_view bytes) {
    const std::string path = scratch_path("1.part");
    write_scratch(path, bytes);
    (void)accepted([&] { (void)inspect_file(path); });
    PartFile file;
    if (!accepted([&] { file = read_part(path); })) return;
    std::uint64_t sum = 0;
    for (const std::int64_t row : file.part.rows) sum += static_cast<std::uint64_t>(row);
    for (const std::int64_t target : file.part.targets) sum += static_cast<std::uint64_t>(target);
    const Table& table = sample_table();
    (void)accepted([&] { check_part_table(file.part, table, "rows.npy"); });
    // With the second share as it should be, and as if it were the whole of its job.
    static const LinkPart second = [] {
        const std::string other = scratch_path("2.part");
        write_sample_part(other, 2);
        return read_part(other).part;
    }();
    for (const bool alone : {false, true}) {
        std::vector<LinkPart> parts{file.part};
        if (!alone) parts.push_back(second);
        LinkResult result;
        if (!accepted([&] { result = merge_parts(parts, 1); })) continue;
        require(result.graph.rows() == file.part.report.rows, "not a list of links for each row");
        for (const std::int64_t target : result.graph.targets) {
            require(target >= 0 && target < result.graph.rows(), "a link to no row");
        }
        require(!to_json(result.report).empty(), "no report");
    }
    require(sum != 1 || !bytes.empty(), "");  // the sum is of use: nothing of it may be left out
}

}  // namespace

void fuzz_part(std::string_view bytes) { use_part(bytes); }
void fuzz_part_sealed(std::string_view bytes) { use_part(sealed(bytes)); }

}  // namespace fuzz
