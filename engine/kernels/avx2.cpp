// The kernels for AVX2, FMA and F16C; the build sets the flags of this file alone.
#if defined(__x86_64__)
#define GROUPLINK_ISA_TABLE avx2_table
#define GROUPLINK_ISA_NAME avx2
#include "kernels/body.inc"
#endif
