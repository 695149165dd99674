// What a job found as bytes, and back; and bytes of any other kind.

#include "io/journal_record.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

using namespace grouplink;

namespace {

/// Ranges of one row and two targets each, further and further apart, the later ones of approximate groups;
/// and one of no neighbors.
Checkpoint sample() {
    Checkpoint checkpoint;
    for (const std::int64_t apart :
         {1LL, 255LL, 256LL, 65535LL, 65536LL, 4294967295LL, 4294967296LL, 1LL << 50}) {
        FoundRange& found = checkpoint.ranges.emplace_back();
        found.range = {.group = 7, .first = 5, .count = 1};
        found.neighbors = 2;
        found.counts = {.duplicate_rows = 1, .scored_pairs = 2, .researched_rows = 3};
        if (apart > 300)
            found.search = SearchReport{.recall = {.rows = 4, .recall = 0.5}, .exhaustive = true};
        checkpoint.targets.insert(checkpoint.targets.end(), {apart + 9, 9});
        checkpoint.distances.insert(checkpoint.distances.end(), {0.25F, 0.5F});
    }
    checkpoint.ranges.push_back({.range = {.group = 1, .first = 0, .count = 1}});
    return checkpoint;
}

}  // namespace

TEST_CASE("a record comes back as it was") {
    const Checkpoint checkpoint = sample();
    std::int64_t left_out = 0;
    const auto read = io::read_journal_record(io::journal_record(checkpoint, "here"), "here", left_out);
    REQUIRE(read);
    CHECK(left_out == 0);
    CHECK(read->targets == checkpoint.targets);
    CHECK(read->distances == checkpoint.distances);
    REQUIRE(read->ranges.size() == 9);
    CHECK(read->ranges[0].range.group == 7);
    CHECK(read->ranges[0].range.first == 5);
    CHECK(read->ranges[0].counts.scored_pairs == 2);
    CHECK_FALSE(read->ranges[0].search);
    REQUIRE(read->ranges[7].search);
    CHECK(read->ranges[7].search->recall.recall == 0.5);
    CHECK(read->ranges[7].search->exhaustive);
}

TEST_CASE("what another machine found of approximate groups is left out") {
    std::int64_t left_out = 0;
    const auto there = io::read_journal_record(io::journal_record(sample(), "here"), "there", left_out);
    REQUIRE(there);
    CHECK(left_out == 5);
    CHECK(there->ranges.size() == 4);
    CHECK(there->targets.size() == 6);
}

TEST_CASE("no bytes are too strange for a record") {
    const std::string record = io::journal_record(sample(), "here");
    std::mt19937 random(5);
    std::int64_t left_out = 0;
    for (int i = 0; i < 50'000; ++i) {
        std::string bytes = record;
        for (std::size_t n = random() % 4 + 1; n > 0; --n) {
            const std::size_t at = random() % bytes.size();
            if (random() % 3 == 0) {
                bytes.resize(at + 1);
            } else if (random() % 2 == 0 && at + 8 <= bytes.size()) {
                bytes.replace(at / 8 * 8, 8, 8, static_cast<char>(random() % 2 == 0 ? 0xff : 0x7f));
            } else {
                bytes[at] = static_cast<char>(random());
            }
        }
        const auto read = io::read_journal_record(bytes, "here", left_out);
        if (read) CHECK(read->targets.size() == read->distances.size());
    }
}
