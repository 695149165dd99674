#include "io/outputs.hpp"

#include <vector>

using namespace grouplink;
using namespace grouplink::test;

namespace {

/// 0 -> 1, 2; 1 -> 0, 2; 2 -> 0, 1: links that hold both ways; 3 has none. Along rows 0 and 2 the scores are
/// equal.
LinkResult both_ways(LinkMode mode) {
    LinkResult result = small_result(mode);
    result.graph = {.offsets = {0, 2, 4, 6, 6},
                    .targets = {1, 2, 0, 2, 0, 1},
                    .weights = {0.5F, 0.5F, 0.5F, 0.1F, 0.5F, 0.1F}};
    result.report.links = 6;
    return result;
}

void same(const CsrGraph& read, const CsrGraph& written) {
    CHECK(read.offsets == written.offsets);
    CHECK(read.targets == written.targets);
    CHECK(read.weights == written.weights);
}

std::vector<std::string> formats() {
    std::vector<std::string> names{"a.npz", "a.csv", "a.tsv", "a.jsonl", "a.db"};
#if defined(GROUPLINK_PARQUET)
    names.insert(names.end(), {"a.parquet", "a.arrow", "a.arrows"});
#endif
    return names;
}

bool is_columnar(const std::string& name) { return name == "a.parquet" || name.starts_with("a.arrow"); }

bool has_record(const std::string& name) { return name == "a.npz" || name == "a.db" || is_columnar(name); }

LinksFile read_text(std::string_view text, IdColumn ids = {}) {
    const Folder folder;
    put(folder / "a.csv", text);
    return read_links(folder / "a.csv", small_table(std::move(ids)));
}

const std::string header = "Source,Target,Type,Weight,Similarity\n";

}  // namespace

TEST_CASE("every output reads back, by row numbers and by ids") {
    for (const std::string& name : formats()) {
        for (const IdColumn& ids : {IdColumn(), IdColumn(std::vector<std::int64_t>{-7, 40, 3, 1}),
                                    IdColumn(texts({"x,\"y\"", "17", "\xC3\xA9", "d"}))}) {
            for (const Layout layout : {Layout::edges, Layout::lists}) {
                if (layout == Layout::lists && !is_columnar(name)) continue;
                for (const LinkMode mode : {LinkMode::directed, LinkMode::mutual, LinkMode::symmetric}) {
                    const Folder folder;
                    const Table table = small_table(ids);
                    const LinkResult result = mode == LinkMode::directed ? small_result() : both_ways(mode);
                    write_links({folder / name, layout}, {}, table, result);
                    const LinksFile file = read_links(folder / name, table);
                    same(file.graph, result.graph);
                    CHECK_MESSAGE(file.faults == 0, file.first_fault);
                    CHECK(file.record.metric == Metric::angular);
                    CHECK(file.record.similarity == Similarity::angular);
                    const bool text = name == "a.csv" || name == "a.tsv";
                    CHECK(file.pairs_once == (text && mode != LinkMode::directed));
                    if (name == "a.jsonl") {
                        CHECK(file.record.links == mode);
                        CHECK(!file.record.n_nearest);
                    } else if (text) {
                        CHECK(file.record.links.has_value() == (mode == LinkMode::directed));
                        CHECK(!file.record.n_nearest);
                    } else {
                        CHECK(file.record.links == mode);
                        CHECK(file.record.n_nearest == 15);
                        CHECK(file.record.similarity_min == 0.0);
                        CHECK(file.record.quantile_scope == QuantileScope::all);
                        CHECK(file.record.cut == 0.0);
                    }
                }
            }
        }
    }
}

TEST_CASE("the options of a run are those that are read") {
    LinkResult result = small_result();
    result.report.options.metric = Metric::manhattan;
    result.report.options.n_nearest = 2;
    result.report.options.similarity_min_q = 0.25;
    result.report.options.quantile_scope = QuantileScope::group;
    result.report.cut = 0.1;
    for (const std::string& name : formats()) {
        const Folder folder;
        write_links({folder / name}, {}, small_table(), result);
        const LinksRecord record = read_links(folder / name, small_table()).record;
        CHECK(record.metric == Metric::manhattan);
        if (!has_record(name)) continue;
        CHECK(record.n_nearest == 2);
        CHECK(record.similarity_min_q == 0.25);
        CHECK(record.quantile_scope == QuantileScope::group);
        CHECK(record.cut == 0.1);
    }
}

TEST_CASE("what contradicts the table is a fault of the file") {
    for (const std::string& name : formats()) {
        if (!has_record(name)) continue;
        const Folder folder;
        LinkResult result = small_result();
        result.report.rows = 5;
        result.report.links = 7;
        write_links({folder / name}, {}, small_table(), result);
        const LinksFile file = read_links(folder / name, small_table());
        CHECK(file.faults == 2);
        CHECK(file.first_fault == "its record says 5 rows, the input has 4");
    }
}

TEST_CASE("text keeps its order, and pairs that stand once get both ends") {
    // Row 0's own links stand the wrong way round, and stay so.
    const LinksFile file = read_text(header +
                                     "0,2,Undirected,0.1,dot\n0,1,Undirected,0.75,dot\n"
                                     "1,2,Undirected,0.5,dot\n2,2,Undirected,1,dot\n0,9,Undirected,1,dot\n");
    CHECK(file.pairs_once);
    CHECK(file.faults == 0);
    CHECK(file.record.metric == Metric::dot);
    CHECK(file.graph.offsets == std::vector<std::int64_t>{0, 3, 5, 8, 8});
    CHECK(file.graph.targets == std::vector<std::int64_t>{2, 1, 9, 0, 2, 2, 1, 0});
    const LinksFile none = read_text(header);
    CHECK(none.graph.offsets == std::vector<std::int64_t>{0, 0, 0, 0, 0});
    CHECK(!none.record.metric);
}

TEST_CASE("rows that are not there") {
    const LinksFile numbers = read_text(header +
                                        "4,0,Directed,1,angular\n-1,0,Directed,1,angular\n"
                                        "0,99,Directed,1,angular\n");
    CHECK(numbers.faults == 2);
    CHECK(numbers.first_fault == "line 2: Source is \"4\", which is no row of the input");
    CHECK(numbers.graph.targets == std::vector<std::int64_t>{99});
    const LinksFile ids =
        read_text(header + "a,b,Directed,1,angular\na,e,Directed,1,angular\n", texts({"a", "b", "c", "d"}));
    CHECK(ids.faults == 1);
    CHECK(ids.first_fault == "line 3: Target is \"e\", which is no row of the input");
    CHECK(ids.graph.links() == 1);
}

TEST_CASE("text that is no links") {
    const auto fails = [](std::string_view text, std::string_view part) {
        const auto [code, message] = error_of([&] { read_text(text); });
        CHECK(code == ErrorCode::bad_input);
        CHECK_MESSAGE(message.find(part) != std::string::npos, message);
        CHECK(message.find('\n') == std::string::npos);
    };
    fails("", "is empty");
    fails("Source,Target\n0,1\n", "has no column \"Type\"");
    fails(header + "0,1,Directed,1\n", "line 2 has 4 fields");
    fails(header + "0,1,Directed,1,angels\n", "Similarity is \"angels\"");
    fails(header + "0,1,directed,1,angular\n", "Type is \"directed\"");
    fails(header + "0,1,,1,angular\n", "Type is \"\"");
    fails(header + "0,1,Directed,1,\n", "Similarity is \"\"");
    fails(header + "0,1,Directed,,angular\n", "Weight is \"\"");
    fails(header + "0,1,Directed,nan,angular\n", "Weight is \"nan\"");
    fails(header + "0,1,Directed,1e99,angular\n", "Weight is \"1e99\"");
    fails(header + "0,one,Directed,1,angular\n", "Target is \"one\", which is no row number");
    fails(header + "0,1,Directed,1,angular\n0,1,Directed,1,dot\n", "line 3: Similarity is \"dot\"");
}

TEST_CASE("JSON Lines that are no links") {
    const auto fails = [](std::string_view text, std::string_view part) {
        const Folder folder;
        put(folder / "a.jsonl", text);
        const auto [code, message] = error_of([&] { (void)read_links(folder / "a.jsonl", small_table()); });
        CHECK(code == ErrorCode::bad_input);
        CHECK_MESSAGE(message.find(part) != std::string::npos, message);
        CHECK(message.find('\n') == std::string::npos);
    };
    fails("{\"source\":0,\"target\":1}\n", "line 1: has no \"weight\"");
    fails("{\"source\":0,\"target\":1,\"weight\":NaN}\n", "holds NaN");
    fails("{\"source\":0,\"target\":1,\"weight\":\"1\"}\n", "weight is a string");
    fails("{\"source\":0,\"target\":1,\"weight\":1e99}\n", "no float32");
    fails("{\"source\":0,\"target\":1.5,\"weight\":1}\n", "target is a number with a fraction");
    fails("{\"source\":\"a\",\"target\":1,\"weight\":1}\n", "which is no row number");
    fails("{\"source\":0,\"target\":1,\"weight\":1,\"similarity\":\"angels\"}\n", "is \"angels\"");
    fails(
        "{\"source\":0,\"target\":1,\"weight\":1}\n{\"source\":0,\"target\":2,\"weight\":1,\"similarity\":"
        "\"dot\"}\n",
        "line 2: similarity is \"dot\", the lines before have \"\"");
    const Folder folder;
    put(folder / "a.jsonl",
        "{\"weight\":1,\"target\":2,\"source\":0}\n{\"source\":4,\"target\":0,\"weight\":1}\n");
    const LinksFile file = read_links(folder / "a.jsonl", small_table());
    CHECK(file.graph.targets == std::vector<std::int64_t>{2});
    CHECK(file.first_fault == "line 2: source is 4, which is no row of the input");
    CHECK(!file.record.metric);
}

TEST_CASE("damaged matrices are refused, wherever they are cut or changed") {
    const Folder folder;
    write_links({folder / "a.npz"}, {}, small_table(), small_result());
    const std::string whole = read(folder / "a.npz");
    const auto try_to_read = [&](std::string_view bytes) {
        put(folder / "b.npz", bytes);
        try {
            (void)read_links(folder / "b.npz", small_table());
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::bad_input);
            return false;
        }
        return true;
    };
    CHECK(try_to_read(whole));
    for (std::size_t size = 0; size < whole.size(); size += 31) CHECK(!try_to_read(whole.substr(0, size)));
    for (std::size_t at = 0; at < whole.size(); at += 7) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ (at % 2 == 0 ? 0xFF : 1));
        (void)try_to_read(changed);
    }
}

TEST_CASE("outputs go by their extension") {
    CHECK(error_of([] { read_links("a.npy", small_table()); }).first == ErrorCode::invalid_options);
    CHECK(error_of([] { read_links("/nowhere/a.npz", small_table()); }).first == ErrorCode::io);
}
