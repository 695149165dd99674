#pragma once

#include <omp.h>

#include <cstddef>
#include <vector>

namespace grouplink::parallel {

/// While it lives, parallel regions that FAISS opens in this thread have one thread: the engine's own threads
/// are all that there are, and a process that has used the engine can fork. The setting is the thread's own.
/// To be made around such calls alone: libgomp ends the process when it has no memory for a thread's
/// settings.
class SingleThreadedOpenMp {
public:
    SingleThreadedOpenMp() : saved_(omp_get_max_threads()) { omp_set_num_threads(1); }
    ~SingleThreadedOpenMp() { omp_set_num_threads(saved_); }
    SingleThreadedOpenMp(const SingleThreadedOpenMp&) = delete;
    SingleThreadedOpenMp& operator=(const SingleThreadedOpenMp&) = delete;

private:
    int saved_;
};

/// Locks as FAISS takes them.
class OpenMpLocks {
public:
    explicit OpenMpLocks(std::size_t count) : locks_(count) {
        for (omp_lock_t& lock : locks_) omp_init_lock(&lock);
    }
    ~OpenMpLocks() {
        for (omp_lock_t& lock : locks_) omp_destroy_lock(&lock);
    }
    OpenMpLocks(const OpenMpLocks&) = delete;
    OpenMpLocks& operator=(const OpenMpLocks&) = delete;

    std::vector<omp_lock_t>& all() { return locks_; }

private:
    std::vector<omp_lock_t> locks_;
};

}  // namespace grouplink::parallel
