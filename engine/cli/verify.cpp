#include "cli/progress.hpp"
#include "cli/run.hpp"
#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <grouplink/io.hpp>
#include <grouplink/verify.hpp>
#include <grouplink/version.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace grouplink::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t widest_example = 200;

/// One thing about how the links were made, and who says so.
struct Setting {
    std::string_view name;
    Json value;
    std::string text;
    std::string_view from;  ///< "given", "recorded" or "assumed"
};

/// What is verified against: what the flags say, else what the file says, else the default.
struct Made {
    LinkOptions options;
    std::optional<double> cut;
    std::vector<Setting> settings;
};

template <typename Value>
void settle(Made& made, std::string_view title, Value& value, const std::optional<Value>& given,
            const std::optional<Value>& recorded) {
    const std::string_view from = given ? "given" : recorded ? "recorded" : "assumed";
    value = given ? *given : recorded ? *recorded : value;
    if constexpr (std::is_enum_v<Value>) {
        made.settings.push_back({title, name(value), std::string(name(value)), from});
    } else {
        made.settings.push_back({title, value, fmt::format("{}", value), from});
    }
}

Made made_of(const VerifyArguments& arguments, const LinksFile& file) {
    const LinksRecord& given = arguments.given;
    const LinksRecord& recorded = file.record;
    Made made;
    made.options.threads = arguments.threads;
    if (file.pairs_once) {
        if (given.links == LinkMode::directed) {
            throw Error(ErrorCode::invalid_options,
                        fmt::format("{}: has undirected links; --links is mutual or symmetric, got directed",
                                    arguments.links));
        }
        made.options.links = LinkMode::symmetric;
    }
    settle(made, "metric", made.options.metric, given.metric, recorded.metric);
    // The other metrics have one mapping each.
    if (made.options.metric == Metric::angular || given.similarity) {
        settle(made, "similarity", made.options.similarity, given.similarity, recorded.similarity);
    }
    settle(made, "n-nearest", made.options.n_nearest, given.n_nearest, recorded.n_nearest);
    settle(made, "similarity-min", made.options.similarity_min, given.similarity_min,
           recorded.similarity_min);
    settle(made, "similarity-min-q", made.options.similarity_min_q, given.similarity_min_q,
           recorded.similarity_min_q);
    settle(made, "quantile-scope", made.options.quantile_scope, given.quantile_scope,
           recorded.quantile_scope);
    settle(made, "links", made.options.links, given.links, recorded.links);
    if (recorded.cut) {
        made.cut = recorded.cut;
        made.settings.push_back({"cut", *recorded.cut, fmt::format("{}", *recorded.cut), "recorded"});
    }
    return made;
}

std::string row_name(const IdColumn& ids, std::int64_t row) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&ids)) {
        return fmt::format("row {} (id {})", row, (*numbers)[static_cast<std::size_t>(row)]);
    }
    if (const auto* texts = std::get_if<StringColumn>(&ids)) {
        return fmt::format("row {} (\"{}\")", row, (*texts)[row]);
    }
    return fmt::format("row {}", row);
}

/// What reading the file found, as the first of the checks.
VerifyCheck file_check(const LinksFile& file) {
    const CheckState state = file.faults > 0 ? CheckState::broken : CheckState::ok;
    return {"file", state, file.faults, file.first_fault};
}

std::string recall_text(const VerifyRecall& recall) {
    if (recall.rows == 0) return {};
    const bool exact = recall.low == recall.high;
    return fmt::format("\nrecall {:.4f}{}: {} of {} of {} searched exactly\n", recall.recall,
                       exact ? "" : fmt::format(", 95 % interval {:.4f} to {:.4f}", recall.low, recall.high),
                       count_text(recall.found), plural(recall.expected, "link"), plural(recall.rows, "row"));
}

std::string result_text(const VerifyArguments& arguments, const LinksFile& file, const Made& made,
                        const VerifyResult& result) {
    std::string out = fmt::format("{}: {} of {}\n\n", printable(arguments.links),
                                  plural(file.graph.links(), "link"), plural(file.graph.rows(), "row"));
    std::vector<std::vector<std::string>> settings;
    for (const Setting& setting : made.settings) {
        settings.push_back({std::string(setting.name), setting.text, std::string(setting.from)});
    }
    out += table_text({{"made with"}, {"value"}, {"source"}}, settings) + '\n';
    std::vector<std::vector<std::string>> checks;
    for (const VerifyCheck& check : result.checks) {
        const bool skipped = check.state == CheckState::skipped;
        checks.push_back({check.name, std::string(name(check.state)), skipped ? "" : count_text(check.broken),
                          shorten(check.first, widest_example)});
    }
    out += table_text({{"check"}, {"result"}, {"broken", true}, {"first"}}, checks);
    out += recall_text(result.recall);
    const auto broken =
        std::count_if(result.checks.begin(), result.checks.end(),
                      [](const VerifyCheck& check) { return check.state == CheckState::broken; });
    out += broken == 0 ? "\nall checks hold\n" : fmt::format("\n{} broken\n", plural(broken, "check"));
    return out;
}

std::string result_json(const VerifyArguments& arguments, const LinksFile& file, const Made& made,
                        const VerifyResult& result) {
    Json settings = Json::object();
    for (const Setting& setting : made.settings) {
        settings[std::string(setting.name)] = Json{{"value", setting.value}, {"source", setting.from}};
    }
    Json checks = Json::array();
    for (const VerifyCheck& check : result.checks) {
        checks.push_back(Json{{"name", check.name},
                              {"result", name(check.state)},
                              {"broken", check.broken},
                              {"first", check.first}});
    }
    const VerifyRecall& recall = result.recall;
    Json measured;
    if (recall.rows > 0) {
        measured = Json{{"recall", recall.recall}, {"low", recall.low},           {"high", recall.high},
                        {"rows", recall.rows},     {"expected", recall.expected}, {"found", recall.found}};
    }
    const Json document{{"version", version()},        {"input", arguments.input.path},
                        {"output", arguments.links},   {"rows", file.graph.rows()},
                        {"links", file.graph.links()}, {"ok", result.ok()},
                        {"made_with", settings},       {"checks", checks},
                        {"recall", measured}};
    // Ids, keys and paths may hold any bytes.
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

bool run_verify(const VerifyArguments& arguments, const std::stop_token& stop) {
    ProgressLine line(!arguments.quiet && error_is_terminal());
    const JobControl control{line.callback(), stop};
    line.update({"read", 0.0});
    const Table table = read_table(arguments.input, control);
    const LinksFile file = read_links(arguments.links, table, control);
    const Made made = made_of(arguments, file);

    VerifyOptions options;
    options.links = made.options;
    options.cut = made.cut;
    options.sample = arguments.sample;
    options.recall_min = arguments.recall_min;
    options.seed = arguments.seed;
    options.row_name = [&](std::int64_t row) { return row_name(table.ids, row); };
    VerifyResult result = about_file(arguments.input.path, [&] {
        return verify_links(table.vectors, table.groups, file.graph, options, control);
    });
    table.check_unchanged();
    std::vector<VerifyCheck> checks{file_check(file)};
    checks.insert(checks.end(), result.checks.begin(), result.checks.end());
    result.checks = std::move(checks);
    line.clear();
    if (const std::string times = line.times_text(); !times.empty()) {
        print_error(fmt::format("verified in {}\n", times));
    }
    print(arguments.json ? result_json(arguments, file, made, result)
                         : result_text(arguments, file, made, result));
    return result.ok();
}

}  // namespace grouplink::cli
