#include <grouplink/error.hpp>

#include "kernels/isa.hpp"

#include <fmt/format.h>

#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace grouplink::kernels {
namespace {

#if defined(__x86_64__)
/// Clang 14's __builtin_cpu_supports does not know the name.
bool has_f16c() noexcept {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

}  // namespace

std::string_view name(Isa isa) noexcept {
    switch (isa) {
        case Isa::baseline: return "baseline";
        case Isa::avx2: return "avx2";
        case Isa::avx512: return "avx512";
        case Isa::avx512vnni: return "avx512vnni";
    }
    return "";
}

const Table* find(Isa isa) noexcept {
    switch (isa) {
        case Isa::baseline: return &baseline_table;
#if defined(__x86_64__)
        case Isa::avx2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c() ? &avx2_table
                                                                                                 : nullptr;
        case Isa::avx512:
            return find(Isa::avx2) && __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                           __builtin_cpu_supports("avx512dq")
                       ? &avx512_table
                       : nullptr;
        case Isa::avx512vnni:
            return find(Isa::avx512) && __builtin_cpu_supports("avx512vnni") ? &avx512vnni_table : nullptr;
#else
        default: return nullptr;
#endif
    }
    return nullptr;
}

const Table& best() {
    constexpr Isa widest_first[] = {Isa::avx512vnni, Isa::avx512, Isa::avx2, Isa::baseline};
    if (const char* wanted = std::getenv("GROUPLINK_ISA"); wanted && *wanted) {
        for (const Isa isa : widest_first) {
            if (name(isa) != wanted) continue;
            if (const Table* table = find(isa)) return *table;
            throw Error(ErrorCode::invalid_options,
                        fmt::format("GROUPLINK_ISA: this CPU or build lacks \"{}\"; unset it", wanted));
        }
        throw Error(ErrorCode::invalid_options,
                    fmt::format("GROUPLINK_ISA: \"{}\" is no instruction set; use baseline, avx2, avx512 or "
                                "avx512vnni",
                                wanted));
    }
    for (const Isa isa : widest_first) {
        if (const Table* table = find(isa)) return *table;
    }
    return baseline_table;
}

}  // namespace grouplink::kernels
