// The kernels for whatever the compiler targets by default.
#define GROUPLINK_ISA_TABLE baseline_table
#define GROUPLINK_ISA_NAME baseline
#include "kernels/body.inc"
