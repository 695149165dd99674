#include <grouplink/error.hpp>

#include "kernels/isa.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
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

/// Whether this process may use tiles and their products of bytes; Linux wants to be asked, once for all
/// threads (arch_prctl, ARCH_REQ_XCOMP_PERM of XFEATURE_XTILEDATA), and may refuse.
bool may_use_tiles() noexcept {
#if defined(__linux__)
    constexpr unsigned amx_tile = 1U << 24;
    constexpr unsigned amx_int8 = 1U << 25;
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
    if ((edx & amx_tile) == 0 || (edx & amx_int8) == 0) return false;
    constexpr long request_permission = 0x1023;
    constexpr long tile_data = 18;
    return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}

/// Whether the tiles say what the other kernels say. What is told as certain rests on it, and what lies
/// between here and the CPU, such as an emulator, may know of tiles without having them right.
bool tiles_agree() {
    constexpr std::size_t rows = 70;
    constexpr std::size_t dim = 200;
    constexpr std::size_t stride = narrow_padded(dim);
    std::vector<std::int8_t> codes(rows * stride, 0);
    std::vector<std::int32_t> sums(rows, 0);
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t c = 0; c < dim; ++c) {
            state = state * 1664525U + 1013904223U;
            codes[i * stride + c] = static_cast<std::int8_t>(static_cast<int>(state >> 24) - 128);
            sums[i] += codes[i * stride + c];
        }
    }
    const std::vector<float> ones(rows, 1.0F);
    const NarrowRows all = {codes.data(), ones.data(), sums.data(), ones.data(), ones.data()};
    std::vector<std::uint32_t> packed(narrow_packed_words(rows, dim));
    const auto scores_of = [&](const Table& table) {
        std::vector<float> scores(rows * rows);
        table.s8_tile(all, rows, all, rows, dim, false, packed.data(), scores.data());
        return scores;
    };
    return scores_of(avx512amx_table) == scores_of(avx512vnni_table);
}
#endif

}  // namespace

std::string_view name(Isa isa) noexcept {
    switch (isa) {
        case Isa::baseline: return "baseline";
        case Isa::avx2: return "avx2";
        case Isa::avx512: return "avx512";
        case Isa::avx512vnni: return "avx512vnni";
        case Isa::avx512amx: return "avx512amx";
    }
    return "";
}

const Table* find(Isa isa) {
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
        case Isa::avx512amx: {
            static const bool usable = find(Isa::avx512vnni) && may_use_tiles() && tiles_agree();
            return usable ? &avx512amx_table : nullptr;
        }
#else
        default: return nullptr;
#endif
    }
    return nullptr;
}

const Table& best() {
    if (const char* wanted = std::getenv("GROUPLINK_ISA"); wanted && *wanted) {
        std::string names;
        for (const Isa isa : all_isas) {
            if (name(isa) != wanted) {
                names += names.empty() ? "" : isa == *std::rbegin(all_isas) ? " or " : ", ";
                names += name(isa);
                continue;
            }
            if (const Table* table = find(isa)) return *table;
            throw Error(ErrorCode::invalid_options,
                        fmt::format("GROUPLINK_ISA: this CPU or build lacks \"{}\"; unset it", wanted));
        }
        throw Error(ErrorCode::invalid_options,
                    fmt::format("GROUPLINK_ISA: \"{}\" is no instruction set; use {}", wanted, names));
    }
    for (auto isa = std::rbegin(all_isas); isa != std::rend(all_isas); ++isa) {
        if (const Table* table = find(*isa)) return *table;
    }
    return baseline_table;
}

}  // namespace grouplink::kernels
