#include "parallel/workers.hpp"

#include "parallel/busy.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace grouplink::parallel {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Keeps BLAS at one thread while any job runs. OpenBLAS has one setting for the whole process,
/// which is why the count of its users is one for the process too; any other BLAS is left alone.
class SingleThreadedBlas {
public:
    SingleThreadedBlas() {
        // A child must not find the lock held by a thread that only its parent has.
        static const int handled =
            ::pthread_atfork([] { mutex().lock(); }, [] { mutex().unlock(); }, [] { mutex().unlock(); });
        (void)handled;
        const std::lock_guard lock(mutex());
        if (users()++ > 0) return;
        static const auto get = symbol<int (*)()>("openblas_get_num_threads");
        if (get) {
            saved() = get();
            set(1);
        }
    }
    ~SingleThreadedBlas() {
        const std::lock_guard lock(mutex());
        if (--users() == 0 && saved() > 0) set(saved());
    }
    SingleThreadedBlas(const SingleThreadedBlas&) = delete;
    SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;

private:
    template <typename Function>
    static Function symbol(const char* function_name) {
        return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, function_name));
    }
    static void set(int threads) {
        static const auto function = symbol<void (*)(int)>("openblas_set_num_threads");
        if (function) function(threads);
    }
    static std::mutex& mutex() {
        static std::mutex instance;
        return instance;
    }
    static int& users() {
        static int count = 0;
        return count;
    }
    static int& saved() {
        static int threads = 0;
        return threads;
    }
};

class ProgressMeter {
public:
    ProgressMeter(const JobControl& control, std::string_view stage, double before, double total)
        : control_(control), stage_(stage), before_(before), total_(total), done_(before) {}

    void add(double amount) {
        if (!control_.on_progress) return;
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock.owns_lock()) {
            double seen = missed_.load(std::memory_order_relaxed);
            while (!missed_.compare_exchange_weak(seen, seen + amount, std::memory_order_relaxed)) {
            }
            return;
        }
        done_ += amount + missed_.exchange(0.0, std::memory_order_relaxed);
        const auto now = Clock::now();
        if (now - last_ < std::chrono::milliseconds(100)) return;
        last_ = now;
        control_.on_progress({.stage = stage_, .done = share_of(done_), .before = share_of(before_)});
    }

private:
    double share_of(double amount) const { return total_ > 0 ? std::min(1.0, amount / total_) : 1.0; }

    const JobControl& control_;
    std::string_view stage_;
    double before_;
    double total_;
    std::mutex mutex_;
    double done_;
    std::atomic<double> missed_{0.0};  ///< amounts of calls that found another one reporting
    Clock::time_point last_ = Clock::now();
};

/// What every worker takes its next unit from.
class Scheduler {
public:
    Scheduler(std::vector<Work> works, int threads, const JobControl& control, std::string_view stage_name,
              double cost_before)
        : works_(std::move(works)),
          control_(control),
          meter_(control, stage_name, cost_before, cost_before + total_cost()),
          busy_(static_cast<std::size_t>(threads)) {}

    void work(int worker) {
        std::unique_lock lock(mutex_);
        while (!failure_) {
            Claim claim;
            try {
                claim = next_claim();
            } catch (...) {
                failure_ = std::current_exception();
                changed_.notify_all();
                break;
            }
            if (!claim.active) {
                if (active_.empty()) break;
                changed_.wait(lock);
                continue;
            }
            lock.unlock();
            const double begin = seconds_since(start_);
            std::int64_t units = 0;
            std::exception_ptr thrown;
            try {
                units = execute(claim, worker);
            } catch (...) {
                thrown = std::current_exception();
            }
            busy_[static_cast<std::size_t>(worker)].add(begin, seconds_since(start_));
            lock.lock();
            if (thrown) {
                if (!failure_) failure_ = thrown;
            } else {
                settle(claim, units);
            }
            changed_.notify_all();
        }
    }

    void fail(std::exception_ptr thrown) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::move(thrown);
        changed_.notify_all();
    }

    std::vector<WorkerReport> finish() {
        if (failure_) std::rethrow_exception(failure_);
        return reports_of(busy_, seconds_since(start_));
    }

private:
    struct Active {
        Work work;
        std::size_t stage = 0;
        bool begun = false;      ///< the stage's `begin` was claimed
        std::int64_t units = 0;  ///< of the stage, once `begin` has returned
        std::int64_t next = 0;
        std::int64_t running = 0;
    };
    struct Claim {
        Active* active = nullptr;
        std::int64_t unit = -1;  ///< -1: `begin`
    };

    double total_cost() const {
        double total = 0;
        for (const Work& work : works_) total += work.cost;
        return total;
    }

    Claim next_claim() {
        for (const auto& active : active_) {
            if (!active->begun) {
                active->begun = true;
                ++active->running;
                return {active.get(), -1};
            }
            if (active->next < active->units) {
                ++active->running;
                return {active.get(), active->next++};
            }
        }
        while (next_work_ < works_.size()) {
            Work& work = works_[next_work_++];
            if (work.stages.empty()) continue;
            active_.push_back(std::make_unique<Active>());
            active_.back()->work = std::move(work);
            active_.back()->begun = true;
            active_.back()->running = 1;
            return {active_.back().get(), -1};
        }
        return {};
    }

    std::int64_t execute(const Claim& claim, int worker) {
        check_stop(control_);
        const Stage& stage = claim.active->work.stages[claim.active->stage];
        if (claim.unit < 0) {
            const std::int64_t units = stage.begin(worker);
            if (units == 0) meter_.add(claim.active->work.cost * stage.share);
            return units;
        }
        stage.run(claim.unit, worker);
        meter_.add(claim.active->work.cost * stage.share / static_cast<double>(claim.active->units));
        return 0;
    }

    void settle(const Claim& claim, std::int64_t units) {
        Active& active = *claim.active;
        --active.running;
        if (claim.unit < 0) active.units = units;
        if (active.running > 0 || active.next < active.units) return;
        active.begun = false;
        active.units = 0;
        active.next = 0;
        if (++active.stage < active.work.stages.size()) return;
        std::erase_if(active_, [&](const auto& other) { return other.get() == &active; });
    }

    std::vector<Work> works_;
    const JobControl& control_;
    ProgressMeter meter_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t next_work_ = 0;
    std::vector<std::unique_ptr<Active>> active_;  ///< in the order they began
    std::exception_ptr failure_;
    std::vector<BusyRecord> busy_;  ///< of each worker
    const Clock::time_point start_ = Clock::now();
};

/// CPUs' worth of time that the container may use, rounded up; 0 = no limit found.
int quota_threads() {
    std::ifstream file("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0;
    if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
    return std::max(1, static_cast<int>(std::atof(quota.c_str()) / period + 0.999));
}

}  // namespace

int resolve_threads(int threads) {
    if (threads > 0) return threads;
    cpu_set_t mask;
    CPU_ZERO(&mask);
    const bool known = sched_getaffinity(0, sizeof mask, &mask) == 0;
    const int allowed = known ? CPU_COUNT(&mask) : static_cast<int>(std::thread::hardware_concurrency());
    const int quota = quota_threads();
    return std::max(1, quota > 0 ? std::min(allowed, quota) : allowed);
}

std::vector<WorkerReport> run_all(std::vector<Work> works, int threads, const JobControl& control,
                                  std::string_view stage_name, double cost_before) {
    const SingleThreadedBlas blas;
    std::int64_t useful = 0;
    for (const Work& work : works) useful += std::min(work.most_units, threads - useful);
    Scheduler scheduler(std::move(works), threads, control, stage_name, cost_before);
    const auto worker = [&scheduler](int id) { scheduler.work(id); };
    {
        std::vector<std::jthread> helpers;
        helpers.reserve(static_cast<std::size_t>(threads));
        // The threads already running must not wait for one that never comes.
        try {
            for (int id = 1; id < useful; ++id) helpers.emplace_back(worker, id);
        } catch (const std::bad_alloc&) {
            scheduler.fail(std::current_exception());
        } catch (const std::system_error& error) {
            scheduler.fail(std::make_exception_ptr(
                Error(ErrorCode::internal,
                      fmt::format("cannot start {} threads: {}; use fewer", threads, error.what()))));
        }
        worker(0);
    }
    return scheduler.finish();
}

Stage block_stage(std::int64_t count, std::int64_t block, BlockBody body, double share) {
    return {.begin = [=](int) { return (count + block - 1) / block; },
            .run = [=, body = std::move(body)](
                       std::int64_t unit,
                       int worker) { body(unit * block, std::min(count, (unit + 1) * block), worker); },
            .share = share};
}

void for_blocks(std::int64_t count, std::int64_t block, int threads, const JobControl& control,
                std::string_view stage_name, const BlockBody& body) {
    std::vector<Work> works(1);
    works.front().stages.push_back(block_stage(count, block, body));
    works.front().most_units = (count + block - 1) / block;
    run_all(std::move(works), threads, control, stage_name);
}

JobControl count_rows(const JobControl& control, std::int64_t rows) {
    if (!control.on_progress) return control;
    const auto report = [report_share = control.on_progress, rows](const Progress& progress) {
        const bool counted = progress.total > 0;
        report_share(counted ? progress
                             : Progress{progress.stage, progress.done, rows, "rows", progress.before});
    };
    return {report, control.stop, control.checkpoints};
}

void check_stop(const JobControl& control) {
    if (control.stop.stop_requested()) throw Error(ErrorCode::cancelled, "cancelled");
}

}  // namespace grouplink::parallel
