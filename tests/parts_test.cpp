// Shares and their merging, against the single run.

#include <grouplink/error.hpp>
#include <grouplink/part.hpp>

#include "rows/fingerprint.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace grouplink;

namespace {

/// One group with most of the rows, duplicates across it, and many small ones; some bad rows.
struct Input {
    oracle::Rows rows;
    GroupColumn groups;
    std::unique_ptr<oracle::Packed> packed;

    Input(std::int64_t count, std::int64_t dim, ElementType type) {
        std::mt19937_64 random(7);
        rows = oracle::clustered_rows(count, dim, 20, 0.5, random);
        std::vector<std::string> keys;
        for (std::int64_t row = 0; row < count; ++row) {
            const bool large = random() % 10 < 8;
            keys.push_back(large ? "large" : fmt::format("g{}", random() % 40));
        }
        for (std::size_t row = 0; row + 1 < rows.values.size(); row += 9) {
            rows.values[row] = rows.values[row / 2];  // duplicates, some in groups of their own
        }
        rows.values[11][0] = std::numeric_limits<double>::quiet_NaN();
        rows.values[rows.values.size() - 1][1] = std::numeric_limits<double>::infinity();
        GroupEncoder encoder;
        for (std::size_t row = 0; row < keys.size(); ++row) {
            if (row % 97 == 5) {
                encoder.push_null();
            } else {
                encoder.push(keys[row]);
            }
        }
        groups = encoder.finish();
        packed = std::make_unique<oracle::Packed>(rows, type);
    }
    const MatrixView& view() const { return packed->view(); }
};

std::vector<LinkPart> parts_of(const Input& input, LinkOptions options, std::int64_t count) {
    std::vector<LinkPart> parts;
    for (std::int64_t index = count; index >= 1; --index) {  // in any order
        options.threads = 1 + static_cast<int>(index % 3);
        parts.push_back(link_part(input.view(), input.groups, {.index = index, .count = count}, options));
        parts.back().name = fmt::format("{}.part", index);
    }
    return parts;
}

void check_same(const LinkResult& merged, const LinkResult& whole) {
    CHECK(merged.graph.offsets == whole.graph.offsets);
    CHECK(merged.graph.targets == whole.graph.targets);
    CHECK(merged.graph.weights == whole.graph.weights);
    CHECK(merged.row_status == whole.row_status);
    const Report& a = merged.report;
    const Report& b = whole.report;
    CHECK(a.rows == b.rows);
    CHECK(a.links_found == b.links_found);
    CHECK(a.links == b.links);
    CHECK(a.cut == b.cut);
    CHECK(a.row_status == b.row_status);
    CHECK(a.duplicate_rows == b.duplicate_rows);
    CHECK(a.mapping == b.mapping);
    CHECK(a.shard == b.shard);
    REQUIRE(a.groups.size() == b.groups.size());
    for (std::size_t g = 0; g < a.groups.size(); ++g) {
        const GroupReport& mine = a.groups[g];
        const GroupReport& other = b.groups[g];
        CHECK(mine.key == other.key);
        CHECK(mine.rows == other.rows);
        CHECK(mine.valid_rows == other.valid_rows);
        CHECK(mine.dim == other.dim);
        CHECK(mine.index == other.index);
        CHECK(mine.links == other.links);
        CHECK(mine.cut == other.cut);
        REQUIRE(mine.search.has_value() == other.search.has_value());
        if (!mine.search) continue;
        CHECK(mine.search->recall.recall == other.search->recall.recall);
        CHECK(mine.search->recall.low == other.search->recall.low);
        CHECK(mine.search->ivf.nprobe == other.search->ivf.nprobe);
        CHECK(mine.search->partition.passes == other.search->partition.passes);
    }
}

void check_shares(const Input& input, LinkOptions options, std::initializer_list<std::int64_t> counts) {
    options.on_bad_row = BadRowPolicy::drop;
    const LinkResult whole = build_links(input.view(), input.groups, options);
    for (const std::int64_t count : counts) {
        CAPTURE(count);
        check_same(merge_parts(parts_of(input, options, count), 2), whole);
    }
}

std::string refusal(const std::vector<LinkPart>& parts) {
    try {
        merge_parts(parts);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::bad_input);
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("merged shares are the single run: every metric, mode and scope") {
    const Input input(3'000, 40, ElementType::float32);
    constexpr LinkMode modes[] = {LinkMode::directed, LinkMode::mutual, LinkMode::symmetric};
    std::size_t turn = 0;
    for (const Metric metric :
         {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::hamming, Metric::dot}) {
        for (const double quantile : {0.0, 0.4}) {
            for (const QuantileScope scope : {QuantileScope::all, QuantileScope::group}) {
                CAPTURE(metric);
                const LinkMode mode = modes[turn++ % 3];
                check_shares(input,
                             {.n_nearest = 5 + static_cast<std::int64_t>(turn % 3),
                              .similarity_min = turn % 4 == 0 ? 0.3 : 0.0,
                              .similarity_min_q = quantile,
                              .quantile_scope = scope,
                              .metric = metric,
                              .links = mode,
                              .index = IndexKind::flat},
                             {turn % 2 == 0 ? 2 : 3});
            }
        }
    }
}

TEST_CASE("merged shares are the single run: any number of shares") {
    const Input input(2'500, 32, ElementType::float16);
    for (const LinkMode mode : {LinkMode::directed, LinkMode::mutual, LinkMode::symmetric}) {
        check_shares(input, {.links = mode, .index = IndexKind::flat}, {1, 2, 3, 7, 60});
    }
}

TEST_CASE("merged shares are the single run: approximate groups, cut or whole") {
    const Input input(5'000, 24, ElementType::float32);
    for (const IndexKind index : {IndexKind::ivf, IndexKind::hnsw, IndexKind::partition}) {
        CAPTURE(index);
        check_shares(input, {.links = LinkMode::mutual, .index = index}, {1, 3, 7});
    }
    check_shares(input, {.similarity_min_q = 0.2, .index = IndexKind::ivf, .ivf = {.nlist = 30, .nprobe = 4}},
                 {2, 5});
}

TEST_CASE("rows without groups, and none at all") {
    oracle::Rows one;
    one.values = {{1.0, 0.0}};
    const oracle::Packed packed(one, ElementType::float32);
    for (const std::int64_t count : {1, 3}) {
        std::vector<LinkPart> parts;
        std::vector<LinkPart> none;
        MatrixView empty{.dim = 2};
        for (std::int64_t index = 1; index <= count; ++index) {
            parts.push_back(link_part(packed.view(), single_group(1), {.index = index, .count = count}));
            none.push_back(link_part(empty, single_group(0), {.index = index, .count = count}));
        }
        CHECK(merge_parts(parts).graph.offsets == std::vector<std::int64_t>{0, 0});
        CHECK(merge_parts(none).graph.links() == 0);
    }
}

TEST_CASE("parts that are not those of one job are refused, by name and reason") {
    const Input input(2'000, 16, ElementType::float32);
    const LinkOptions options{.on_bad_row = BadRowPolicy::drop};
    const std::vector<LinkPart> parts = parts_of(input, options, 3);
    CHECK(refusal(parts) == "");
    CHECK(refusal({}) == "merge: got no parts");
    CHECK(refusal({parts[0], parts[2]}) == "1 of 3 parts is missing: of share 2; link it and pass all parts");
    CHECK(refusal({parts[0]}) == "2 of 3 parts are missing: of shares 1, 2; link them and pass all parts");
    CHECK(refusal({parts[0], parts[1], parts[1]}) ==
          "2.part: is share 2 of 3, as 2.part is; pass each share once");

    const auto changed = [&](auto change) {
        std::vector<LinkPart> other = parts;
        change(other[1]);
        return refusal(other);
    };
    CHECK(
        changed([](LinkPart& part) { part.report.options.n_nearest = 3; }) ==
        "2.part: is of another job than 3.part: its n_nearest is 3, not 15; merge the parts of one job, all "
        "linked with the same options");
    CHECK(changed([](LinkPart& part) {
              part.report.options.metric = Metric::dot;
          }).find("its metric is dot, not angular") != std::string::npos);
    CHECK(changed([](LinkPart& part) {
              part.report.options.ivf.nprobe = 9;
          }).find("its nprobe is 9, not 0") != std::string::npos);
    CHECK(changed([](LinkPart& part) {
              part.report.version = "9.9.9";
          }).find("its grouplink version is 9.9.9") != std::string::npos);
    CHECK(changed([](LinkPart& part) {
              part.report.shard.count = 4;
          }).find("its number of shares is 4, not 3") != std::string::npos);
    CHECK(changed([](LinkPart& part) { part.report.rows = 4; }).find("its number of rows is 4") !=
          std::string::npos);
    CHECK(changed([](LinkPart& part) { part.input.vectors ^= 1; }) ==
          "2.part: was linked from other vectors than 3.part; link all shares from the same input");
    CHECK(changed([](LinkPart& part) { part.input.groups ^= 1; }).find("other groups than") !=
          std::string::npos);
    CHECK(changed([](LinkPart& part) { part.input.ids ^= 1; }).find("other ids than") != std::string::npos);
    // The number of threads is nobody's business.
    CHECK(changed([](LinkPart& part) { part.report.options.threads = 77; }) == "");
}

TEST_CASE("parts that contradict themselves or one another are refused") {
    const Input input(2'000, 16, ElementType::float32);
    const std::vector<LinkPart> parts = parts_of(input, {.on_bad_row = BadRowPolicy::drop}, 2);
    const auto changed = [&](auto change) {
        std::vector<LinkPart> other = parts;
        change(other[0]);
        return refusal(other);
    };
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    CHECK(changed([](LinkPart& part) { part.ranges.pop_back(); }) != "");
    CHECK(changed([](LinkPart& part) { part.ranges.back().count -= 1; }) != "");
    CHECK(changed([](LinkPart& part) { part.ranges.front().count = most; }) != "");
    CHECK(changed([](LinkPart& part) { part.ranges.front().count = -1; }) != "");
    CHECK(changed([](LinkPart& part) { part.ranges.front().first += 1; }) != "");
    CHECK(changed([](LinkPart& part) { part.ranges.front().group = 1'000'000; }) != "");
    CHECK(changed([](LinkPart& part) { part.ranges.front().group += 1; }) != "");
    CHECK(changed([](LinkPart& part) { part.report.groups.front().valid_rows = most; }) != "");
    CHECK(changed([](LinkPart& part) { part.report.groups.front().valid_rows -= 1; }) != "");
    CHECK(changed([](LinkPart& part) {
              part.report.groups.front().valid_rows = std::numeric_limits<std::int64_t>::min();
          }) != "");
    CHECK(changed([](LinkPart& part) { part.row_status = part.row_status.subspan(1); }) != "");
    CHECK(changed([](LinkPart& part) { part.rows = part.rows.subspan(1); }) != "");
    CHECK(changed([](LinkPart& part) { part.targets = part.targets.subspan(1); }) != "");
    CHECK(changed([](LinkPart& part) { part.distances = part.distances.first(5); }) != "");

    const auto with = [&](auto member, std::size_t place, auto value) {
        return changed([&](LinkPart& part) {
            auto copy = std::make_shared<std::vector<std::decay_t<decltype((part.*member)[0])>>>(
                (part.*member).begin(), (part.*member).end());
            (*copy)[place] = value;
            part.*member = *copy;
            part.storage =
                std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>>(
                    part.storage, copy);
        });
    };
    for (const std::int64_t target : {std::int64_t{-1}, std::int64_t{2'000}, most}) {
        CHECK(with(&LinkPart::targets, 3, target).find("make no sense") != std::string::npos);
        CHECK(with(&LinkPart::rows, 3, target).find("out of order") != std::string::npos);
    }
    CHECK(with(&LinkPart::targets, 0, parts[0].rows[0]).find("make no sense") != std::string::npos);
    CHECK(with(&LinkPart::distances, 0, 3.0F).find("make no sense") != std::string::npos);
    CHECK(with(&LinkPart::distances, 0, std::numeric_limits<float>::quiet_NaN()) != "");
    CHECK(with(&LinkPart::row_status, 20, static_cast<RowStatus>(6)).find("unknown") != std::string::npos);
    CHECK(with(&LinkPart::row_status, 20, RowStatus::zero_norm) != "");
}

TEST_CASE("fingerprints tell inputs apart, at any number of threads") {
    Input input(3'000, 12, ElementType::float32);
    const std::uint64_t hash = hash_vectors(input.view(), 1, {});
    CHECK(hash_vectors(input.view(), 3, {}) == hash);
    const auto changed = [&](std::size_t row, std::size_t component, double by) {
        oracle::Rows rows = input.rows;
        rows.values[row][component] += by;
        const oracle::Packed packed(rows, ElementType::float32);
        return hash_vectors(packed.view(), 2, {});
    };
    CHECK(changed(0, 0, 0.0) == hash);
    CHECK(changed(0, 0, 1.0) != hash);
    CHECK(changed(2'999, 11, 1.0) != hash);
    oracle::Rows swapped = input.rows;
    std::swap(swapped.values[3], swapped.values[4]);
    const oracle::Packed packed(swapped, ElementType::float32);
    CHECK(hash_vectors(packed.view(), 2, {}) != hash);
    MatrixView shorter = input.view();
    shorter.rows -= 1;
    CHECK(hash_vectors(shorter, 2, {}) != hash);
    std::vector<std::uint8_t> valid(3'000, 1);
    MatrixView masked = input.view();
    masked.valid = valid.data();
    CHECK(hash_vectors(masked, 2, {}) == hash);
    valid[17] = 0;
    CHECK(hash_vectors(masked, 2, {}) != hash);

    GroupColumn groups{.codes = {0, 1, -1}, .keys = {"a", "b"}};
    const std::uint64_t of_groups = hash_groups(groups);
    groups.codes[2] = 1;
    CHECK(hash_groups(groups) != of_groups);
    groups.codes[2] = -1;
    groups.keys[1] = "c";
    CHECK(hash_groups(groups) != of_groups);
}

TEST_CASE("a share that is no share is refused before any work") {
    const Input input(100, 4, ElementType::float32);
    for (const Shard shard :
         {Shard{.index = 0, .count = 2}, Shard{.index = 3, .count = 2}, Shard{.index = 1, .count = 0}}) {
        CHECK_THROWS_AS(link_part(input.view(), input.groups, shard), Error);
    }
    CHECK_THROWS_AS(link_part(input.view(), input.groups, {.index = 1, .count = 2}), Error);  // bad rows
}
