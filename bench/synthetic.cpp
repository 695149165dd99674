#include "synthetic.hpp"

#include "harness.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <thread>
#include <utility>

namespace bench {
namespace {

std::uint64_t mixed(std::uint64_t value) {  // the finaliser of splitmix64
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

/// A stream of numbers that are near-normal, of variance 1: sums of four uniform ones.
class Normal {
public:
    Normal(std::uint64_t seed, std::uint64_t stream) : state_(mixed(seed ^ mixed(stream))) {}

    float next() {
        const std::uint64_t bits = mixed(state_++);
        const auto sum =
            (bits & 0xffffu) + ((bits >> 16) & 0xffffu) + ((bits >> 32) & 0xffffu) + (bits >> 48);
        return (static_cast<float>(sum) - 131070.0F) * (1.7320508F / 65536.0F);
    }

private:
    std::uint64_t state_;
};

/// Rounded to nearest, ties to even; for magnitudes that float16 holds as normal numbers, else 0.
std::uint16_t to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (bits >> 16) & 0x8000u;
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude < 0x38800000u) return static_cast<std::uint16_t>(sign);
    const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | ((rounded >> 13) - (112u << 10)));
}

/// Sets the vectors: `make(row, out)` gives the components of one.
template <class Make>
void fill_rows(Dataset& data, std::int64_t rows, std::int64_t dim, const Make& make) {
    data.storage.resize(static_cast<std::size_t>(rows * dim));
    const std::int64_t block = 1024;
    for_each((rows + block - 1) / block, static_cast<int>(std::thread::hardware_concurrency()),
             [&](std::int64_t part) {
                 for (std::int64_t row = part * block; row < std::min((part + 1) * block, rows); ++row)
                     make(row, data.storage.data() + row * dim);
             });
    data.vectors = {
        .values = data.storage.data(), .type = grouplink::ElementType::float16, .rows = rows, .dim = dim};
}

constexpr float group_share = 0.4F;
constexpr float cluster_share = 0.7F;
constexpr float row_share = 0.6F;

/// `place(row)` gives the row's group and its cluster, both numbered over the whole data.
template <class Place>
void fill(Dataset& data, std::int64_t rows, std::int64_t dim, std::uint64_t seed, const Place& place) {
    fill_rows(data, rows, dim, [&](std::int64_t row, std::uint16_t* out) {
        const auto [group, cluster] = place(row);
        // Streams apart: groups, clusters and rows are told by the two lowest bits.
        Normal group_centre(seed, static_cast<std::uint64_t>(group) * 4);
        Normal cluster_centre(seed, static_cast<std::uint64_t>(cluster) * 4 + 1);
        Normal noise(seed, static_cast<std::uint64_t>(row) * 4 + 2);
        for (std::int64_t i = 0; i < dim; ++i)
            out[i] = to_half(group_share * group_centre.next() + cluster_share * cluster_centre.next() +
                             row_share * noise.next());
    });
}

void name_groups(Dataset& data, std::int64_t groups) {
    data.groups.keys.reserve(static_cast<std::size_t>(groups));
    for (std::int64_t group = 0; group < groups; ++group) data.groups.keys.push_back(std::to_string(group));
}

/// Sets the vectors of rows whose groups are known: some 50 rows a cluster.
void fill_clusters(Dataset& data, std::int64_t dim, std::uint64_t seed) {
    const auto& codes = data.groups.codes;
    std::vector<std::int64_t> sizes(data.groups.keys.size(), 0);
    for (const auto code : codes) ++sizes[static_cast<std::size_t>(code)];
    fill(data, static_cast<std::int64_t>(codes.size()), dim, seed, [&](std::int64_t row) {
        const std::int64_t group = codes[static_cast<std::size_t>(row)];
        const auto clusters = static_cast<std::uint64_t>(sizes[static_cast<std::size_t>(group)] / 50 + 1);
        const auto cluster = mixed(seed + 1 + static_cast<std::uint64_t>(row)) % clusters;
        return std::pair{group, (group << 32) + static_cast<std::int64_t>(cluster)};
    });
}

}  // namespace

Dataset tiny_groups(std::int64_t groups, std::int64_t dim, std::uint64_t seed) {
    Dataset data;
    data.name = "tiny";
    name_groups(data, groups);
    for (std::int64_t group = 0; group < groups; ++group) {
        const auto size = 5 + mixed(seed ^ static_cast<std::uint64_t>(group)) % 46;
        data.groups.codes.insert(data.groups.codes.end(), size, static_cast<std::int32_t>(group));
    }
    const auto& codes = data.groups.codes;
    fill(data, static_cast<std::int64_t>(codes.size()), dim, seed, [&](std::int64_t row) {
        const std::int64_t group = codes[static_cast<std::size_t>(row)];
        return std::pair{group, group};
    });
    return data;
}

Dataset even_groups(std::int64_t rows, std::int64_t groups, std::int64_t dim, std::uint64_t seed) {
    groups = std::min(groups, rows);
    Dataset data;
    data.name = "even";
    name_groups(data, groups);
    for (std::int64_t row = 0; row < rows; ++row)
        data.groups.codes.push_back(static_cast<std::int32_t>(row % groups));
    fill_clusters(data, dim, seed);
    return data;
}

Dataset skewed_groups(std::int64_t rows, std::int64_t groups, std::int64_t dim, std::uint64_t seed) {
    groups = std::min(groups, rows);
    Dataset data;
    data.name = "skewed";
    double harmonic = 0.0;
    for (std::int64_t rank = 1; rank <= groups; ++rank) harmonic += 1.0 / static_cast<double>(rank);

    std::vector<std::int32_t> sorted;
    sorted.reserve(static_cast<std::size_t>(rows));
    for (std::int64_t group = 0; group < groups; ++group) {
        const double share = static_cast<double>(rows) / harmonic / static_cast<double>(group + 1);
        const auto left = rows - static_cast<std::int64_t>(sorted.size());
        const auto size = std::clamp<std::int64_t>(std::llround(share), 1, left - (groups - 1 - group));
        sorted.insert(sorted.end(), static_cast<std::size_t>(group + 1 == groups ? left : size),
                      static_cast<std::int32_t>(group));
    }
    // A multiplication by a number prime to the count visits every place once.
    auto stride = static_cast<std::uint64_t>(static_cast<double>(rows) * 0.6180339887) | 1u;
    while (std::gcd(stride, static_cast<std::uint64_t>(rows)) != 1) stride += 2;
    auto& codes = data.groups.codes;
    codes.resize(sorted.size());
    std::uint64_t place = 0;
    for (const auto code : sorted) {
        codes[static_cast<std::size_t>(place)] = code;
        place = (place + stride) % static_cast<std::uint64_t>(rows);
    }
    // Codes count from the first row on, as in a column that was read.
    std::vector<std::int32_t> renamed(static_cast<std::size_t>(groups), -1);
    std::int32_t seen = 0;
    for (auto& code : codes) {
        auto& now = renamed[static_cast<std::size_t>(code)];
        if (now < 0) now = seen++;
        code = now;
    }
    name_groups(data, groups);
    fill_clusters(data, dim, seed);
    return data;
}

Dataset lopsided_groups(std::int64_t rows, std::int64_t dim, std::uint64_t seed) {
    constexpr std::int32_t small_groups = 40;
    Dataset data;
    data.name = "lopsided";
    name_groups(data, small_groups + 1);
    data.groups.codes.assign(static_cast<std::size_t>(rows), 0);
    for (std::int32_t group = 1; group <= small_groups; ++group) {
        const auto size = 20 + mixed(seed ^ static_cast<std::uint64_t>(group)) % 381;
        data.groups.codes.insert(data.groups.codes.end(), size, group);
    }
    fill_clusters(data, dim, seed);
    return data;
}

Dataset clustered_rows(std::int64_t rows, std::int64_t dim, std::uint64_t seed) {
    constexpr std::int64_t topics = 256;
    constexpr std::int64_t clusters = 8192;
    constexpr std::int64_t directions = 1024;  // of which each topic has some, as its own subspace
    constexpr std::int64_t spread = 48;
    constexpr float topic_share = 0.5F;
    constexpr float between_share = 0.4F;
    constexpr float within_share = 0.6F;
    constexpr float noise_share = 0.15F;

    const auto table = [&](std::int64_t count, std::uint64_t kind) {
        std::vector<float> values(static_cast<std::size_t>(count * dim));
        for (std::int64_t i = 0; i < count; ++i) {
            Normal stream(seed, static_cast<std::uint64_t>(i) * 4 + kind);
            for (std::int64_t j = 0; j < dim; ++j)
                values[static_cast<std::size_t>(i * dim + j)] = stream.next();
        }
        return values;
    };
    const std::vector<float> centres = table(topics, 0);
    const std::vector<float> pool = table(directions, 1);
    // Of the directions' standard deviations, which fall; the squares add up to 1.
    std::vector<float> scales(static_cast<std::size_t>(spread));
    float squares = 0.0F;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        scales[i] = 1.0F / std::sqrt(16.0F + static_cast<float>(i));
        squares += scales[i] * scales[i];
    }
    for (float& scale : scales) scale /= std::sqrt(squares);

    Dataset data;
    data.name = "clustered";
    data.groups = grouplink::single_group(rows);
    fill_rows(data, rows, dim, [&](std::int64_t row, std::uint16_t* out) {
        Normal stream(seed, static_cast<std::uint64_t>(row) * 4 + 2);
        const auto draw = mixed(seed ^ mixed(static_cast<std::uint64_t>(row)));
        const double share = static_cast<double>(draw >> 11) * 0x1p-53;
        // The square makes a cluster's size fall as the root of its rank.
        const auto cluster = static_cast<std::uint64_t>(share * share * static_cast<double>(clusters));
        const auto topic = mixed(cluster) % static_cast<std::uint64_t>(topics);
        Normal centre(seed, cluster * 4 + 3);
        const float* from = centres.data() + static_cast<std::int64_t>(topic) * dim;
        std::vector<float> sum(static_cast<std::size_t>(dim));
        for (std::size_t j = 0; j < sum.size(); ++j) sum[j] = topic_share * from[j];
        for (std::size_t i = 0; i < scales.size(); ++i) {
            const auto direction =
                mixed(~(topic * scales.size() + i)) % static_cast<std::uint64_t>(directions);
            const float* along = pool.data() + static_cast<std::int64_t>(direction) * dim;
            const float length = scales[i] * (between_share * centre.next() + within_share * stream.next());
            for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += length * along[j];
        }
        for (std::size_t j = 0; j < sum.size(); ++j) out[j] = to_half(sum[j] + noise_share * stream.next());
    });
    return data;
}

Dataset hard_rows(std::int64_t rows, std::int64_t dim, std::uint64_t seed) {
    std::vector<float> scales;
    for (std::int64_t i = 0; i < dim; ++i) scales.push_back(std::pow(static_cast<float>(i + 1), -0.25F));
    Dataset data;
    data.name = "hard";
    data.groups = grouplink::single_group(rows);
    fill_rows(data, rows, dim, [&](std::int64_t row, std::uint16_t* out) {
        Normal stream(seed, static_cast<std::uint64_t>(row));
        for (std::int64_t i = 0; i < dim; ++i)
            out[i] = to_half(scales[static_cast<std::size_t>(i)] * stream.next());
    });
    return data;
}

}  // namespace bench
