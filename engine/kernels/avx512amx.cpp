// The kernels for AVX-512 F, BW, VL, DQ and VNNI and for AMX-INT8; the build sets the flags of this file
// alone.
#if defined(__x86_64__)
#define GROUPLINK_TILES
#define GROUPLINK_ISA_TABLE avx512amx_table
#define GROUPLINK_ISA_NAME avx512amx
#include "kernels/body.inc"
#endif
