#pragma once

#include "io/message.hpp"

#include <grouplink/error.hpp>

#include <arrow/result.h>
#include <arrow/status.h>

#include <new>
#include <string>
#include <utility>

namespace grouplink::io {

/// Throws what an Arrow status means for the file at `path`: io for the system's refusals, over_budget for
/// memory, bad_input for the rest. The text is cut to its first line.
inline void check_arrow(const arrow::Status& status, const std::string& path) {
    if (status.ok()) return;
    if (tells_of_memory(status.message())) throw std::bad_alloc();
    const ErrorCode code = status.IsIOError()       ? ErrorCode::io
                           : status.IsOutOfMemory() ? ErrorCode::over_budget
                                                    : ErrorCode::bad_input;
    std::string text = status.message();
    throw Error(code, path + ": " + text.substr(0, text.find('\n')));
}

template <typename Value>
Value take(arrow::Result<Value> result, const std::string& path) {
    check_arrow(result.status(), path);
    return std::move(result).ValueUnsafe();
}

}  // namespace grouplink::io
