// Tiles as Intel's Architecture Instruction Set Extensions Programming Reference, chapter 3, describes them,
// in the place of the instructions; what would be a fault ends the program.
#if defined(__x86_64__)
#include "support/emulated_tiles.hpp"

#include <immintrin.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int tiles = 8;
constexpr std::size_t most_rows = 16;
constexpr std::size_t most_bytes = 64;

struct Tile {
    std::uint8_t bytes[most_rows][most_bytes];
};

struct Config {
    std::uint8_t palette;
    std::uint8_t start_row;
    std::uint8_t reserved[14];
    std::uint16_t row_bytes[16];
    std::uint8_t rows[16];
};
static_assert(sizeof(Config) == 64);

thread_local Config config = {};
thread_local Tile state[tiles] = {};

void fault_unless(bool allowed) {
    if (!allowed) std::abort();
}

void load_config(const void* from) {
    Config wanted;
    std::memcpy(&wanted, from, sizeof wanted);
    fault_unless(wanted.palette == 1 && wanted.start_row == 0);
    for (const std::uint8_t byte : wanted.reserved) fault_unless(byte == 0);
    for (int t = 0; t < 16; ++t) {
        fault_unless((wanted.row_bytes[t] == 0) == (wanted.rows[t] == 0));
        fault_unless(t < tiles ? wanted.row_bytes[t] <= most_bytes && wanted.rows[t] <= most_rows
                               : wanted.row_bytes[t] == 0);
    }
    config = wanted;
    std::memset(state, 0, sizeof state);
}

void release() {
    config = {};
    std::memset(state, 0, sizeof state);
}

void fault_unless_usable(int t) { fault_unless(config.palette == 1 && config.rows[t] > 0); }

void zero(int t) {
    fault_unless_usable(t);
    std::memset(&state[t], 0, sizeof state[t]);
}

void load(int t, const void* from, std::size_t stride) {
    fault_unless_usable(t);
    std::memset(&state[t], 0, sizeof state[t]);
    for (std::size_t r = 0; r < config.rows[t]; ++r)
        std::memcpy(state[t].bytes[r], static_cast<const char*>(from) + r * stride, config.row_bytes[t]);
}

void store(int t, void* to, std::size_t stride) {
    fault_unless_usable(t);
    for (std::size_t r = 0; r < config.rows[t]; ++r)
        std::memcpy(static_cast<char*>(to) + r * stride, state[t].bytes[r], config.row_bytes[t]);
}

/// TDPBSSD: sums[m][n] += a[m][4k .. 4k + 3] * b[k][4n .. 4n + 3], all signed.
void add_products(int sums, int a, int b) {
    fault_unless(sums != a && sums != b && a != b);
    for (const int t : {sums, a, b}) fault_unless_usable(t);
    fault_unless(config.row_bytes[sums] % 4 == 0 && config.row_bytes[a] % 4 == 0 &&
                 config.row_bytes[b] % 4 == 0);
    fault_unless(config.rows[sums] == config.rows[a]);
    fault_unless(config.row_bytes[a] / 4 == config.rows[b]);
    fault_unless(config.row_bytes[sums] == config.row_bytes[b]);
    for (std::size_t m = 0; m < config.rows[sums]; ++m) {
        for (std::size_t n = 0; n < config.row_bytes[sums] / 4U; ++n) {
            std::uint32_t sum;
            std::memcpy(&sum, state[sums].bytes[m] + 4 * n, sizeof sum);
            for (std::size_t k = 0; k < config.rows[b]; ++k) {
                for (std::size_t i = 0; i < 4; ++i) {
                    const int x = static_cast<std::int8_t>(state[a].bytes[m][4 * k + i]);
                    const int y = static_cast<std::int8_t>(state[b].bytes[k][4 * n + i]);
                    sum += static_cast<std::uint32_t>(x * y);
                }
            }
            std::memcpy(state[sums].bytes[m] + 4 * n, &sum, sizeof sum);
        }
    }
}

}  // namespace

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbssd
#define _tile_loadconfig(from) load_config(from)
#define _tile_release() release()
#define _tile_zero(t) zero(t)
#define _tile_loadd(t, from, stride) ::load(t, from, stride)
#define _tile_stored(t, to, stride) store(t, to, stride)
#define _tile_dpbssd(sums, a, b) ::add_products(sums, a, b)

#define GROUPLINK_TILES
#define GROUPLINK_ISA_TABLE emulated_tiles_table
#define GROUPLINK_ISA_NAME avx512amx
#include "kernels/body.inc"
#endif
