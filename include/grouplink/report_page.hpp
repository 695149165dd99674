#pragma once

#include <grouplink/csr.hpp>
#include <grouplink/export.hpp>
#include <grouplink/groups.hpp>
#include <grouplink/io.hpp>
#include <grouplink/report.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace grouplink {

/// A few links of a result, for people to look at.
struct LinkSample {
    struct Link {
        std::int64_t source = 0;
        std::int64_t target = 0;
        float weight = 0.0F;
    };
    /// Some rows around one, and all links among them.
    struct Neighborhood {
        std::vector<std::int64_t> rows;  ///< distinct, the one in the middle first
        std::vector<Link> links;         ///< a pair once, its lower row the source
    };
    /// At most one link a row and three of a weight; strongest first, and weakest first.
    std::vector<Link> strongest;
    std::vector<Link> weakest;
    std::vector<Neighborhood> neighborhoods;  ///< in the groups with the most links, at most a few of them
    std::vector<std::int64_t> rows;           ///< all of the above, ascending
};

/// Depends on its arguments alone. Takes a few passes over the rows, and little memory.
GROUPLINK_EXPORT LinkSample sample_links(const CsrGraph& graph, const GroupColumn& groups,
                                         std::uint64_t seed = 0);

/// The report as one page of HTML that reads nothing else and runs nothing. `groups` and `ids` are those of
/// the table; `texts` has one of each row in `sample.rows`, or none.
/// Throws Error(bad_input) when they do not fit together.
GROUPLINK_EXPORT std::string to_html(const Report& report, const LinkSample& sample,
                                     const GroupColumn& groups, const IdColumn& ids,
                                     const StringColumn& texts = {});

}  // namespace grouplink
