#pragma once

/// The version of the headers; version() gives that of the linked library.
#define GROUPLINK_VERSION_MAJOR 0
#define GROUPLINK_VERSION_MINOR 1
#define GROUPLINK_VERSION_PATCH 0
#define GROUPLINK_VERSION "0.1.0"

#include <grouplink/export.hpp>

namespace grouplink {

/// Version of the library that was linked, as "major.minor.patch".
GROUPLINK_EXPORT const char* version() noexcept;

}  // namespace grouplink
