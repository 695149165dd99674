#include "io/npz.hpp"

#include "io/metadata.hpp"
#include "io/ticker.hpp"
#include "io/zip_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace grouplink::io {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

constexpr std::size_t values_a_step = std::size_t{1} << 16;

template <typename Value>
std::string_view bytes_of(std::span<const Value> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

template <typename Value>
constexpr std::string_view descr_of() {
    if constexpr (std::is_same_v<Value, float>) return "<f4";
    if constexpr (std::is_same_v<Value, std::int32_t>) return "<i4";
    if constexpr (std::is_same_v<Value, std::int64_t>) return "<i8";
    return "";
}

class NpzWriter {
public:
    NpzWriter(AtomicFile& file, std::int64_t values, const JobControl& control, std::uint64_t zip64_from)
        : zip_(file, zip64_from), ticker_(control, "write", values, "values") {}

    /// A one-dimensional array of the values as `Stored`.
    template <typename Stored, typename Value>
    void array(std::string_view name, std::span<const Value> values) {
        const std::string header = npy_header(descr_of<Stored>(), fmt::format("({},)", values.size()));
        begin(name, header, values.size() * sizeof(Stored));
        std::vector<Stored> converted;
        for (std::size_t first = 0; first < values.size(); first += values_a_step) {
            const auto step = values.subspan(first, std::min(values_a_step, values.size() - first));
            if constexpr (std::is_same_v<Stored, Value>) {
                zip_.write(bytes_of(step));
            } else {
                converted.resize(step.size());
                std::transform(step.begin(), step.end(), converted.begin(),
                               [](Value value) { return static_cast<Stored>(value); });
                zip_.write(bytes_of(std::span<const Stored>(converted)));
            }
            done_ += static_cast<std::int64_t>(step.size());
            ticker_.at(done_);
        }
        zip_.end();
    }

    /// A single value of the type `descr`.
    void scalar(std::string_view name, std::string_view descr, std::string_view bytes) {
        begin(name, npy_header(descr, "()"), bytes.size());
        zip_.write(bytes);
        zip_.end();
    }

    void finish() { zip_.finish(); }

private:
    void begin(std::string_view name, std::string_view header, std::size_t bytes) {
        zip_.begin(fmt::format("{}.npy", name), header.size() + bytes);
        zip_.write(header);
    }

    ZipWriter zip_;
    Ticker ticker_;
    std::int64_t done_ = 0;
};

}  // namespace

std::string npy_header(std::string_view descr, std::string_view shape) {
    constexpr std::size_t prefix_bytes = 10;
    constexpr std::size_t alignment = 64;
    std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr, shape);
    const std::size_t used = prefix_bytes + text.size() + 1;
    text.append((alignment - used % alignment) % alignment, ' ');
    text += '\n';
    std::string header = "\x93NUMPY";
    header += {'\x01', '\x00', static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
    return header + text;
}

void write_npz(AtomicFile& file, const LinksOut& links, const JobControl& control, std::uint64_t zip64_from) {
    const CsrGraph& graph = links.graph;
    const std::span<const std::int64_t> targets(graph.targets);
    // A graph of no rows may come without offsets.
    static constexpr std::array<std::int64_t, 1> no_rows{0};
    const std::span<const std::int64_t> offsets =
        graph.offsets.empty() ? std::span<const std::int64_t>(no_rows) : graph.offsets;
    NpzWriter npz(file, 2 * graph.links() + graph.rows() + 1, control, zip64_from);
    if (std::max(graph.rows(), graph.links()) <= std::numeric_limits<std::int32_t>::max()) {
        npz.array<std::int32_t>("indices", targets);
        npz.array<std::int32_t>("indptr", offsets);
    } else {
        npz.array<std::int64_t>("indices", targets);
        npz.array<std::int64_t>("indptr", offsets);
    }
    npz.scalar("format", "|S3", "csr");
    const std::array<std::int64_t, 2> shape{graph.rows(), graph.rows()};
    npz.array<std::int64_t>("shape", std::span<const std::int64_t>(shape));
    npz.array<float>("data", std::span<const float>(graph.weights));
    if (!links.record.empty()) {
        const std::u32string wide(links.record.begin(), links.record.end());  // ASCII
        npz.scalar(metadata_key, fmt::format("<U{}", wide.size()),
                   bytes_of(std::span<const char32_t>(wide.data(), wide.size())));
    }
    npz.finish();
}

}  // namespace grouplink::io
