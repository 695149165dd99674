#pragma once

#include <string>

namespace grouplink::cli {

/// The manual page, in the language of man(7), made of commands(): each command with its flags.
/// Its date is today's, or that of the environment's SOURCE_DATE_EPOCH.
std::string manual();

}  // namespace grouplink::cli
