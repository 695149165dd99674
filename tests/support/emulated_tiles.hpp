#pragma once

#include "kernels/kernels.hpp"

#if defined(__x86_64__)
namespace grouplink::kernels {

/// The kernels of AVX-512 VNNI and AMX with the latter's instructions emulated, as their manual has them: for
/// CPUs without. It takes a CPU with AVX-512 VNNI.
extern const Table emulated_tiles_table;

}  // namespace grouplink::kernels
#endif
