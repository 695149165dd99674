#pragma once

// The library is built with hidden visibility; what carries this macro is its interface.
#if defined(_WIN32)
#define GROUPLINK_EXPORT
#else
#define GROUPLINK_EXPORT __attribute__((visibility("default")))
#endif
