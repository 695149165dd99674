#include "plan/memory.hpp"
#include "io/row_buffer.hpp"
#include "knn/waves.hpp"
#include "plan/plan.hpp"
#include "rows/gathered.hpp"
#include "rows/pages.hpp"

#include <grouplink/error.hpp>
#include <grouplink/link.hpp>

#include <doctest/doctest.h>

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

using namespace grouplink;

namespace {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;

Plan plan_of(const std::vector<std::int64_t>& rows, const LinkOptions& options) {
    std::vector<GroupShape> shapes;
    for (const std::int64_t count : rows) shapes.push_back({count, 128});
    return make_plan(shapes, options);
}

std::vector<float> random_rows(std::size_t rows, std::size_t dim) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    std::vector<float> values(rows * dim);
    for (float& value : values) value = normal(random);
    return values;
}

/// Values in a mapping of a file without a name.
class Mapping {
public:
    explicit Mapping(const std::vector<float>& values) : bytes_(values.size() * sizeof(float)) {
        std::FILE* const file = std::tmpfile();
        REQUIRE(file);
        REQUIRE(std::fwrite(values.data(), 1, bytes_, file) == bytes_);
        REQUIRE(std::fflush(file) == 0);
        data_ = ::mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, ::fileno(file), 0);
        REQUIRE(data_ != MAP_FAILED);
        std::fclose(file);
    }
    ~Mapping() { ::munmap(data_, bytes_); }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    MatrixView view(std::int64_t dim) const {
        MatrixView view = matrix_view({static_cast<const float*>(data_), bytes_ / sizeof(float)}, dim);
        view.file_backed = true;
        return view;
    }

private:
    std::size_t bytes_;
    void* data_;
};

bool same(const LinkResult& a, const LinkResult& b) {
    return a.graph.offsets == b.graph.offsets && a.graph.targets == b.graph.targets &&
           a.graph.weights == b.graph.weights && a.row_status == b.row_status &&
           a.report.scored_pairs == b.report.scored_pairs &&
           a.report.duplicate_rows == b.report.duplicate_rows;
}

}  // namespace

TEST_CASE("all groups are one wave where there is room, and fewer where there is less") {
    const LinkOptions options{.threads = 2};
    const Plan plan = plan_of({40'000, 30'000, 20'000, 20'000, 3'000, 500, 20, 1, 0}, options);
    const JobMemory job{.held_bytes = 50 * mebibyte,
                        .file_bytes = 113'521 * 128 * 4,
                        .rows = 113'521,
                        .element_bytes = 4,
                        .threads = 2};
    const Waves roomy = plan_waves(plan, job, options, std::int64_t{1} << 40);
    CHECK(roomy.ends == std::vector<std::size_t>{plan.groups.size()});
    CHECK_FALSE(roomy.gathers);
    CHECK(roomy.least_bytes < roomy.peak_bytes);
    CHECK(plan_waves(plan, job, options, roomy.peak_bytes).ends.size() == 1);
    CHECK(plan_waves(plan, job, options, roomy.peak_bytes - 1).gathers);

    std::size_t before = 1;
    for (std::int64_t budget = roomy.peak_bytes; budget >= roomy.least_bytes; budget -= mebibyte) {
        const Waves waves = plan_waves(plan, job, options, budget);
        CAPTURE(budget);
        CHECK(waves.peak_bytes <= budget);
        CHECK(waves.least_bytes == roomy.least_bytes);
        CHECK(std::is_sorted(waves.ends.begin(), waves.ends.end()));
        CHECK(waves.ends.back() == plan.groups.size());
        CHECK(waves.ends.size() >= before);
        before = waves.ends.size();
    }
    CHECK(before > 1);
    const Waves hopeless = plan_waves(plan, job, options, 10 * mebibyte);
    CHECK(hopeless.peak_bytes > 10 * mebibyte);
    CHECK(plan.groups[hopeless.costliest].rows == 40'000);
}

TEST_CASE("what the links take in the end counts as well") {
    const Plan plan = plan_of({1000, 1000}, {});
    const JobMemory job{.held_bytes = 0, .file_bytes = 0, .rows = 2000, .element_bytes = 4, .threads = 1};
    const auto peak = [&](const LinkOptions& options) {
        return plan_waves(plan, job, options, std::int64_t{1} << 40).peak_bytes;
    };
    const LinkOptions afterwards{.memory_afterwards_bytes = 500 * mebibyte};
    CHECK(peak(afterwards) > 500 * mebibyte);
    CHECK(peak({.links = LinkMode::symmetric, .memory_afterwards_bytes = 500 * mebibyte}) > peak(afterwards));
    CHECK(plan_waves(plan_of({}, {}), job, {}, 1).least_bytes > 0);
    // No overflow, whatever is asked for.
    const Plan absurd =
        plan_of({std::int64_t{1} << 31}, {.n_nearest = std::int64_t{1} << 62, .index = IndexKind::flat});
    CHECK(plan_waves(absurd, job, {.n_nearest = std::int64_t{1} << 62}, 1).least_bytes >
          (std::int64_t{1} << 60));
}

TEST_CASE("gathered rows are those of the input, dense and ragged") {
    const std::vector<float> values = random_rows(1000, 24);
    const Mapping mapping(values);
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 999; row >= 0; row -= 3) rows.push_back(row);
    const GatheredRows dense(mapping.view(24), rows, 2, {});
    REQUIRE(dense.view().rows == std::ssize(rows));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(std::memcmp(dense.view().row(static_cast<std::int64_t>(i)), values.data() + rows[i] * 24,
                          24 * 4) == 0);
    }
    std::vector<std::int64_t> offsets{0};
    while (offsets.back() + 40 < std::ssize(values))
        offsets.push_back(offsets.back() + 1 + offsets.back() % 37);
    MatrixView ragged = mapping.view(24);
    ragged.rows = std::ssize(offsets) - 1;
    ragged.offsets = offsets.data();
    rows = {5, 2, ragged.rows - 1};
    const GatheredRows some(ragged, rows, 1, {});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i);
        REQUIRE(some.view().row_dim(row) == ragged.row_dim(rows[i]));
        CHECK(std::memcmp(some.view().row(row), ragged.row(rows[i]),
                          static_cast<std::size_t>(ragged.row_dim(rows[i])) * 4) == 0);
    }
    CHECK(GatheredRows(mapping.view(24), {}, 1, {}).view().rows == 0);
}

TEST_CASE("pages that went back are read anew") {
    const std::vector<float> values = random_rows(5000, 32);
    const Mapping mapping(values);
    const MatrixView view = mapping.view(32);
    for (int i = 0; i < 3; ++i) {
        CHECK(std::memcmp(view.values, values.data(), values.size() * sizeof(float)) == 0);
        give_back(view, 17, 4321);
        give_back(view, 0, 0);
        give_back(view, 0, 5000);
    }
    // Of memory that is not a file's, nothing goes.
    const MatrixView heap = matrix_view(values, 32);
    give_back(heap, 0, heap.rows);
    CHECK(std::memcmp(mapping.view(32).values, values.data(), values.size() * sizeof(float)) == 0);
    CHECK(value_bytes(heap) == 5000 * 32 * 4);
    CHECK(value_bytes({}) == 0);
}

TEST_CASE("a job in waves gives the links of a job at once") {
    constexpr std::int64_t rows = 9000;
    constexpr std::int64_t dim = 64;
    const std::vector<float> values = random_rows(rows, dim);
    const Mapping mapping(values);
    GroupColumn groups = single_group(rows);
    groups.keys.clear();
    for (int g = 0; g < 30; ++g) groups.keys.push_back("group " + std::to_string(g));
    for (std::size_t row = 0; row < groups.codes.size(); ++row) {
        groups.codes[row] = static_cast<std::int32_t>(row * row % 29 % 2 == 0 ? 0 : row * 7 % 30);
    }
    groups.codes[77] = -1;
    for (const IndexKind index :
         {IndexKind::automatic, IndexKind::ivf, IndexKind::hnsw, IndexKind::partition}) {
        for (const bool file : {true, false}) {
            CAPTURE(name(index));
            CAPTURE(file);
            LinkOptions options{.index = index, .on_bad_row = BadRowPolicy::drop, .threads = 2};
            const MatrixView view = file ? mapping.view(dim) : matrix_view(values, dim);
            const LinkResult at_once = build_links(view, groups, options);
            CHECK(at_once.report.memory.waves == 1);

            RowsByGroup grouped = rows_by_group(groups);
            std::vector<GroupShape> shapes;
            for (std::size_t g = 0; g < groups.keys.size(); ++g)
                shapes.push_back({std::ssize(grouped.group(static_cast<std::int32_t>(g))), dim});
            const Plan plan = make_plan(shapes, options);
            for (const std::size_t groups_a_wave : {std::size_t{1}, std::size_t{7}, plan.groups.size()}) {
                Waves waves;
                waves.gathers = file;
                for (std::size_t end = groups_a_wave; end < plan.groups.size(); end += groups_a_wave)
                    waves.ends.push_back(end);
                waves.ends.push_back(plan.groups.size());
                double done = 0.0;
                JobControl control;
                control.on_progress = [&](const Progress& progress) {
                    CHECK(progress.done >= done);
                    done = progress.done;
                };
                const KnnResult in_waves =
                    find_neighbors(view, grouped, groups.keys, plan, waves, options, 2, control);
                const KnnResult whole = find_neighbors(view, grouped, groups.keys, plan, options, 2, {});
                CHECK(in_waves.neighbors.offsets == whole.neighbors.offsets);
                CHECK(in_waves.neighbors.targets == whole.neighbors.targets);
                CHECK(in_waves.neighbors.distances == whole.neighbors.distances);
                CHECK(in_waves.counters.scored_pairs == whole.counters.scored_pairs);
                CHECK(in_waves.workers.size() == 2);
                for (std::size_t g = 0; g < plan.groups.size(); ++g)
                    CHECK(in_waves.searches[g].has_value() == whole.searches[g].has_value());
            }
            CHECK(same(at_once, build_links(view, groups, options)));
        }
    }
}

TEST_CASE("a budget that nothing fits is refused, with one that does") {
    const std::vector<float> values = random_rows(6000, 96);
    const MatrixView view = matrix_view(values, 96);
    const GroupColumn groups = single_group(6000);
    std::string message;
    try {
        build_links(view, groups, {.memory_bytes = mebibyte});
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::over_budget);
        message = error.what();
    }
    CAPTURE(message);
    CHECK(message.find("the budget is 1.0 MiB") != std::string::npos);
    const auto place = message.find("--memory ");
    REQUIRE(place != std::string::npos);
    const std::int64_t enough = std::stoll(message.substr(place + 9)) * mebibyte;
    CHECK(build_links(view, groups, {.memory_bytes = enough}).report.memory.budget_bytes == enough);
    CHECK(plan_links(view, groups, {.memory_bytes = enough}).memory.planned_bytes <= enough);
    const auto code_of = [](const MatrixView& rows, const GroupColumn& column) {
        try {
            build_links(rows, column, {.memory_bytes = 1});
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    };
    CHECK(code_of(matrix_view({}, 3), single_group(0)) == ErrorCode::over_budget);
    CHECK(code_of(matrix_view({}, 3), {}) == ErrorCode::over_budget);
    CHECK(default_memory_budget() > 100 * mebibyte);
    for (const LinkOptions& wrong :
         {LinkOptions{.memory_bytes = -1}, LinkOptions{.memory_afterwards_bytes = -1}})
        CHECK_THROWS_AS(validate(wrong), Error);
}

TEST_CASE("rows beyond what memory is for go to a file, and come back the same") {
    const std::string folder = std::filesystem::temp_directory_path().string();
    for (const std::int64_t above :
         {std::int64_t{0}, std::int64_t{1000}, 20 * mebibyte, std::int64_t{1} << 40}) {
        CAPTURE(above);
        io::RowBuffer buffer("here", ElementType::float32, std::int64_t{1} << 40, {above, folder});
        for (std::int64_t row = 0; row < 3000; ++row) {
            const std::int64_t dim = row % 11 == 0 ? 4000 : 2000;
            std::vector<float> values(static_cast<std::size_t>(dim), static_cast<float>(row));
            std::memcpy(buffer.extend(dim), values.data(), values.size() * sizeof(float));
            buffer.add_row(dim, row % 13 != 0);
        }
        Table::Storage storage;
        const MatrixView view = buffer.finish(storage);
        CHECK(view.file_backed == (above < value_bytes(view)));
        REQUIRE(view.rows == 3000);
        bool right = true;
        for (std::int64_t row = 0; row < view.rows; ++row) {
            const auto* const values = static_cast<const float*>(view.row(row));
            right = right && view.row_dim(row) == (row % 11 == 0 ? 4000 : 2000) &&
                    view.has_row(row) == (row % 13 != 0);
            right =
                right && values[0] == static_cast<float>(row) && values[view.row_dim(row) - 1] == values[0];
        }
        CHECK(right);
    }
    io::RowBuffer nowhere("here", ElementType::float32, 1 << 30, {0, "/nonexistent"});
    CHECK_THROWS_AS(nowhere.extend(10), Error);
}
