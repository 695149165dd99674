#include "page/label.hpp"

#include "page/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace grouplink::page {

std::string_view key_text(std::string_view key, std::size_t groups) {
    if (!key.empty()) return key;
    return groups == 1 ? "all rows" : "(empty)";
}

std::string id_text(const Subject& subject, std::int64_t row) {
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&subject.ids)) {
        return fmt::format("{}", (*numbers)[static_cast<std::size_t>(row)]);
    }
    if (const auto* texts = std::get_if<StringColumn>(&subject.ids)) return std::string((*texts)[row]);
    return fmt::format("row {}", row);
}

std::string_view text_of(const Subject& subject, std::int64_t row) {
    if (subject.texts.size() == 0) return {};
    const std::vector<std::int64_t>& rows = subject.sample.rows;
    return subject.texts[std::lower_bound(rows.begin(), rows.end(), row) - rows.begin()];
}

std::string_view group_of(const Subject& subject, std::int64_t row) {
    const std::int32_t code = subject.groups.codes[static_cast<std::size_t>(row)];
    if (code < 0) return {};
    return key_text(subject.groups.keys[static_cast<std::size_t>(code)], subject.groups.keys.size());
}

std::string knobs_text(IndexKind index, const SearchReport& search) {
    if (search.exhaustive) return "all pairs, as nothing less reached the target";
    switch (index) {
        case IndexKind::ivf:
            return fmt::format("{} of {} lists", count_text(search.ivf.nprobe), count_text(search.ivf.nlist));
        case IndexKind::hnsw:
            return fmt::format("M {}, ef_search {}", count_text(search.hnsw.M),
                               count_text(search.hnsw.ef_search));
        case IndexKind::partition: {
            const std::int64_t passes = search.partition.passes;
            return fmt::format("{} pass{}, {} a row, {}", count_text(passes), passes == 1 ? "" : "es",
                               plural(search.partition.fanout, "cell"),
                               plural(search.partition.refinements, "refinement"));
        }
        default: return {};
    }
}

}  // namespace grouplink::page
