#include "io/edges_text.hpp"

#include "io/outputs.hpp"

#include <limits>

using namespace grouplink;
using namespace grouplink::test;

namespace {

std::string edges(char separator, const Table& table, const LinkResult& result) {
    const Folder folder;
    io::AtomicFile file(folder / "edges", false);
    io::write_edges_text(file, separator, io::links_out(table, result), {});
    file.commit();
    return read(folder / "edges");
}

}  // namespace

TEST_CASE("directed edges by row number") {
    CHECK(edges(',', small_table(), small_result()) ==
          "Source,Target,Type,Weight,Similarity\n"
          "0,1,Directed,0.75,angular\n0,2,Directed,0.1,angular\n"
          "1,0,Directed,0.75,angular\n2,0,Directed,0.1,angular\n");
}

TEST_CASE("undirected edges stand once") {
    for (const LinkMode mode : {LinkMode::mutual, LinkMode::symmetric}) {
        CHECK(edges('\t', small_table(std::vector<std::int64_t>{-5, 6, 7, 8}), small_result(mode)) ==
              "Source\tTarget\tType\tWeight\tSimilarity\n"
              "-5\t6\tUndirected\t0.75\tangular\n-5\t7\tUndirected\t0.1\tangular\n");
    }
}

TEST_CASE("ids are quoted where they must be") {
    const Table table = small_table(texts({"a,b", "say \"x\"", "two\nlines\tand a tab", "d"}));
    const LinkResult result = small_result(LinkMode::mutual);
    CHECK(edges(',', table, result) ==
          "Source,Target,Type,Weight,Similarity\n"
          "\"a,b\",\"say \"\"x\"\"\",Undirected,0.75,angular\n"
          "\"a,b\",\"two\nlines\tand a tab\",Undirected,0.1,angular\n");
    CHECK(edges('\t', table, result) ==
          "Source\tTarget\tType\tWeight\tSimilarity\n"
          "a,b\t\"say \"\"x\"\"\"\tUndirected\t0.75\tangular\n"
          "a,b\t\"two\nlines\tand a tab\"\tUndirected\t0.1\tangular\n");
}

TEST_CASE("weights read back as they were") {
    LinkResult result = small_result();
    const float awkward[] = {0.1F + 0.2F, std::numeric_limits<float>::denorm_min(), 16777217.0F, 1.0F / 3.0F};
    result.graph.weights.assign(std::begin(awkward), std::end(awkward));
    const std::string text = edges(',', small_table(), result);
    std::size_t at = 0;
    for (const float weight : awkward) {
        at = text.find("Directed,", at) + 9;
        CHECK(std::strtof(text.c_str() + at, nullptr) == weight);
    }
}

TEST_CASE("no rows, no links") {
    LinkResult result;
    CHECK(edges(',', small_table(), result) == "Source,Target,Type,Weight,Similarity\n");
}
