#pragma once

#include <grouplink/csr.hpp>
#include <grouplink/export.hpp>
#include <grouplink/groups.hpp>
#include <grouplink/job.hpp>
#include <grouplink/matrix.hpp>
#include <grouplink/options.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grouplink {

struct VerifyOptions {
    /// How the links are said to have been made. Of `index`, `on_bad_row` and `seed` nothing is asked.
    LinkOptions links{};
    /// The weight that links had to reach, where it is known. Else it is similarity_min and, with a
    /// quantile, which nobody can tell from the links alone, the least weight that they have.
    std::optional<double> cut{};
    /// Rows searched exactly for the recall; 0 measures none. Under LinkMode::mutual a row's neighbors
    /// are searched as well, so that fewer rows are judged.
    std::int64_t sample = 1000;
    double recall_min = 0.0;  ///< recall below this is a fault; in [0, 1]
    std::uint64_t seed = 0;   ///< which rows are sampled
    /// How examples name a row; empty: "row 17".
    std::function<std::string(std::int64_t)> row_name{};
};

enum class CheckState : std::uint8_t {
    ok,
    broken,
    skipped,  ///< does not apply to these links, or could not be made
};

GROUPLINK_EXPORT std::string_view name(CheckState state) noexcept;

struct VerifyCheck {
    std::string name;  ///< "offsets", "targets", "weights", ...
    CheckState state = CheckState::ok;
    std::int64_t broken = 0;  ///< links or rows at which it does not hold
    std::string first{};      ///< one line on the first of them
};

/// How many of the links that an exact search finds are there. A link as near as the farthest of those
/// counts, whichever of equally near rows it goes to.
struct VerifyRecall {
    std::int64_t rows = 0;      ///< judged; 0: nothing was measured
    std::int64_t expected = 0;  ///< links that these rows should have
    std::int64_t found = 0;     ///< of these
    double recall = 1.0;        ///< found / expected; 1 when none are expected
    double low = 1.0;           ///< 95 % interval, by rows; of no width when all rows were judged
    double high = 1.0;
};

struct VerifyResult {
    std::vector<VerifyCheck> checks;  ///< each, in a fixed order
    VerifyRecall recall;

    bool ok() const {
        for (const VerifyCheck& check : checks) {
            if (check.state == CheckState::broken) return false;
        }
        return true;
    }
};

/// Checks links of any origin against the rows that they are of: the invariants of CsrGraph and of the
/// link mode, each weight by the canonical scoring, and the recall of a sample of rows. Links may be
/// broken in any way: what is wrong is told in the result.
///
/// Throws Error: invalid_options; bad_input (vectors and groups that do not fit together); cancelled.
GROUPLINK_EXPORT VerifyResult verify_links(const MatrixView& vectors, const GroupColumn& groups,
                                           const CsrGraph& links, const VerifyOptions& options = {},
                                           const JobControl& control = {});

}  // namespace grouplink
