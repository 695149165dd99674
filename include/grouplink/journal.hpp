#pragma once

#include <grouplink/checkpoint.hpp>
#include <grouplink/export.hpp>
#include <grouplink/io.hpp>
#include <grouplink/job.hpp>
#include <grouplink/options.hpp>

#include <memory>
#include <string>

namespace grouplink {

struct JournalSpec {
    std::string output{};  ///< path that the job writes to; the journal of NAME is .NAME.resume beside it
    LinkOptions options{};
    Shard shard{};
    /// Go on from the journal that is there, and keep one from the start. Without, one is begun once the job
    /// has run for `begin_after_seconds`, and where that cannot be done there is none.
    bool resume = false;
    double begin_after_seconds = 10.0;
};

/// A file that keeps what a job found, group by group, until its output is written: what a killed process has
/// finished need not be found again. Nothing in the file is trusted: it is used up to the first byte that
/// does not check out. While one process keeps a journal, no other can.
class GROUPLINK_EXPORT Journal {
public:
    /// With `resume` opens or creates the file, and removes temporary files that killed runs left of this
    /// output.
    /// Throws Error with `resume` alone: io (another run keeps it, or the system refuses it); bad_input (a
    /// journal of another job, or no journal).
    explicit Journal(JournalSpec spec);
    /// What was kept stays in place; a journal of nothing is removed.
    ~Journal();
    Journal(Journal&&) noexcept;
    Journal& operator=(Journal&&) noexcept;

    /// For JobControl of the job, which is to link `table`; both the table and the journal must outlive it.
    /// Reads all vectors for their hash. Throws Error: bad_input (with `resume`, a journal of another input);
    /// io; cancelled.
    std::shared_ptr<const Checkpoints> open(const Table& table, const JobControl& control = {});

    /// The output is there: the journal is removed.
    void remove() noexcept;

    /// Whether another run can go on from it.
    bool kept() const;
    /// Whether, without `resume`, there is one of the same options to go on from.
    bool waiting() const;
    /// What a user should know of it, a line; empty most of the time.
    std::string note() const;
    const std::string& path() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace grouplink
