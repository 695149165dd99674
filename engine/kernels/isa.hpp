#pragma once

#include "kernels/kernels.hpp"

// The tables that the instruction-set sources define; dispatch.cpp chooses among them.
namespace grouplink::kernels {
extern const Table baseline_table;
#if defined(__x86_64__)
extern const Table avx2_table;
extern const Table avx512_table;
extern const Table avx512vnni_table;
extern const Table avx512amx_table;
#endif
}  // namespace grouplink::kernels
