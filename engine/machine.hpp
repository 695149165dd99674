#pragma once

#include <grouplink/report.hpp>

#include <cstdint>

namespace grouplink {

/// What the system tells of itself; fields that it does not tell stay empty or 0.
Machine describe_machine();

/// Bytes that the process has in memory, files that it maps included; 0 = not known.
std::int64_t resident_memory();

/// Those of them that are pages of files.
std::int64_t resident_file_memory();

/// The most that it ever had; getrusage's may be that of the process that started it. 0 = not known.
std::int64_t peak_memory();

}  // namespace grouplink
