// Differential fuzzing: jobs and kernels of random shape, each against what must agree with it.
//
//     grouplink_differential SECONDS [FIRST]      cases FIRST, FIRST + 1, ... (default: 1) for so long
//     grouplink_differential --case NUMBER        one case, as a finding names it

#include "differential.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

namespace {

/// Two in three of the numbers are jobs.
std::string run_case(std::uint64_t number) {
    differential::Random random(number);
    try {
        return number % 3 == 0 ? differential::check_kernels(random) : differential::check_job(random);
    } catch (const std::exception& exception) {
        return std::string("threw: ") + exception.what();
    }
}

}  // namespace

int main(int argc, char** argv) {
    using Clock = std::chrono::steady_clock;
    if (argc == 3 && std::string(argv[1]) == "--case") {
        const std::string wrong = run_case(std::strtoull(argv[2], nullptr, 10));
        std::printf("%s\n", wrong.empty() ? "agrees" : wrong.c_str());
        return wrong.empty() ? 0 : 1;
    }
    if (argc < 2 || argc > 3) {
        std::fputs("grouplink_differential: pass SECONDS [FIRST] or --case NUMBER\n", stderr);
        return 2;
    }
    const auto end = Clock::now() + std::chrono::seconds(std::strtol(argv[1], nullptr, 10));
    const std::uint64_t first = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 1;
    std::uint64_t number = first;
    int wrong_cases = 0;
    for (; Clock::now() < end && wrong_cases < 10; ++number) {
        const std::string wrong = run_case(number);
        if (wrong.empty()) continue;
        ++wrong_cases;
        std::printf("case %llu: %s\n", static_cast<unsigned long long>(number), wrong.c_str());
        std::fflush(stdout);
    }
    std::printf("%llu cases from %llu, %d wrong\n", static_cast<unsigned long long>(number - first),
                static_cast<unsigned long long>(first), wrong_cases);
    return wrong_cases == 0 ? 0 : 1;
}
