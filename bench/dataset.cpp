#include "dataset.hpp"

#include "synthetic.hpp"

#include <grouplink/error.hpp>

#if defined(__F16C__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>

namespace bench {
namespace {

float half_to_float(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    const std::uint32_t rest = static_cast<std::uint32_t>(half & 0x7fffu) << 13;
    // The exponent is rebiased by a multiplication, which takes care of subnormals too.
    const float magnitude = std::bit_cast<float>(rest) * 0x1p112F;
    const std::uint32_t special = (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | special | sign);
}

void widen_half(const std::uint16_t* in, std::int64_t count, float* out) {
    std::int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= count; i += 8) {
        __m128i eight;
        std::memcpy(&eight, in + i, sizeof eight);
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(eight));
    }
#endif
    for (; i < count; ++i) out[i] = half_to_float(in[i]);
}

Dataset from_table(std::string name, const grouplink::InputSpec& input) {
    Dataset data;
    data.name = std::move(name);
    data.table.emplace(grouplink::read_table(input));
    data.vectors = data.table->vectors;
    data.groups = data.table->groups;
    return data;
}

Dataset load(const DatasetSpec& spec) {
    if (spec.data == "tiny") return tiny_groups(spec.groups, spec.dim, spec.seed);
    if (spec.data == "even") return even_groups(spec.rows, spec.groups, spec.dim, spec.seed);
    if (spec.data == "skewed")
        return skewed_groups(spec.rows, std::max<std::int64_t>(spec.groups / 100, 1), spec.dim, spec.seed);
    if (spec.data == "lopsided") return lopsided_groups(spec.rows, spec.dim, spec.seed);
    if (spec.data == "clustered") return clustered_rows(spec.rows, spec.dim, spec.seed);
    if (spec.data == "hard") return hard_rows(spec.rows, spec.dim, spec.seed);
    if (spec.data == "wordnet") {
        if (spec.data_dir.empty())
            throw grouplink::Error(grouplink::ErrorCode::bad_input,
                                   "wordnet: no folder given; set --data-dir or GROUPLINK_BENCH_DATA to "
                                   "the one that holds wordnet-384.f16.npy and wordnet.tsv");
        grouplink::InputSpec input;
        input.path = spec.data_dir + "/wordnet-384.f16.npy";
        input.groups_file = spec.data_dir + "/wordnet.tsv:group";
        return from_table("wordnet", input);
    }
    grouplink::InputSpec input;
    input.path = spec.data;
    if (spec.groups_file.empty() && !spec.one_group) input.group = spec.group;
    input.groups_file = spec.groups_file;
    return from_table(spec.data.substr(spec.data.find_last_of('/') + 1), input);
}

}  // namespace

void sort_rows(Dataset& data) {
    const auto groups = static_cast<std::size_t>(data.group_count());
    data.offsets.assign(groups + 1, 0);
    for (const auto code : data.groups.codes)
        if (code >= 0) ++data.offsets[static_cast<std::size_t>(code) + 1];
    std::partial_sum(data.offsets.begin(), data.offsets.end(), data.offsets.begin());
    data.rows.resize(static_cast<std::size_t>(data.offsets.back()));
    std::vector<std::int64_t> next(data.offsets.begin(), data.offsets.end() - 1);
    for (std::size_t row = 0; row < data.groups.codes.size(); ++row) {
        const auto code = data.groups.codes[row];
        if (code < 0) continue;
        auto& place = next[static_cast<std::size_t>(code)];
        data.rows[static_cast<std::size_t>(place++)] = static_cast<std::int64_t>(row);
    }
    data.by_size.resize(groups);
    std::iota(data.by_size.begin(), data.by_size.end(), 0);
    std::stable_sort(data.by_size.begin(), data.by_size.end(), [&](std::int64_t a, std::int64_t b) {
        return data.group_rows(a).size() > data.group_rows(b).size();
    });
}

Dataset load_dataset(const DatasetSpec& spec) {
    Dataset data = load(spec);
    if (data.vectors.offsets || data.vectors.valid || data.vectors.type == grouplink::ElementType::int8)
        throw grouplink::Error(grouplink::ErrorCode::bad_input,
                               spec.data +
                                   ": the benchmarks take dense rows of float16, float32 or "
                                   "float64, all of one length; link it with the command instead");
    if (spec.one_group) data.groups = grouplink::single_group(data.vectors.rows);
    sort_rows(data);
    return data;
}

void export_dataset(const Dataset& data, const std::string& prefix) {
    const auto write = [](const std::string& path, const char* type, const std::string& shape,
                          const void* values, std::size_t bytes) {
        std::string header =
            std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
        header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
        header += '\n';
        const auto size = static_cast<std::uint16_t>(header.size());
        std::ofstream file(path, std::ios::binary);
        file.write("\x93NUMPY\x01\x00", 8);
        file.put(static_cast<char>(size & 0xffu)).put(static_cast<char>(size >> 8));
        file << header;
        file.write(static_cast<const char*>(values), static_cast<std::streamsize>(bytes));
        if (!file.flush()) throw grouplink::Error(grouplink::ErrorCode::io, path + ": cannot be written");
    };
    const auto rows = std::to_string(data.vectors.rows);
    const char* type = data.vectors.type == grouplink::ElementType::float16   ? "<f2"
                       : data.vectors.type == grouplink::ElementType::float32 ? "<f4"
                                                                              : "<f8";
    write(prefix + ".npy", type, rows + ", " + std::to_string(data.vectors.dim), data.vectors.values,
          static_cast<std::size_t>(data.vectors.rows * data.vectors.dim) * element_size(data.vectors.type));
    write(prefix + ".groups.npy", "<i4", rows + ",", data.groups.codes.data(),
          data.groups.codes.size() * sizeof(std::int32_t));
}

void widen_row(const grouplink::MatrixView& vectors, std::int64_t row, float* out) {
    const void* from = vectors.row(row);
    switch (vectors.type) {
        case grouplink::ElementType::float16:
            widen_half(static_cast<const std::uint16_t*>(from), vectors.dim, out);
            return;
        case grouplink::ElementType::float32:
            std::copy_n(static_cast<const float*>(from), vectors.dim, out);
            return;
        case grouplink::ElementType::float64:
            std::transform(static_cast<const double*>(from), static_cast<const double*>(from) + vectors.dim,
                           out, [](double value) { return static_cast<float>(value); });
            return;
        case grouplink::ElementType::int8: break;
    }
    throw grouplink::Error(grouplink::ErrorCode::internal, "widen_row: element type int8");
}

std::vector<float> gather(const Dataset& data, std::int64_t group, bool normalise) {
    const auto rows = data.group_rows(group);
    const auto dim = static_cast<std::size_t>(data.vectors.dim);
    std::vector<float> out(rows.size() * dim);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        float* row = out.data() + i * dim;
        widen_row(data.vectors, rows[i], row);
        if (!normalise) continue;
        float squares = 0.0F;
#pragma omp simd reduction(+ : squares)
        for (std::size_t j = 0; j < dim; ++j) squares += row[j] * row[j];
        const float scale = squares > 0.0F ? 1.0F / std::sqrt(squares) : 0.0F;
        for (std::size_t j = 0; j < dim; ++j) row[j] *= scale;
    }
    return out;
}

}  // namespace bench
