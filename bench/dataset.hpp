#pragma once

#include <grouplink/io.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bench {

/// Rows to link, from a file or made up. `vectors` points into what `table` or `storage` holds.
struct Dataset {
    std::string name;
    grouplink::MatrixView vectors;
    grouplink::GroupColumn groups;
    std::optional<grouplink::Table> table;
    std::vector<std::uint16_t> storage;  ///< float16 components of synthetic rows

    /// Rows by group: group g holds rows[offsets[g] .. offsets[g + 1]), in order of row.
    std::vector<std::int64_t> offsets;
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> by_size;  ///< groups, largest first

    std::int64_t group_count() const { return static_cast<std::int64_t>(groups.keys.size()); }
    std::span<const std::int64_t> group_rows(std::int64_t group) const {
        const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(group)]);
        const auto last = static_cast<std::size_t>(offsets[static_cast<std::size_t>(group) + 1]);
        return std::span(rows).subspan(first, last - first);
    }
};

struct DatasetSpec {
    std::string
        data;  ///< wordnet, tiny, skewed, lopsided, clustered, hard, or the path of a .parquet or .npy
    std::string data_dir;         ///< of wordnet-384.f16.npy and wordnet.tsv
    std::string group = "group";  ///< column of a table
    std::string groups_file;      ///< beside a .npy file, as InputSpec has it
    bool one_group = false;
    std::int64_t rows = 100'000;    ///< of skewed, lopsided (its large group), clustered and hard
    std::int64_t groups = 100'000;  ///< of tiny; skewed has a hundredth of it
    std::int64_t dim = 384;
    std::uint64_t seed = 0;
};

/// Throws grouplink::Error, also for an unknown name.
Dataset load_dataset(const DatasetSpec& spec);

/// Writes PREFIX.npy and PREFIX.groups.npy, for programs that read files.
void export_dataset(const Dataset& data, const std::string& prefix);

/// Fills `offsets`, `rows` and `by_size` from `groups`.
void sort_rows(Dataset& data);

/// Component by component as float32. The element type is float16, float32 or float64.
void widen_row(const grouplink::MatrixView& vectors, std::int64_t row, float* out);

/// The rows of a group as float32, one after another; of length 1 with `normalise`.
std::vector<float> gather(const Dataset& data, std::int64_t group, bool normalise);

}  // namespace bench
