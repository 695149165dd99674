// The kernels for AVX-512 F, BW, VL and DQ; the build sets the flags of this file alone.
#if defined(__x86_64__)
#define GROUPLINK_ISA_TABLE avx512_table
#define GROUPLINK_ISA_NAME avx512
#include "kernels/body.inc"
#endif
