#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stress {

/// A fixed list of jobs, each made of its number alone, run round after round in changing order. What a job
/// gives is compared with what it gave before, and at first with brute force where it is exact.
class Jobs {
public:
    Jobs();
    ~Jobs();
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;

    void run_next();

    std::int64_t count() const { return count_; }
    std::int64_t distinct() const;
    std::int64_t rounds() const { return count_ / distinct(); }
    const std::string& folder() const { return folder_; }
    const std::vector<std::string>& faults() const { return faults_; }
    std::string summary() const;  ///< how many of each kind

private:
    std::string folder_;
    std::int64_t count_ = 0;
    std::vector<std::uint64_t> order_;
    std::vector<std::uint64_t> results_;  ///< of each job, hashed; 0: none yet
    std::vector<std::int64_t> kinds_;     ///< runs of each kind
    std::vector<std::string> faults_;
};

}  // namespace stress
