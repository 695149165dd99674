#include "parts/same_job.hpp"

#include "each_option.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace grouplink {
namespace {

using NamedText = std::pair<std::string_view, std::string>;

std::vector<NamedText> texts_of(const LinkPart& part) {
    const Report& report = part.report;
    std::vector<NamedText> texts{{"grouplink version", report.version},
                                 {"number of shares", fmt::format("{}", report.shard.count)},
                                 {"number of rows", fmt::format("{}", report.rows)},
                                 {"number of groups", fmt::format("{}", part.groups)}};
    for_each_option(report.options, [&](std::string_view option, const auto& value) {
        if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>) {
            texts.emplace_back(option, name(value));
        } else {
            texts.emplace_back(option, fmt::format("{}", value));
        }
    });
    return texts;
}

void check_alike(const LinkPart& part, const LinkPart& first) {
    const std::optional<JobDifference> apart = find_difference(part, first);
    if (!apart) return;
    if (apart->input) {
        throw Error(ErrorCode::bad_input,
                    fmt::format("{}: was linked from other {} than {}; link all shares from the same input",
                                part.name, apart->what, first.name));
    }
    throw Error(ErrorCode::bad_input,
                fmt::format("{}: is of another job than {}: its {} is {}, not {}; merge the parts of one "
                            "job, all linked with the same options",
                            part.name, first.name, apart->what, apart->one, apart->other));
}

}  // namespace

std::optional<JobDifference> find_difference(const LinkPart& one, const LinkPart& other) {
    std::vector<NamedText> ones = texts_of(one);
    std::vector<NamedText> others = texts_of(other);
    for (std::size_t i = 0; i < ones.size(); ++i) {
        if (ones[i].second == others[i].second) continue;
        return JobDifference{std::string(ones[i].first), std::move(ones[i].second),
                             std::move(others[i].second)};
    }
    const auto other_input = [](const char* what) { return JobDifference{what, {}, {}, true}; };
    if (one.input.vectors != other.input.vectors) return other_input("vectors");
    if (one.input.groups != other.input.groups) return other_input("groups");
    if (one.input.ids != other.input.ids) return other_input("ids");
    return std::nullopt;
}

void check_same_job(std::span<const LinkPart> parts) {
    if (parts.empty()) throw Error(ErrorCode::bad_input, "merge: got no parts");
    const LinkPart& first = parts.front();
    const std::int64_t count = first.report.shard.count;
    validate(first.report.shard);
    std::vector<const LinkPart*> of_share(static_cast<std::size_t>(count), nullptr);
    for (const LinkPart& part : parts) {
        check_alike(part, first);
        validate(part.report.shard);
        const LinkPart*& place = of_share[static_cast<std::size_t>(part.report.shard.index - 1)];
        if (place) {
            throw Error(ErrorCode::bad_input,
                        fmt::format("{}: is share {} of {}, as {} is; pass each share once", part.name,
                                    part.report.shard.index, count, place->name));
        }
        place = &part;
    }
    constexpr std::size_t most_named = 10;
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < of_share.size(); ++i) {
        if (!of_share[i]) missing.push_back(i + 1);
    }
    if (missing.empty()) return;
    const std::size_t lacking = missing.size();
    missing.resize(std::min(lacking, most_named));
    const bool one = lacking == 1;
    throw Error(ErrorCode::bad_input,
                fmt::format("{} of {} parts {} missing: of share{} {}{}; link {} and pass all parts", lacking,
                            count, one ? "is" : "are", one ? "" : "s", fmt::join(missing, ", "),
                            lacking > most_named ? ", ..." : "", one ? "it" : "them"));
}

}  // namespace grouplink
