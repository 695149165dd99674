#include "parts/same_job.hpp"

#include "each_option.hpp"

#include <grouplink/error.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace grouplink {
namespace {

using NamedText = std::pair<std::string_view, std::string>;

std::vector<NamedText> texts_of(const LinkOptions& options) {
    std::vector<NamedText> texts;
    for_each_option(options, [&](std::string_view option, const auto& value) {
        if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>) {
            texts.emplace_back(option, name(value));
        } else {
            texts.emplace_back(option, fmt::format("{}", value));
        }
    });
    return texts;
}

[[noreturn]] void fail_apart(const LinkPart& part, std::string_view what, std::string_view got,
                             const LinkPart& first, std::string_view wanted) {
    throw Error(ErrorCode::bad_input,
                fmt::format("{}: is of another job than {}: its {} is {}, not {}; merge the parts of one "
                            "job, all linked with the same options",
                            part.name, first.name, what, got, wanted));
}

[[noreturn]] void fail_other_input(const LinkPart& part, const LinkPart& first, std::string_view what) {
    throw Error(ErrorCode::bad_input,
                fmt::format("{}: was linked from other {} than {}; link all shares from the same input",
                            part.name, what, first.name));
}

void check_alike(const LinkPart& part, const LinkPart& first) {
    const auto apart = [&](std::string_view what, const auto& got, const auto& wanted) {
        if (got != wanted) fail_apart(part, what, fmt::format("{}", got), first, fmt::format("{}", wanted));
    };
    const Report& report = part.report;
    apart("grouplink version", report.version, first.report.version);
    apart("number of shares", report.shard.count, first.report.shard.count);
    apart("number of rows", report.rows, first.report.rows);
    apart("number of groups", part.groups, first.groups);
    const auto got = texts_of(report.options);
    const auto wanted = texts_of(first.report.options);
    for (std::size_t i = 0; i < got.size(); ++i) apart(got[i].first, got[i].second, wanted[i].second);
    if (part.input.vectors != first.input.vectors) fail_other_input(part, first, "vectors");
    if (part.input.groups != first.input.groups) fail_other_input(part, first, "groups");
    if (part.input.ids != first.input.ids) fail_other_input(part, first, "ids");
}

}  // namespace

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
