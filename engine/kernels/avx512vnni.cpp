// The kernels for AVX-512 F, BW, VL, DQ and VNNI; the build sets the flags of this file alone.
#if defined(__x86_64__)
#define GROUPLINK_ISA_TABLE avx512vnni_table
#define GROUPLINK_ISA_NAME avx512vnni
#include "kernels/body.inc"
#endif
