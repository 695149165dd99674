#include <grouplink/journal.hpp>

#include <grouplink/version.hpp>

#include "io/journal_file.hpp"
#include "io/journal_record.hpp"
#include "io/message.hpp"
#include "io/part_manifest.hpp"
#include "kernels/kernels.hpp"
#include "knn/knn.hpp"
#include "parallel/workers.hpp"
#include "parts/same_job.hpp"
#include "rows/fingerprint.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace grouplink {
namespace {

using io::JournalFile;

/// What a journal says of its job: what a part would, of which it has none of the rows.
LinkPart job_of(const JournalSpec& spec) {
    LinkPart job;
    job.report.version = version();
    job.report.options = spec.options;
    job.report.shard = spec.shard;
    return job;
}

void describe_input(LinkPart& job, const Table& table, int threads, const JobControl& control) {
    job.report.rows = table.vectors.rows;
    job.groups = std::ssize(table.groups.keys);
    job.input = {.vectors = hash_vectors(table.vectors, threads, control),
                 .groups = hash_groups(table.groups),
                 .ids = 0};
}

void copy_input(LinkPart& job, const LinkPart& other) {
    job.report.rows = other.report.rows;
    job.groups = other.groups;
    job.input = other.input;
}

/// The job of a manifest, or none where it makes no sense.
std::optional<LinkPart> read_job(const std::string& manifest, const std::string& path) {
    if (manifest.empty()) return std::nullopt;
    try {
        PartFile file;
        io::read_part_manifest(manifest, path, file);
        return std::move(file.part);
    } catch (const Error&) {
        return std::nullopt;
    }
}

/// In words: "its metric is dot, not angular"; empty when there is no difference.
std::string difference(const LinkPart& kept, const LinkPart& job) {
    if (const auto apart = find_difference(kept, job)) {
        if (apart->input) return fmt::format("its input had other {}", apart->what);
        return fmt::format("its {} is {}, not {}", apart->what, apart->one, apart->other);
    }
    if (kept.report.shard == job.report.shard) return {};
    return fmt::format("its share is {}, not {}", kept.report.shard.index, job.report.shard.index);
}

}  // namespace

struct Journal::State {
    explicit State(JournalSpec the_spec) : spec(std::move(the_spec)) {
        const io::OutputPlace place = io::output_place(spec.output, true);
        path = io::journal_path(place);
        job = job_of(spec);
        if (spec.resume) {
            file = JournalFile::open(path, true);
            kept_job = read_job(file->manifest(), path);
            if (kept_job) {
                LinkPart alike = job;
                copy_input(alike, *kept_job);
                refuse_another(alike);
                has_records = file->holds_record();
            }
            io::remove_leftovers(place);
            return;
        }
        waiting = is_waiting();
    }

    ~State() {
        stop();
        if (file && !has_records) file->remove();
    }

    void stop() {
        thread.request_stop();
        if (thread.joinable()) thread.join();
    }

    /// Whether a journal stands there that is of the same job as far as options go.
    bool is_waiting() const {
        try {
            std::optional<JournalFile> there = JournalFile::open(path, false);
            if (!there || !there->holds_record()) return false;
            const std::optional<LinkPart> other = read_job(there->manifest(), path);
            if (!other) return false;
            LinkPart alike = job;
            copy_input(alike, *other);
            return difference(*other, alike).empty();
        } catch (const Error&) {
            return false;  // of another run, or not to be read
        }
    }

    void refuse_another(const LinkPart& wanted) const {
        const std::string apart = difference(*kept_job, wanted);
        if (apart.empty()) return;
        io::fail(ErrorCode::bad_input,
                 "{}: is the journal of another job: {}; resume with what that job had, or delete it to "
                 "begin anew",
                 path, apart);
    }

    /// From here on, what is finished is kept.
    void begin(const Table& table, int threads, const JobControl& control) {
        describe_input(job, table, threads, control);
        if (spec.resume) {
            if (kept_job) refuse_another(job);
        } else {
            std::optional<JournalFile> opened = JournalFile::open(path, true);
            kept_job = read_job(opened->manifest(), path);
            if (kept_job && !difference(*kept_job, job).empty()) kept_job.reset();
            const std::lock_guard lock(mutex);
            file = std::move(opened);
        }
        const std::lock_guard lock(mutex);
        if (!kept_job) file->begin(io::part_manifest(job, {}));
        // Without `resume` what was kept stays too, for a run that will ask for it.
        if (!spec.resume) {
            while (file->next()) continue;
            has_records = file->has_records();
        }
        open = true;
    }

    /// Passes on what is in the file, up to where it makes sense no more.
    void restore(const Checkpoints::Take& take) {
        const std::lock_guard lock(mutex);
        std::int64_t left_out = 0;
        while (const std::optional<std::string> record = file->next()) {
            const auto checkpoint = io::read_journal_record(*record, machine, left_out);
            if (checkpoint && take(*checkpoint)) continue;
            file->drop();
            break;
        }
        has_records = file->has_records();
        if (left_out > 0) {
            note = fmt::format(
                "{} approximate group{} found on another instruction set, or with another FAISS, and "
                "searched again",
                left_out, left_out == 1 ? " was" : "s were");
        }
    }

    void keep(const Checkpoint& checkpoint) {
        const std::string record = io::journal_record(checkpoint, machine);
        const std::lock_guard lock(mutex);
        if (!open) return;
        try {
            file->append(record);
            has_records = file->has_records();
            unsynced = true;
        } catch (const Error& error) {
            open = false;
            note = fmt::format("not all that was found could be kept for --resume: {}", error.what());
        }
    }

    /// Begins late, where that is to be, and brings to the disk what a loss of power would take.
    void run(const std::stop_token& stop, const Table& table, std::chrono::duration<double> delay) {
        try {
            if (!spec.resume) {
                if (pause(stop, delay)) return;
                begin(table, 1, {.on_progress = {}, .stop = stop});
            }
        } catch (const std::exception& error) {
            if (stop.stop_requested()) return;
            const std::lock_guard lock(mutex);
            note = fmt::format("nothing is kept for --resume: {}", error.what());
            return;
        }
        constexpr std::chrono::seconds interval(5);
        while (!pause(stop, interval)) {
            // Without the lock, for the job to go on.
            if (unsynced.exchange(false)) file->sync();
        }
    }

    /// Whether it ended before its time.
    bool pause(const std::stop_token& stop, std::chrono::duration<double> time) {
        std::unique_lock lock(waiting_mutex);
        waited.wait_for(lock, stop, time, [] { return false; });
        return stop.stop_requested();
    }

    JournalSpec spec;
    std::string path;
    std::string machine = fmt::format("{}, FAISS {}", kernels::name(kernels::best().isa), faiss_version());
    LinkPart job;
    std::optional<LinkPart> kept_job;  ///< of the file as it was found
    bool waiting = false;

    std::mutex mutex;  ///< of all below
    std::optional<JournalFile> file;
    std::string note;
    std::atomic<bool> open{false};  ///< groups are kept
    std::atomic<bool> has_records{false};
    std::atomic<bool> unsynced{false};

    std::mutex waiting_mutex;
    std::condition_variable_any waited;
    std::jthread thread;
};

Journal::Journal(JournalSpec spec) : state_(std::make_unique<State>(std::move(spec))) {}
Journal::~Journal() = default;
Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;

std::shared_ptr<const Checkpoints> Journal::open(const Table& table, const JobControl& control) {
    State& state = *state_;
    auto checkpoints = std::make_shared<Checkpoints>();
    if (state.spec.resume) {
        state.begin(table, parallel::resolve_threads(state.spec.options.threads),
                    parallel::count_rows(control, table.vectors.rows));
        checkpoints->restore = [&state](const Checkpoints::Take& take) { state.restore(take); };
    }
    checkpoints->wanted = [&state] { return state.open.load(std::memory_order_relaxed); };
    checkpoints->keep = [&state](const Checkpoint& checkpoint) { state.keep(checkpoint); };
    try {
        const std::chrono::duration<double> delay(state.spec.begin_after_seconds);
        state.thread = std::jthread(
            [&state, &table, delay](const std::stop_token& stop) { state.run(stop, table, delay); });
    } catch (const std::system_error&) {
        // Without a thread of its own it is written all the same, or not begun late.
    }
    return checkpoints;
}

void Journal::remove() noexcept {
    State& state = *state_;
    state.stop();
    try {
        if (!state.file && state.waiting) state.file = JournalFile::open(state.path, false);
    } catch (const std::exception&) {
        return;  // it is another run's now
    }
    if (state.file) state.file->remove();
    state.file.reset();
    state.has_records = false;
}

bool Journal::kept() const { return state_->has_records; }
bool Journal::waiting() const { return state_->waiting; }
const std::string& Journal::path() const { return state_->path; }

std::string Journal::note() const {
    const std::lock_guard lock(state_->mutex);
    return state_->note;
}

}  // namespace grouplink
