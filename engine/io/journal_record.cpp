#include "io/journal_record.hpp"

#include "io/number_bytes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <span>

// For each range: what it is, in numbers of eight bytes, then its targets and then its distances. The targets
// of a group are close to each other in most inputs: they stand as what they exceed the lowest by, in one,
// two, four or eight bytes each.

namespace grouplink::io {
namespace {

constexpr std::int64_t most_number = std::numeric_limits<std::int64_t>::max();

std::size_t bytes_for(std::uint64_t largest) {
    if (largest <= std::numeric_limits<std::uint8_t>::max()) return sizeof(std::uint8_t);
    if (largest <= std::numeric_limits<std::uint16_t>::max()) return sizeof(std::uint16_t);
    if (largest <= std::numeric_limits<std::uint32_t>::max()) return sizeof(std::uint32_t);
    return sizeof(std::uint64_t);
}

/// Calls work with a value of the unsigned type of that many bytes.
template <typename Work>
void with_type(std::size_t bytes, Work work) {
    switch (bytes) {
        case sizeof(std::uint8_t): return work(std::uint8_t{});
        case sizeof(std::uint16_t): return work(std::uint16_t{});
        case sizeof(std::uint32_t): return work(std::uint32_t{});
        default: return work(std::uint64_t{});
    }
}

std::string narrow(std::span<const std::int64_t> targets, std::int64_t lowest, std::size_t width) {
    std::string bytes(targets.size() * width, '\0');
    with_type(width, [&](auto zero) {
        char* to = bytes.data();
        for (const std::int64_t target : targets) {
            const auto above = static_cast<decltype(zero)>(target - lowest);
            std::memcpy(to, &above, sizeof above);
            to += sizeof above;
        }
    });
    return bytes;
}

/// Sums wrap round rather than overflow; what comes out is checked by those who use it.
void widen(std::string_view bytes, std::int64_t lowest, std::size_t width,
           std::vector<std::int64_t>& targets) {
    std::size_t to = targets.size();
    targets.resize(to + bytes.size() / width);
    with_type(width, [&](auto above) {
        for (std::size_t at = 0; at < bytes.size(); at += sizeof above, ++to) {
            std::memcpy(&above, bytes.data() + at, sizeof above);
            targets[to] = static_cast<std::int64_t>(static_cast<std::uint64_t>(lowest) + above);
        }
    });
}

void put_range(NumberWriter& out, const FoundRange& found, std::span<const std::int64_t> targets,
               std::span<const float> distances, std::string_view machine) {
    out.put(found.range.group);
    out.put(found.range.first);
    out.put(found.range.count);
    out.put(found.neighbors);
    out.put(found.counts.duplicate_rows);
    out.put(found.counts.scored_pairs);
    out.put(found.counts.researched_rows);
    out.put(found.search);
    if (found.search) out.put_text(machine);
    const auto [low, high] = std::minmax_element(targets.begin(), targets.end());
    const std::int64_t lowest = targets.empty() ? 0 : *low;
    const std::size_t width = bytes_for(targets.empty() ? 0 : static_cast<std::uint64_t>(*high - lowest));
    out.put(lowest);
    out.put(width);
    out.put_bytes(narrow(targets, lowest, width));
    out.put_bytes({reinterpret_cast<const char*>(distances.data()), distances.size_bytes()});
}

void read_range(NumberReader& in, std::string_view machine, std::int64_t& left_out, Checkpoint& checkpoint) {
    FoundRange found;
    in.get(found.range.group, std::numeric_limits<std::int32_t>::max());
    in.get(found.range.first, most_number);
    in.get(found.range.count, most_number);
    in.get(found.neighbors, most_number);
    in.get(found.counts.duplicate_rows, most_number);
    in.get(found.counts.scored_pairs, most_number);
    in.get(found.counts.researched_rows, most_number);
    in.get(found.search);
    std::string found_on(machine);
    if (found.search) in.get_text(found_on);
    std::int64_t lowest = 0;
    std::int64_t width = 0;
    in.get(lowest, most_number);
    in.get(width, sizeof(std::uint64_t));
    if (!std::has_single_bit(static_cast<std::uint64_t>(width))) in.fail_broken("make no sense");
    const std::string_view targets = in.get_table(found.range.count, found.neighbors, width);
    const std::string_view distances = in.get_table(found.range.count, found.neighbors, sizeof(float));
    if (found_on != machine) {
        ++left_out;
        return;
    }
    checkpoint.ranges.push_back(std::move(found));
    widen(targets, lowest, static_cast<std::size_t>(width), checkpoint.targets);
    const std::size_t before = checkpoint.distances.size();
    checkpoint.distances.resize(before + distances.size() / sizeof(float));
    if (!distances.empty()) {
        std::memcpy(checkpoint.distances.data() + before, distances.data(), distances.size());
    }
}

}  // namespace

std::string journal_record(const Checkpoint& checkpoint, std::string_view machine) {
    NumberWriter out;
    std::span targets(checkpoint.targets);
    std::span distances(checkpoint.distances);
    for (const FoundRange& found : checkpoint.ranges) {
        const auto count = static_cast<std::size_t>(found.range.count * found.neighbors);
        put_range(out, found, targets.first(count), distances.first(count), machine);
        targets = targets.subspan(count);
        distances = distances.subspan(count);
    }
    return out.take();
}

std::optional<Checkpoint> read_journal_record(std::string_view bytes, std::string_view machine,
                                              std::int64_t& left_out) {
    try {
        Checkpoint checkpoint;
        const std::string unnamed;
        for (NumberReader in(bytes, unnamed, {}); !in.at_end();)
            read_range(in, machine, left_out, checkpoint);
        return checkpoint;
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace grouplink::io
