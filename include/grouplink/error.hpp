#pragma once

#include <grouplink/export.hpp>

#include <stdexcept>
#include <string>

namespace grouplink {

enum class ErrorCode {
    internal,         ///< a fault of ours, or one without a better name
    invalid_options,  ///< an option out of its range, or two that exclude each other
    bad_input,        ///< data or a file that cannot be linked as it is
    over_budget,      ///< memory: what would be needed is not to be had, or more than is allowed
    io,               ///< the system refused to open, read, write or rename
    cancelled,        ///< the caller asked to stop
};

/// The only exception the library throws on purpose. what() is one line: where, what, got, what to
/// do. std::bad_alloc may pass through.
class GROUPLINK_EXPORT Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
    ErrorCode code() const noexcept { return code_; }

private:
    ErrorCode code_;
};

}  // namespace grouplink
